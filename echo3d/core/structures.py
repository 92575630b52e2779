"""The 24 tags of the published cohort, the blood inside them, and how they are shown."""

from __future__ import annotations

from enum import IntEnum


class Structure(IntEnum):
    """A labelled part of the heart; 0 is background.

    Tags 1-24 are those of the published cohort, 101-104 the blood of the four chambers; 105 and 106, the blood in the two great arteries,
    are ours, because a slice needs their lumen.

    *Source:* reference science.md E.3.
    """

    BACKGROUND = 0
    LV_MYOCARDIUM = 1
    RV_MYOCARDIUM = 2
    LA_WALL = 3
    RA_WALL = 4
    AORTA = 5
    PULMONARY_ARTERY = 6
    MITRAL_VALVE = 7
    TRICUSPID_VALVE = 8
    AORTIC_VALVE = 9
    PULMONARY_VALVE = 10
    LA_APPENDAGE = 11
    LEFT_SUPERIOR_PV = 12
    LEFT_INFERIOR_PV = 13
    RIGHT_INFERIOR_PV = 14
    RIGHT_SUPERIOR_PV = 15
    SUPERIOR_VENA_CAVA = 16
    INFERIOR_VENA_CAVA = 17
    LA_APPENDAGE_BORDER = 18
    RIGHT_INFERIOR_PV_BORDER = 19
    LEFT_INFERIOR_PV_BORDER = 20
    LEFT_SUPERIOR_PV_BORDER = 21
    RIGHT_SUPERIOR_PV_BORDER = 22
    SUPERIOR_VENA_CAVA_BORDER = 23
    INFERIOR_VENA_CAVA_BORDER = 24
    LV_CAVITY = 101
    RV_CAVITY = 102
    LA_CAVITY = 103
    RA_CAVITY = 104
    AORTA_LUMEN = 105
    PULMONARY_LUMEN = 106

    @property
    def title(self) -> str:
        """The name shown to users.

        >>> Structure.LA_WALL.title
        'LA wall'
        """
        words = self.name.split("_")
        kept = {"LV", "RV", "LA", "RA", "PV"}
        text = " ".join(word if word in kept else word.lower() for word in words)
        return text[0].upper() + text[1:]


TAGS: tuple[Structure, ...] = tuple(s for s in Structure if 1 <= s <= 24)
CHAMBERS: tuple[Structure, ...] = (Structure.LV_CAVITY, Structure.RV_CAVITY, Structure.LA_CAVITY, Structure.RA_CAVITY)
CHAMBER_KEYS: dict[str, Structure] = dict(zip(("lv", "rv", "la", "ra"), CHAMBERS, strict=True))
BLOOD: tuple[Structure, ...] = (*CHAMBERS, Structure.AORTA_LUMEN, Structure.PULMONARY_LUMEN)
VALVES: tuple[Structure, ...] = (
    Structure.MITRAL_VALVE,
    Structure.TRICUSPID_VALVE,
    Structure.AORTIC_VALVE,
    Structure.PULMONARY_VALVE,
)

_COLOURS: dict[int, tuple[int, int, int]] = {
    1: (201, 74, 66),
    2: (74, 118, 196),
    3: (228, 142, 118),
    4: (128, 170, 214),
    5: (216, 58, 84),
    6: (86, 92, 190),
    7: (240, 214, 120),
    8: (196, 222, 140),
    9: (250, 236, 170),
    10: (170, 210, 190),
    101: (150, 28, 36),
    102: (30, 58, 128),
    103: (176, 82, 66),
    104: (62, 104, 156),
    105: (170, 36, 60),
    106: (56, 60, 140),
}


def colour(structure: Structure) -> tuple[int, int, int]:
    """Return the structure's RGB colour (0-255).

    Warm for the left heart, cool for the right; veins and borders take the colour of the atrium they open into.

    >>> colour(Structure.LV_MYOCARDIUM)
    (201, 74, 66)
    """
    if structure in _COLOURS:
        return _COLOURS[structure]
    if structure in (Structure.SUPERIOR_VENA_CAVA, Structure.INFERIOR_VENA_CAVA, 23, 24):
        return (108, 138, 188)
    return (0, 0, 0) if structure == Structure.BACKGROUND else (214, 156, 140)
