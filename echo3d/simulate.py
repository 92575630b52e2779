"""A synthetic patient: a drawn heart through one beat, seen by six fans, as a DICOM study with its truth beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from echo3d import __version__
from echo3d.anatomy.timing import PHASES
from echo3d.clinical.shown import NOTICE
from echo3d.core.pose import place
from echo3d.core.sector import Fan, PictureGrid, Sector, grid_for
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.progress import Progress, silent
from echo3d.results import check_out, write_whole
from echo3d.styled import check_style, styled

if TYPE_CHECKING:
    from echo3d.anatomy.cohort import Heart, HeartRecord
    from echo3d.anatomy.window import Window
    from echo3d.bodies import OpenBody, Probe, Standing
    from echo3d.io.dicom_write import Trace
    from echo3d.slicing.labelvolume import WarpedLabels
    from echo3d.slicing.standard import SectorDraw
    from echo3d.style.draws import SpeckleDraw
    from echo3d.style.pseudo import PseudoDraw
    from echo3d.style.scene import Scene
    from echo3d.style.screen import ScreenDraw, Shown

PICTURE = 320
_SAMPLES, _LINES = 384, 128

NO_DRAWN_SHADOWS: dict[str, Any] = {"rib_db": 0.0, "shadow_deg": (0.0, 0.0)}
"""What a look loses in a body, whose own ribs and lungs cast the shadows."""

_UNSHADED = "Pictures that are made of the slice alone show no shadows of ribs and lungs; style speckle does."


@dataclass(frozen=True, slots=True)
class Simulation:
    """What is asked of :func:`simulate_study`.

    Parameters
    ----------
    seed : of everything that is drawn
    ef : ejection fraction, or None to draw it
    pathology : a group of :mod:`echo3d.anatomy.groups`, or None to draw it
    views : views to write
    record : the heart to show instead of a drawn one, then without ``ef`` and ``pathology``; hand and machine still come from the seed
    phases : frames per beat, 4 at least
    body : the body whose bones and lungs cast shadows, in the words of :func:`echo3d.bodies.open_body`; None for none
    style : what the pictures show, one of :data:`echo3d.styled.STYLES`; in a body only speckle shows shadows
    screen : whether the files show a machine's whole screen round the fan: text, depth ticks, ECG
    """

    seed: int = 0
    ef: float | None = None
    pathology: str | None = None
    views: tuple[View, ...] = tuple(View)
    record: HeartRecord | None = None
    phases: int = PHASES
    body: str | None = None
    style: str = "speckle"
    screen: bool = False

    def layout(self) -> ScreenDraw | None:
        """Return how the machine of this seed lays out its screen, None for pictures without one."""
        from echo3d.style.screen import draw_screen

        return draw_screen(np.random.default_rng([self.seed, 2])) if self.screen else None

    def picture(self) -> int:
        """Return the side of the pictures, pixels."""
        layout = self.layout()
        return PICTURE if layout is None else layout.picture


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """How one view is taken: its fan in the heart's frame, its raster, its echo look, and in a body the window it has.

    ``flat`` is the style and the look of pictures that are made of the slice instead, None for speckle.
    """

    view: View
    sector: Sector
    grid: PictureGrid
    look: SpeckleDraw
    window: Window | None = None
    on_skin: bool = False
    flat: tuple[str, PseudoDraw] | None = None


def simulate_study(spec: Simulation, out: Path, *, force: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Write one DICOM cine per view and truth.json into a new folder; return the truth.

    Parameters
    ----------
    spec : what is wanted
    out : folder to make; it appears when it is complete
    force : whether an earlier study of ours may be replaced
    progress : hears how far it is

    Raises
    ------
    InputError
        If the heart cannot be drawn as asked, or the folder may not be written.
    """
    if not spec.views:
        raise InputError("a simulated study must have at least one view, found none; name some with --views")
    if spec.phases < 4:
        raise InputError(f"a beat must have at least 4 frames, found {spec.phases}; ask for more")
    check_style(spec.style)
    check_out(out, force=force)
    progress(0.0, "Drawing the heart")
    heart = _heart(spec, np.random.default_rng([spec.seed, 0]))
    hands = _hands(np.random.default_rng([spec.seed, 1]))
    told: dict[str, Any] = {}
    if spec.body is None:
        takes = _takes(spec, heart, hands)
    else:
        progress(0.02, "Placing the heart in the body")
        takes, told = _takes_in_body(spec, heart, hands)
    if spec.style != "speckle":
        takes, told = _flat(spec, takes), told | ({"warnings": [*told["warnings"], _UNSHADED]} if told else {})
    frames, truth = _film(heart, takes, spec.phases, progress)
    layout = spec.layout()
    told |= {} if layout is None else {"screen": asdict(layout)}
    truth = {"schema": 1, "echo3d": __version__, "notice": NOTICE, "seed": spec.seed, "style": spec.style} | truth | told
    write_whole(out, lambda folder: _write(folder, spec, takes, frames, truth), force=force)
    return truth


