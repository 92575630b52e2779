"""The folder of a data set: what lies in it, whether a place will do for one, and how one is deleted. Light enough for a window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from echo3d.errors import InputError
from echo3d.jobs.lock import held

PLAN, MANIFEST, HEARTS, LOCK = "plan.json", "manifest.json", "hearts", ".lock"
KIND = "echo3d data set"
"""What plan.json says that it is the plan of."""


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object of a JSON file, None where there is none."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def is_ours(out: Path) -> bool:
    """Return whether a folder holds a data set, complete or not."""
    return (read_json(out / PLAN) or {}).get("kind") == KIND


def check_folder(out: Path, *, force: bool) -> None:
    """Refuse a folder that holds something; with ``force`` only one that is not a data set.

    Raises
    ------
    InputError
        With what was found and the way out.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError("the output must be a folder, found a file of that name; choose another name")
    found = len([path for path in out.iterdir() if path.name != LOCK]) if out.exists() else 0
    ours = is_ours(out)
    if found and not (ours and force):
        what = "another data set, or one of another version" if ours else f"{found} entries"
        way = "choose another folder, or replace it with --force" if ours else "choose another folder"
        raise InputError(f"the output folder must be new, empty, or hold this data set unfinished, found {what}; {way}")


def delete_set(out: Path) -> None:
    """Delete a data set: the files that belong to one and then the folder, which stays if anything else lies in it.

    Raises
    ------
    InputError
        If the folder holds no data set or may not be written.
    """
    if not is_ours(out):
        raise InputError("a folder must hold a data set to be deleted as one, found no plan.json of ours in it; delete it by hand")
    try:
        with held(out / LOCK) as mine:
            if not mine:
                raise InputError("a data set must be written by no process to be deleted, found one at work; cancel its job first")
        for file in [*(out / HEARTS).glob("*.npz"), *(out / HEARTS).glob(".*.part"), *(out / name for name in (MANIFEST, LOCK, PLAN))]:
            file.unlink(missing_ok=True)
        for folder in (out / HEARTS, out):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    except OSError as exc:
        reason = (exc.strerror or type(exc).__name__).lower()
        raise InputError(f"a data set must be writable to delete it, found {reason}; delete its folder by hand") from exc
