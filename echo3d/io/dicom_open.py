"""Opening a DICOM file that may be broken or hostile."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import RLock

from pydicom import Dataset, config, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset, read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from echo3d.errors import InputError
from echo3d.io.limits import check_file_size

MAX_INFLATED_BYTES = 1_000_000_000
"""What a deflated file may become."""

BROKEN = (
    EOFError,
    OSError,
    ValueError,
    KeyError,
    AttributeError,
    TypeError,
    IndexError,
    NotImplementedError,
    RuntimeError,
    RecursionError,
    MemoryError,
    BytesLengthException,
    struct.error,
    zlib.error,
)
"""What the decoders raise on damaged files."""

NOT_DICOM = "The file is not a DICOM file although it should be one; export it again or give a DICOM, MP4, AVI, PNG or JPEG file."


_quiet = RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence pydicom's warnings and log, which quote values and paths and so may carry a patient's name."""
    log = logging.getLogger("pydicom")
    _quiet.acquire()
    before, was_disabled = config.settings.reading_validation_mode, log.disabled
    config.settings.reading_validation_mode, log.disabled = config.IGNORE, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.settings.reading_validation_mode, log.disabled = before, was_disabled
        _quiet.release()


def open_dicom(path: Path) -> Dataset:
    """Return the data set of a file, read in full but with no pixel decoded.

    Raises
    ------
    InputError
        If the file cannot be opened, is not DICOM, or is damaged.
    """
    try:
        check_file_size(path.stat().st_size)
        with quiet():
            deflated = _syntax(path) == DeflatedExplicitVRLittleEndian
            return _with_syntax(_read_deflated(path) if deflated else dcmread(path, force=_bare(path)))
    except PermissionError as exc:
        raise InputError("The file may not be read by this user; change its permissions or copy it.") from exc
    except InvalidDicomError as exc:
        raise InputError(NOT_DICOM) from exc
    except RecursionError as exc:
        raise InputError("The file nests its sequences too deeply to be a real study; export it again.") from exc
    except BROKEN as exc:
        raise InputError("The DICOM file is damaged or cut short; export it again.") from exc


def _bare(path: Path) -> bool:
    """Whether the file is a data set without preamble: it then starts with group 0002 or 0008."""
    with path.open("rb") as file:
        head = file.read(132)
    return head[128:] != b"DICM" and head[:2] in (b"\x02\x00", b"\x08\x00") and head[3:4] == b"\x00"


def _with_syntax(dataset: Dataset) -> Dataset:
    """Name the transfer syntax that the reader found where the file does not name one."""
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    return dataset


def _syntax(path: Path) -> str:
    try:
        return str(read_file_meta_info(path).get("TransferSyntaxUID", ""))
    except (InvalidDicomError, AttributeError, KeyError):
        return ""


def _read_deflated(path: Path) -> Dataset:
    """Read a deflated file with a cap, which pydicom itself does not set. Source: PS3.5 A.5."""
    meta = read_file_meta_info(path)
    start = 128 + 4 + 12 + int(meta.FileMetaInformationGroupLength)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    data = inflate.decompress(path.read_bytes()[start:], MAX_INFLATED_BYTES)
    if inflate.unconsumed_tail:
        raise InputError(f"A deflated file may hold at most {MAX_INFLATED_BYTES // 10**9} GB, this one holds more; export it uncompressed.")
    dataset = read_dataset(BytesIO(data), is_implicit_VR=False, is_little_endian=True)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    return dataset