def read_record(path: Path) -> HeartRecord:
    """Read the heart record of a truth.json, or a record on its own.

    Raises
    ------
    InputError
        If the file is missing, no JSON, or holds no record.
    """
    from echo3d.anatomy.cohort import record_from_json

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise InputError(f"a heart must be a JSON record such as truth.json, found none ({type(exc).__name__}); give another file") from exc
    record = content.get("record", content) if isinstance(content, dict) else None
    if not isinstance(record, dict):
        raise InputError("a heart must be a JSON record such as truth.json, found JSON of another kind; give another file")
    return record_from_json(record)


def _heart(spec: Simulation, rng: np.random.Generator) -> Heart:
    """Return the heart asked for."""
    from echo3d.anatomy.cohort import build_heart, sound_heart

    if spec.record is None:
        return sound_heart(rng, ef=spec.ef, group=spec.pathology)
    if spec.ef is not None or spec.pathology is not None:
        raise InputError("a given heart brings its own ejection fraction and pathology, found others beside it; leave them out")
    return build_heart(spec.record)


def _hands(rng: np.random.Generator) -> dict[View, tuple[SectorDraw, SpeckleDraw]]:
    """Return hand and look of each view; all six are drawn, so that a view looks the same whichever others are written."""
    from echo3d.slicing.standard import draw_sector
    from echo3d.style.draws import draw_speckle

    machine = draw_speckle(rng)
    return {view: (draw_sector(rng), draw_speckle(rng, like=machine)) for view in View}


def _flat(spec: Simulation, takes: list[Take]) -> list[Take]:
    """Return takes whose pictures are made of the slice; what they draw comes after all else, and for all views."""
    from echo3d.style.pseudo import draw_pseudo

    rng = np.random.default_rng([spec.seed, 3])
    looks = {view: draw_pseudo(rng) for view in View}
    return [replace(take, flat=(spec.style, looks[take.view])) for take in takes]


def _takes(spec: Simulation, heart: Heart, hands: Mapping[View, tuple[SectorDraw, SpeckleDraw]]) -> list[Take]:
    """Return fan, raster and look of each view."""
    from echo3d.anatomy.template import load_template
    from echo3d.slicing.standard import jittered, standard_sectors

    template = load_template()
    takes = []
    for view in sorted(set(spec.views)):
        hand, look = hands[view]
        standard = standard_sectors(template, heart.ed[: len(template.points)], level=hand.level)[view]
        sector = jittered(standard, hand)
        takes.append(Take(view, sector, grid_for(sector, spec.picture()), look))
    return takes


def _takes_in_body(
    spec: Simulation, heart: Heart, hands: Mapping[View, tuple[SectorDraw, SpeckleDraw]]
) -> tuple[list[Take], dict[str, Any]]:
    """Return the takes of a heart that stands in a body, and what the truth says of body and windows."""
    from echo3d.anatomy.template import load_template
    from echo3d.anatomy.window import acoustic_window, obstacles_of
    from echo3d.bodies import moved_fan, open_body
    from echo3d.slicing.standard import standard_sectors

    template = load_template()
    body = open_body(str(spec.body), heart.record.body)
    standing = _standing(heart, body)
    points = place(heart.ed[: len(template.points)], standing.pose, standing.pivot)
    obstacles, takes = obstacles_of(standing.body), []
    for view in sorted(set(spec.views)):
        hand, look = hands[view]
        probe = _held_by(standing, standard_sectors(template, points, level=hand.level)[view], hand)
        window = acoustic_window(obstacles, standing.surface, probe.sector, lines=_LINES)
        sector = moved_fan(probe.sector, standing.pose, standing.pivot, back=True)
        takes.append(Take(view, sector, grid_for(sector, spec.picture()), replace(look, **NO_DRAWN_SHADOWS), window, probe.on_skin))
    return takes, _body_truth(body, standing, takes)


