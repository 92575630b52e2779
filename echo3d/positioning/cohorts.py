"""Hearts of a cohort's folder, by group and number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from echo3d.anatomy.groups import GROUPS
from echo3d.errors import InputError
from echo3d.positioning.hearts import WorkHeart, from_positions, heart_of_file

RECORDS = "records.jsonl"
"""Name of the file with the records of a cohort made here."""


@dataclass(frozen=True, slots=True)
class Member:
    """A heart of a cohort: its number in the folder, its group's key, and the title shown."""

    number: int
    group: str
    title: str


def members_of(folder: Path) -> list[Member]:
    """Return the hearts of a cohort's folder, made here or imported.

    Raises
    ------
    InputError
        If the folder is no cohort.
    """
    from echo3d.cohort.generate import read_cohort

    if not folder.is_dir():
        raise InputError(f"the folder of a cohort must be there, found no folder {folder.name}; put it back, or choose it where it is now")
    if index_of(folder).is_file():
        _, lines = read_cohort(folder)
        groups = [line["record"]["group"] for line in lines]
        return [Member(k, group, f"{k} · {GROUPS[group].title}") for k, group in enumerate(groups)]
    return [Member(k, "", f"{k} · {entry['name']}") for k, entry in enumerate(_imported(folder))]


def heart_of_cohort(folder: Path, number: int) -> WorkHeart:
    """Return one heart of a cohort's folder.

    Raises
    ------
    InputError
        If there is none of that number.
    """
    from echo3d.anatomy.cohort import build_heart, record_from_json
    from echo3d.cohort.generate import read_cohort
    from echo3d.hearts import Source

    members = members_of(folder)
    if not 0 <= number < len(members):
        raise InputError(f"hearts of this cohort are numbered 0 to {len(members) - 1}, found {number}; choose one of these")
    if not members[number].group:
        return heart_of_file(Source(folder / _imported(folder)[number]["surface"]))
    record = record_from_json(read_cohort(folder)[1][number]["record"])
    origin = {"kind": "cohort", "folder": folder.name, "number": number}
    return replace(from_positions(f"{folder.name}, heart {number}", origin, build_heart(record)), path=folder)


def index_of(folder: Path) -> Path:
    """Return the file that lists the hearts of a cohort made here."""
    return folder / RECORDS


def _imported(folder: Path) -> list[dict[str, str]]:
    """Return the hearts that the index of an imported cohort lists."""
    import json

    try:
        hearts = json.loads((folder / "cohort.json").read_text(encoding="utf-8"))["hearts"]
        return [{"name": str(heart["name"]), "surface": Path(str(heart["surface"])).name} for heart in hearts]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InputError(
            f"a cohort must be a folder made by echo3d cohort generate or import, found none ({type(exc).__name__}); give another"
        ) from exc
