"""Names that give no patient away: pseudonyms and labels of files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable


def short_hash(text: str | bytes, key: str = "", digits: int = 8) -> str:
    """Return a short keyed hash in hexadecimal digits.

    >>> short_hash("4711", key="1.2.3") == short_hash("4711", key="1.2.4")
    False
    """
    data = text.encode() if isinstance(text, str) else text
    return hashlib.blake2b(data, key=hashlib.sha256(key.encode()).digest(), digest_size=16).hexdigest()[:digits]


def pseudonym_of(patient_id: str, study_uid: str, content: bytes) -> str:
    """Return the short hash that stands for a patient.

    The study's own identifier is the key, so that guessing patient numbers does not lead back; without a patient
    number the content of the file takes its place.

    >>> pseudonym_of("4711", "1.2.3", b"")
    'P-9e24d043'
    """
    return "P-" + (short_hash(patient_id, study_uid) if patient_id else short_hash(content, study_uid))


def _tokens(secrets: Iterable[str]) -> set[str]:
    parts = {part for secret in secrets for part in re.split(r"[\W_]+", secret.lower())}
    return {part for part in parts if len(part) >= 2}


def safe_label(file_name: str, secrets: Iterable[str]) -> str:
    """Return the file's base name, or a short hash where it carries part of a patient's name or number.

    >>> safe_label("IM_0001.dcm", ["DOE^JANE", "4711"])
    'IM_0001.dcm'
    >>> safe_label("doe_a4c.dcm", ["DOE^JANE", "4711"]).startswith("clip-")
    True
    """
    lowered = file_name.lower()
    if any(token in lowered for token in _tokens(secrets)):
        return f"clip-{short_hash(lowered)}"
    return file_name
