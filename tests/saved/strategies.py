"""Sessions as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from echo3d.anatomy.groups import GROUPS
from echo3d.core.body import BodyPart
from echo3d.core.pose import Pose
from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.positioning.poses import FIELDS, pose_json, pose_of
from echo3d.positioning.probes import PROBE_FIELDS, STANDARD, Adjustment, adjusted_by
from echo3d.positioning.state import Clip, Picture, Placement
from echo3d.saved.content import (
    CameraView,
    Content,
    DrawnHeart,
    FileBody,
    FileHeart,
    MemberHeart,
    NoBody,
    Outcome,
    OwnBody,
    SavedStudy,
    SceneLook,
    StudyLook,
    TemplateHeart,
)
from echo3d.saved.files import FileRef, is_relative
from echo3d.session import SPEEDS, Drawing
from echo3d.slicing.standard import ViewTable


def number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


VIEWS, SHARES = st.sampled_from(View), number(0, 1)
STRUCTURES = st.frozensets(st.sampled_from(Structure), max_size=6)
NAMES = st.text(min_size=1, max_size=20).filter(lambda name: is_relative(name) and name.isprintable())
REFS = st.builds(FileRef, path=NAMES, sha256=st.sampled_from(("", "0f" * 32)), folder=st.booleans())
POSES: st.SearchStrategy[Pose] = st.tuples(*(number(field.low, field.high) for field in FIELDS)).map(pose_of)


@st.composite
def adjustments(draw: st.DrawFn) -> Adjustment:
    made = STANDARD
    for field in PROBE_FIELDS:
        made = adjusted_by(made, field.key, draw(number(field.low, field.high)))
    return adjusted_by(made, "flipped", draw(st.booleans()))


TRIPLES = st.tuples(number(-300, 300), number(-300, 300), number(-300, 300))
PLACEMENTS = st.builds(
    Placement,
    pose=POSES,
    anchor=POSES,
    follows=st.booleans(),
    probes=st.dictionaries(VIEWS, adjustments(), max_size=6),
    level=SHARES,
    table=st.builds(ViewTable, TRIPLES, TRIPLES, TRIPLES),
)
FRAMES = st.dictionaries(VIEWS, st.integers(0, 5000), max_size=6)
STUDIES = st.builds(
    SavedStudy,
    demo=st.booleans(),
    paths=st.lists(REFS, max_size=3).map(tuple),
    views=st.dictionaries(VIEWS, REFS, max_size=6),
    ed=FRAMES,
    es=FRAMES,
    outcome=st.none() | st.builds(Outcome, model=st.just("lean"), edv_ml=number(1, 500), esv_ml=number(1, 500), ef=number(-1, 1)),
)
STUDY_LOOKS = st.builds(
    StudyLook,
    selected=VIEWS,
    opacity=SHARES,
    fill=st.booleans(),
    outlines=st.booleans(),
    labels=st.booleans(),
    drawing=st.sampled_from(Drawing),
    as_echo=st.booleans(),
    listed=st.booleans(),
    hidden=STRUCTURES,
    speed=st.sampled_from(SPEEDS),
)
SCENE_LOOKS = st.builds(
    SceneLook,
    picture=st.sampled_from(Picture),
    selected=VIEWS,
    enlarged=st.booleans(),
    hidden=STRUCTURES,
    opacities=st.dictionaries(st.sampled_from(Structure), SHARES, max_size=4),
    parts=st.frozensets(st.sampled_from(BodyPart)),
    skin=SHARES,
    fans=st.booleans(),
    marks=st.booleans(),
    clip=st.sampled_from(Clip),
    clip_mm=number(-80, 80),
    moment=st.integers(0, 60),
    reference=st.none() | POSES.map(pose_json),
)
HEARTS = st.one_of(
    st.just(TemplateHeart()),
    st.builds(DrawnHeart, group=st.sampled_from(sorted(GROUPS)), seed=st.integers(0, 2**53 - 1)),
    st.builds(MemberHeart, file=REFS, number=st.integers(0, 999)),
    st.builds(FileHeart, file=REFS),
)
BODIES = st.one_of(
    st.just(NoBody()),
    st.builds(OwnBody, sex=st.sampled_from(("m", "f")), height_cm=number(130, 215), weight_kg=number(30, 200)),
    st.builds(FileBody, file=REFS, sex=st.sampled_from(("m", "f"))),
)
CAMERAS = st.builds(CameraView, focus=TRIPLES, towards=st.just((0.0, -1.0, 0.0)), up=st.just((0.0, 0.0, 1.0)), size=number(1.0, 900.0))
CONTENTS = st.builds(
    Content,
    place=st.sampled_from(("patient", "position", "training")),
    study=st.none() | STUDIES,
    study_look=STUDY_LOOKS,
    heart=st.none() | HEARTS,
    body=st.none() | BODIES,
    placement=st.none() | PLACEMENTS,
    scene_look=SCENE_LOOKS,
    cameras=st.dictionaries(st.sampled_from(("patient", "position")), CAMERAS),
)