def _standing(heart: Heart, body: OpenBody) -> Standing:
    """Return a heart in a body whose lungs leave it room at the end of diastole and of systole."""
    from echo3d.anatomy.template import load_template
    from echo3d.bodies import Guest, stand
    from echo3d.slicing.standard import template_landmarks

    template = load_template()
    full, empty = _labels(heart.ed), _labels(heart.es)

    def ever(points: NDArray) -> NDArray[np.bool_]:
        return np.asarray((full.look_up(points) > 0) | (empty.look_up(points) > 0))

    return stand(Guest(full.look_up, template_landmarks(template, heart.ed[: len(template.points)])), body, room=ever)


def _held_by(standing: Standing, standard: Sector, hand: SectorDraw) -> Probe:
    """Return a standard fan in the body's frame as a hand holds it: turned and slid as drawn, then where the window is best nearby.

    The skin decides how far the probe stands from the heart, not the drawn standoff; beams of drawn length grow by as much.
    """
    from echo3d.bodies import held
    from echo3d.slicing.standard import jittered

    return held(standing, jittered(standard, replace(hand, standoff=0.0)))


def _film(heart: Heart, takes: list[Take], phases: int, progress: Progress) -> tuple[dict[View, NDArray[np.uint8]], dict[str, Any]]:
    """Return the frames (T, H, W) of each view, and the truth."""
    from echo3d.anatomy.cohort import position_at
    from echo3d.anatomy.template import load_template
    from echo3d.anatomy.timing import END_SYSTOLE, moments
    from echo3d.style.display import persisted

    template, course = load_template(), moments(heart.record.beat, phases)
    pictures: dict[View, list[NDArray[np.uint8]]] = {take.view: [] for take in takes}
    volumes = []
    for phase, moment in enumerate(course):
        progress(0.05 + 0.9 * phase / phases, f"Phase {phase + 1} of {phases}")
        x = position_at(heart, moment)
        volumes.append(template.volumes_ml(x[: len(template.points)]))
        for view, picture in _pictures(x, takes, phase).items():
            pictures[view].append(picture)
    lasting = {take.view: take.look.persistence if take.flat is None else 0.0 for take in takes}
    films = {view: persisted(np.stack(stack), lasting[view]) for view, stack in pictures.items()}
    return films, _truth(heart, takes, volumes, course.index(END_SYSTOLE))


def _pictures(x: NDArray, takes: list[Take], phase: int) -> dict[View, NDArray[np.uint8]]:
    """Return the picture of each view for one phase; ``x`` are all material positions."""
    from echo3d.slicing.labelvolume import cut

    labels, result = _labels(x), {}
    for take in takes:
        if take.flat is None:
            picture = _speckle(labels, take, phase)
        else:
            piece = cut(labels, take.sector, grid=take.grid)
            picture = styled(take.flat[0], piece.labels, piece.inside, (take.flat[1], take.grid.pixel_mm))
        result[take.view] = np.rint(255 * picture).astype(np.uint8)
    return result


def _speckle(labels: WarpedLabels, take: Take, phase: int) -> NDArray[np.float32]:
    """Return the echo picture (H, W) of a view."""
    from echo3d.slicing.labelvolume import cut_polar
    from echo3d.style.polar import polar_of
    from echo3d.style.speckle import speckle_image

    fan = polar_of(take.sector, _SAMPLES, _LINES)
    polar = cut_polar(labels, take.sector, fan.plane_mm())
    scene = _scene(take, labels, fan.plane_mm())
    return speckle_image(polar, fan, take.grid, replace(take.look, frame=phase), scene=scene)


def _scene(take: Take, labels: WarpedLabels, plane_mm: NDArray) -> Scene:
    """Return what is known of a view besides its labels: what stops its beams, and where its tissue lies at rest."""
    from echo3d.slicing.labelvolume import rest_polar
    from echo3d.style.scene import Scene, long_axis_of

    start_mm, lung = (None, None) if take.window is None else (take.window.start_mm, take.window.lung)
    return Scene(start_mm, lung, rest_polar(labels, take.sector, plane_mm), long_axis_of(take.view))


