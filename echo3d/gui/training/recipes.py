"""What can be trained, in the words of the page; no Qt. Fields, bounds and defaults come from the recipes' own schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Recipe:
    """One line of the list of recipes.

    Parameters
    ----------
    key : of this line
    kind : what ``echo3d train`` calls it
    title, sentence : for people
    preset : fields that make this line of its kind
    """

    key: str
    kind: str
    title: str
    sentence: str
    preset: Mapping[str, Any] = field(default_factory=dict)


RECIPES: tuple[Recipe, ...] = (
    Recipe("lean", "s2mnet", "S2MNet, lean", "Six pictures to a heart, at once on any processor. The Patient page uses it."),
    Recipe(
        "accurate",
        "accurate",
        "S2MNet, accurate",
        "Moves a lean network's hearts until they agree with the pictures. Learns from a data set's samples, first what is where, then by "
        "what becomes of the heart; those held back correct it, "
        "and calibrate its intervals where the data set has 250 hearts or more.",
    ),
    Recipe("quick", "quick", "S2MNet, quick look", "Has a lean network move its hearts in real time. Learns from training.glances."),
    Recipe("second", "secondlook", "S2MNet, second look", "A part of the accurate one, alone. Learns from training.glances."),
    Recipe("through", "throughheart", "S2MNet, second look by the heart", "Goes on with a second look, by what becomes of the heart."),
    Recipe("paper", "s2mnet-paper", "S2MNet, as published", "The network of the paper in its sizes. Made for GPUs."),
    Recipe("plane", "sliceplane", "Slice planes", "Finds where each picture cuts the heart. Learns from samples and label slices."),
    Recipe("cyclegan", "cyclegan", "CycleGAN", "Gives drawn slices the look of echo pictures, of the simulator or of your own clips."),
    Recipe("pointpwc", "pointpwc", "PointPWC", "Leads points of the template to those of another heart. Draws its own hearts."),
    Recipe("pix2vox-f", "pix2vox", "Pix2Vox-F", "A voxel rival, the fast one.", {"preset": "fast"}),
    Recipe("e-pix2vox", "pix2vox", "E-Pix2Vox++", "A voxel rival, the light one.", {"preset": "e-pix2vox++"}),
    Recipe("pix2vox-a", "pix2vox", "Pix2Vox-A", "A voxel rival, the accurate one.", {"preset": "accurate"}),
)

TITLES = {
    "s2mnet": "S2MNet, lean",
    "accurate": "S2MNet, accurate",
    "quick": "S2MNet, quick look",
    "secondlook": "S2MNet, second look",
    "throughheart": "S2MNet, second look by the heart",
    "s2mnet-paper": "S2MNet, as published",
    "sliceplane": "Slice planes",
    "cyclegan": "CycleGAN",
    "pointpwc": "PointPWC",
    "pix2vox": "Pix2Vox",
}


_HEARTS = "End-diastole, then end-systole: the truth above what is answered."
SHEETS = {
    "s2mnet": _HEARTS,
    "s2mnet-paper": _HEARTS,
    "pix2vox": _HEARTS,
    "sliceplane": "End-diastole, then end-systole: the true slices above those of the planes that are read.",
    "cyclegan": "Drawn slices, made into echo, and back; then echo pictures, made into slices, and back.",
    "pointpwc": "Pairs of hearts: where the points lie, and where they are led, over the target.",
}
"""What the rows of a recipe's pictures show."""


def recipes_of(schemas: Mapping[str, Any]) -> tuple[Recipe, ...]:
    """Return the lines to offer, given the schemas of all kinds: those that this page has words for, then any others.

    >>> [recipe.title for recipe in recipes_of({"pointpwc": {}, "new": {"description": "How new is trained.\\nMore."}})]
    ['PointPWC', 'new']
    """
    known = [recipe for recipe in RECIPES if recipe.kind in schemas and _has(schemas[recipe.kind], recipe)]
    named = {recipe.kind for recipe in known}
    return (*known, *(Recipe(kind, kind, kind, _first(one)) for kind, one in schemas.items() if kind not in named))


def _has(schema: Mapping[str, Any], recipe: Recipe) -> bool:
    """Return whether a schema allows a recipe's preset."""
    allowed = schema.get("properties", {}).get("preset", {}).get("enum", [])
    return not recipe.preset or recipe.preset["preset"] in allowed


def _first(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", "")).split("\n")[0]


def title_of_run(kind: str, settings: Mapping[str, Any]) -> str:
    """Return what a run is called by its recipe.

    >>> title_of_run("pix2vox", {"preset": "fast"}), title_of_run("pointpwc", {})
    ('Pix2Vox-F', 'PointPWC')
    """
    fitting = [recipe for recipe in RECIPES if recipe.kind == kind and recipe.preset.items() <= settings.items()]
    return fitting[0].title if len(fitting) == 1 else TITLES.get(kind, kind)
