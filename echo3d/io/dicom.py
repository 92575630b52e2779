"""A DICOM file read as an echo clip: the headers decide view, size and time, the pixels give the fan."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import MediaStorageDirectoryStorage

from echo3d.core.images import EchoClip, Source
from echo3d.core.views import View, view_from_text
from echo3d.errors import InputError
from echo3d.io.clips import Reading, build_clip
from echo3d.io.dicom_open import BROKEN, open_dicom, quiet
from echo3d.io.dicom_pixels import open_pictures
from echo3d.io.dicom_regions import read_calibration
from echo3d.io.dicom_time import read_timing
from echo3d.io.dicom_view import Recognised, recognise
from echo3d.io.names import pseudonym_of, safe_label, short_hash

OTHER_ORGANS = {
    "OBSTETRICAL": "an obstetric",
    "FETAL HEART": "a fetal",
    "GYNECOLOGY": "a gynaecological",
    "BREAST": "a breast",
    "THYROID": "a thyroid",
    "PELVIC": "a pelvic",
    "SCROTAL": "a scrotal",
    "MUSCULOSKELETAL": "a musculoskeletal",
    "OPHTHALMIC": "an eye",
    "TRANSCRANIAL": "a transcranial",
    "NEONATAL HEAD": "a neonatal head",
    "URINARY TRACT": "a urinary tract",
}
"""Values of Image Type that rule out a view of the patient's heart. Source: PS3.3 C.8.5.6.1.1."""


@dataclass(frozen=True, slots=True, eq=False)
class Patient:
    """Who a file belongs to; kept in memory only, never shown.

    Parameters
    ----------
    pseudonym : short hash that stands for the patient
    secrets : name and number, so that they can be kept out of labels
    person : hash of the patient's number alone, the same in all studies; empty where the file gives none
    """

    pseudonym: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    person: str = field(default="", repr=False)


def read_dicom(path: Path, *, view: View | None = None) -> tuple[EchoClip, Patient]:
    """Return a DICOM file as a clip with lazy frames, and its patient's pseudonym.

    Parameters
    ----------
    path : an ultrasound or secondary capture image, single or multi-frame
    view : what the user says it shows; otherwise the header's codes and texts and then the file name decide

    Raises
    ------
    InputError
        If the file is not a readable 8-bit ultrasound picture, or shows another organ by its own header.
    """
    reading, patient = dicom_reading(path, view=view)
    try:
        with quiet():
            return build_clip(reading), patient
    except BROKEN as exc:
        raise InputError("The header of the DICOM file is damaged; export it again.") from exc


def dicom_reading(path: Path, *, view: View | None = None) -> tuple[Reading, Patient]:
    """Return a DICOM file's frames and all that its header says, as :func:`read_dicom` does, before the fan is sought.

    Raises
    ------
    InputError
        As :func:`read_dicom`.
    """
    dataset = open_dicom(path)
    try:
        with quiet():
            return _read(dataset, path, view)
    except BROKEN as exc:
        raise InputError("The header of the DICOM file is damaged; export it again.") from exc


def _read(dataset: Dataset, path: Path, view: View | None) -> tuple[Reading, Patient]:
    organ = _other_organ(dataset)
    if organ and view is None:
        raise InputError(f"This is not a usable view of the heart: {organ}; give echo clips of the heart, or name its view with --view.")
    pictures = open_pictures(dataset)
    patient = _patient(dataset)
    calibration = read_calibration(dataset, pictures.height, pictures.width)
    timing = read_timing(dataset, pictures.count)
    seen = Recognised(view, "user") if view is not None else _recognise(dataset, path.stem)
    doubt = (f"The view was named by the user but {organ}; the result cannot be trusted.",) if organ else ()
    warnings = (*doubt, *seen.warnings, *timing.warnings)
    source = Source(safe_label(path.name, patient.secrets), seen.recognised_by, seen.stand_in, warnings)
    return Reading(pictures, seen.view, source, calibration, timing), patient


def _other_organ(dataset: Dataset) -> str | None:
    """Return what the header says where it says that this is no picture of the patient's heart."""
    if dataset.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
        raise InputError("A DICOMDIR lists files and holds no picture itself; give it alone or with its folder.")
    value = dataset.get("ImageType")
    kinds = [str(part).upper() for part in value] if isinstance(value, MultiValue) else []
    organ = OTHER_ORGANS.get(kinds[2]) if len(kinds) > 2 else None
    return organ and f"the header says {organ} image"


def _patient(dataset: Dataset) -> Patient:
    """Return the pseudonym and what must stay hidden. Source: tags (0010,0010), (0010,0020), (0010,1000), (0010,1001)."""
    number = str(dataset.get("PatientID") or "")
    words = ("PatientName", "PatientID", "OtherPatientIDs", "OtherPatientNames", "PatientBirthName", "AccessionNumber", "PatientBirthDate")
    secrets = tuple(str(dataset.get(word)) for word in words if dataset.get(word))
    pseudonym = pseudonym_of(number, str(dataset.get("StudyInstanceUID") or ""), bytes(dataset.get("PixelData") or b""))
    return Patient(pseudonym, secrets, short_hash(number) if number else "")


def _recognise(dataset: Dataset, stem: str) -> Recognised:
    seen = recognise(dataset)
    found = None if seen.view is not None else view_from_text(stem)
    return seen if found is None else Recognised(found[0], "file name", found[1])