def _labels(x: NDArray) -> WarpedLabels:
    """Return the labels of the heart whose material positions are ``x`` (M, 3)."""
    from echo3d.anatomy.material import GRID_SIDE
    from echo3d.anatomy.template import field_grid, load_label_volume, load_template
    from echo3d.slicing.labelvolume import warp

    template = load_template()
    nodes, rest = x[len(template.points) :], template.mesh.points
    return warp(load_label_volume(), field_grid(GRID_SIDE), nodes, rest=rest, moved=x[: len(rest)])


def _truth(heart: Heart, takes: list[Take], volumes: Sequence[Mapping[str, float]], es: int) -> dict[str, Any]:
    """Return everything that is known of the synthetic patient, plain JSON values."""
    from echo3d.anatomy.cohort import record_to_json

    edv, esv = volumes[0]["lv"], volumes[es]["lv"]
    return {
        "edv_ml": edv,
        "esv_ml": esv,
        "ef": (edv - esv) / edv,
        "volumes_ml": {key: {"ed": volumes[0][key], "es": volumes[es][key]} for key in volumes[0]},
        "lv_ml": [at["lv"] for at in volumes],
        "ed_frame": 0,
        "es_frame": es,
        "frame_ms": 60_000 / heart.record.beat.heart_rate / len(volumes),
        "planes": {take.view.key: _plane(take.sector) for take in takes},
        "looks": {take.view.key: asdict(take.look if take.flat is None else take.flat[1]) for take in takes},
        "record": record_to_json(heart.record),
    }


def _body_truth(body: OpenBody, standing: Standing, takes: list[Take]) -> dict[str, Any]:
    """Return what is known of body, placement and windows; depths of shadows in mm along each beam, null where nothing stops it."""
    from echo3d.bodies import pose_facts, window_facts

    windows = {}
    for take in takes:
        if take.window is not None:
            shadow = [round(float(mm), 2) if np.isfinite(mm) else None for mm in take.window.start_mm]
            windows[take.view.key] = {"on_skin": take.on_skin} | window_facts(take.window) | {"shadow_mm": shadow}
    told = body.facts | {"assumed": list(body.assumed), "placement": pose_facts(standing)}
    return {"body": told, "windows": windows, "warnings": list(standing.warnings)}


def _plane(sector: Sector) -> dict[str, Any]:
    """Return a fan in the synthetic patient's frame (LPS, mm, degrees)."""
    lines = {name: getattr(sector, name).tolist() for name in ("origin", "axis", "lateral")}
    return lines | {"half_angle": sector.half_angle, "depth_mm": sector.depth}


def _write(folder: Path, spec: Simulation, takes: list[Take], frames: Mapping[View, NDArray[np.uint8]], truth: dict[str, Any]) -> None:
    """Write the clips and the truth into an existing folder."""
    from echo3d.io.dicom_write import ClipHeader, write_echo_dicom

    for take in takes:
        grid, sector, film = take.grid, take.sector, frames[take.view]
        fan, trace = Fan(0.0, grid.width / 2, sector.half_angle, sector.depth / grid.pixel_mm), None
        layout = spec.layout()
        if layout is not None:
            film, fan, trace = _on_screen(film, fan, layout, _shown(take, truth))
        header = ClipHeader(take.view, f"SYNTHETIC-{spec.seed}", grid.pixel_mm, truth["frame_ms"], fan, trace=trace)
        write_echo_dicom(folder / f"{take.view.key}.dcm", film, header)
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


def _shown(take: Take, truth: Mapping[str, Any]) -> Shown:
    """Return what the screen tells of a view."""
    from echo3d.style.screen import Shown

    return Shown(take.view.key.replace("_", " ").upper(), take.grid.pixel_mm, truth["frame_ms"], truth["record"]["beat"]["heart_rate"])


def _on_screen(film: NDArray[np.uint8], fan: Fan, layout: ScreenDraw, shown: Shown) -> tuple[NDArray[np.uint8], Fan, Trace]:
    """Return the frames of one beat on a machine's screen, the fan there, and where the ECG stands."""
    from echo3d.io.dicom_write import Trace
    from echo3d.style.screen import screen_layout

    screens = [
        screen_layout(frame.astype(np.float32) / 255, fan, layout, shown=shown, beat=number / len(film))
        for number, frame in enumerate(film)
    ]
    top, left, bottom, right = screens[0].trace
    trace = Trace(top, left, bottom, right, layout.beats * len(film) * shown.frame_ms / (right - left))
    return np.stack([np.rint(255 * screen.frame).astype(np.uint8) for screen in screens]), screens[0].fan, trace
