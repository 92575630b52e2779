"""Which view a DICOM clip shows, from its codes and its texts."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom import Dataset

from echo3d.core.views import DICOM_CODES, STAND_IN_CODES, View, view_from_text

STAND_IN = "The clip shows a neighbouring view, read as the nearest of the six ({view}); its share in the result is less certain."

TEXTS = ("ViewName", "StageName", "SeriesDescription", "ImageComments", "ProtocolName", "AcquisitionDescription")
"""Where carts write the view, best first."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A view and what told it.

    Parameters
    ----------
    view : the view, or None
    recognised_by : see :class:`echo3d.core.images.Source`
    stand_in : whether a neighbouring view stands in
    """

    view: View | None = None
    recognised_by: str = "not recognised"
    stand_in: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentence that a stand-in needs."""
        return (STAND_IN.format(view=self.view.title),) if self.stand_in and self.view is not None else ()


def recognise(dataset: Dataset) -> Recognised:
    """Return the view that the header names, by its code or else by its texts.

    Source: PS3.16 CID 12226; tags (0054,0220), (0008,2127), (0008,2120), (0008,103E), (0020,4000).
    """
    for item in dataset.get("ViewCodeSequence") or []:
        found = _by_code(item) or view_from_text(_meanings(item))
        if found is not None:
            return Recognised(found[0], "view code", found[1])
    for word in TEXTS:
        found = view_from_text(str(dataset.get(word) or ""))
        if found is not None:
            return Recognised(found[0], "description", found[1])
    return Recognised()


def _by_code(item: Dataset) -> tuple[View, bool] | None:
    """Compare as codes, so that the older SRT and SNM3 spellings are known too."""
    from pydicom.sr.coding import Code  # with it come the names of all codes, which a start of the window need not wait for

    code = Code(str(item.get("CodeValue") or ""), str(item.get("CodingSchemeDesignator") or ""), "")
    for view, value in DICOM_CODES.items():
        if code.value == value or code == Code(value, "SCT", ""):
            return view, False
    for value, view in STAND_IN_CODES.items():
        if code.value == value or code == Code(value, "SCT", ""):
            return view, True
    return None


def _meanings(item: Dataset) -> str:
    """Return the code's meaning with those of its modifiers, as text."""
    modifiers = item.get("ViewModifierCodeSequence") or []
    return ", ".join(str(part.get("CodeMeaning") or "") for part in (item, *modifiers))
