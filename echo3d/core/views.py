"""The six standard views: their order, their names and their DICOM codes."""

from __future__ import annotations

import re
from enum import IntEnum


class View(IntEnum):
    """One of the six standard views; the value is the channel in every six-view array."""

    A4C = 0
    A2C = 1
    A3C = 2
    PSAX_BASAL = 3
    PSAX_MID = 4
    PSAX_APICAL = 5

    @property
    def key(self) -> str:
        """The short lower-case name used in files and options.

        >>> View.PSAX_MID.key
        'psax_mid'
        """
        return self.name.lower()

    @property
    def title(self) -> str:
        """The name shown to users."""
        return _TITLES[self]

    @property
    def apical(self) -> bool:
        """Whether the probe stands at the apex."""
        return self <= View.A3C


_TITLES = {
    View.A4C: "Apical 4-chamber",
    View.A2C: "Apical 2-chamber",
    View.A3C: "Apical 3-chamber",
    View.PSAX_BASAL: "Short axis, basal",
    View.PSAX_MID: "Short axis, mid",
    View.PSAX_APICAL: "Short axis, apical",
}

DICOM_CODES: dict[View, str] = {
    View.A4C: "399214001",
    View.A2C: "399232001",
    View.A3C: "399339008",
    View.PSAX_BASAL: "399036006",
    View.PSAX_MID: "399271003",
}
"""SNOMED CT codes of DICOM CID 12226; the apical short axis has none."""

STAND_IN_CODES: dict[str, View] = {"399139001": View.A3C, "130681": View.A4C, "130682": View.A4C, "399371001": View.PSAX_APICAL}
"""Codes of neighbouring views (parasternal long axis, RV-focused A4C, chordal short axis) read as the nearest of the six."""

_PATTERNS: tuple[tuple[str, View, bool], ...] = (
    (r"a(?:p(?:ical)?)?[ _-]*4[ _-]*c", View.A4C, False),
    (r"(?:apical[ _-]*)?4[ _-]*ch(?:amber)?|four[ _-]*chamber", View.A4C, False),
    (r"a(?:p(?:ical)?)?[ _-]*2[ _-]*c", View.A2C, False),
    (r"2[ _-]*ch(?:amber)?|two[ _-]*chamber", View.A2C, False),
    (r"a(?:p(?:ical)?)?[ _-]*3[ _-]*c|aplax|apical[ _-]*long", View.A3C, False),
    (r"3[ _-]*ch(?:amber)?|three[ _-]*chamber", View.A3C, False),
    (r"p[ _-]*lax|ps[ _-]*lax|parasternal[ _-]*long|\bpla\b", View.A3C, True),
    (r"(?:psax|sax|short[ _-]*axis|pss?a)[a-z ,_-]*(?:basal|base|mitral|\bmv\b|_mv)", View.PSAX_BASAL, False),
    (r"(?:psax|sax|short[ _-]*axis|pss?a)[a-z ,_-]*(?:mid|pap|\bpm\b|_pm)", View.PSAX_MID, False),
    (r"(?:psax|sax|short[ _-]*axis|pss?a)[a-z ,_-]*(?:apical|apex|\bap\b|_ap)", View.PSAX_APICAL, False),
)


def view_from_text(text: str) -> tuple[View, bool] | None:
    """Recognise a view in free text or a file name.

    Returns
    -------
    (view, stand_in) or None
        ``stand_in`` is true where the text names a neighbour (parasternal long axis) that is read as the nearest of the six.

    >>> view_from_text("clip_A4C_02.dcm")
    (<View.A4C: 0>, False)
    >>> view_from_text("PS LAX MR & AI")
    (<View.A3C: 2>, True)
    >>> view_from_text("liver") is None
    True
    """
    lowered = text.lower()
    for pattern, view, stand_in in _PATTERNS:
        if re.search(rf"(?<![a-z0-9]){pattern}", lowered):
            return view, stand_in
    return None


def view_from_code(code: str) -> tuple[View, bool] | None:
    """Recognise a view from a DICOM code value (CID 12226).

    >>> view_from_code("399214001")
    (<View.A4C: 0>, False)
    """
    for view, value in DICOM_CODES.items():
        if value == code:
            return view, False
    return (STAND_IN_CODES[code], True) if code in STAND_IN_CODES else None
