"""The hearts and bodies opened last: what they are made from in the user's settings, their pictures in the user's cache."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from echo3d.anatomy.groups import GROUPS
from echo3d.paths import user_cache, user_config
from echo3d.positioning.bodies import SEX_TITLES, WorkBody
from echo3d.positioning.hearts import WorkHeart
from echo3d.positioning.thumbnails import body_thumbnail, heart_thumbnail

KEPT = 12
_WAYS = ("file", "cohort", "drawn", "own")


@dataclass(frozen=True, slots=True)
class Recent:
    """What a heart or a body was made from.

    Parameters
    ----------
    kind : "heart" or "body"
    way : "file", "cohort" (a folder and a number), "drawn" (a group and a number) or "own" (sex, height, weight)
    title : shown to the user
    path : of the file or folder; it never leaves the user's settings
    group, number : of a drawn heart, number of a cohort's
    sex, height_cm, weight_kg : of one of our own bodies
    """

    kind: str
    way: str
    title: str = ""
    path: str = ""
    group: str = ""
    number: int = 0
    sex: str = ""
    height_cm: float = 0.0
    weight_kg: float = 0.0

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it another than the others: everything but the title."""
        return tuple(value for name, value in asdict(self).items() if name != "title")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A recent heart or body as it is shown: whether what it is made from is there, and the file of its picture."""

    recent: Recent
    there: bool
    picture: Path | None


def load_recents() -> tuple[Recent, ...]:
    """Return those opened last, newest first; none where the file is missing or damaged."""
    try:
        values = json.loads(_file().read_text(encoding="utf-8"))["recent"]
        found = [_from_json(value) for value in values]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(one for one in found if one is not None)[:KEPT]


def _from_json(values: Any) -> Recent | None:
    """Return the entry of plain JSON values, None where they are something else, which a hand or another version may have written."""
    kinds = {field.name: type(field.default) if isinstance(field.default, (str, int, float)) else str for field in fields(Recent)}
    if not isinstance(values, dict) or not {"kind", "way"} <= set(values) <= set(kinds):
        return None
    if any(
        isinstance(value, bool) or not isinstance(value, (int, float) if kinds[name] is float else kinds[name])
        for name, value in values.items()
    ):
        return None
    made = Recent(**values)
    known = made.kind in ("heart", "body") and made.way in _WAYS and (made.way != "drawn" or made.group in GROUPS)
    sound = (made.way != "own" or made.sex in SEX_TITLES) and all(math.isfinite(size) for size in (made.height_cm, made.weight_kg))
    return made if known and sound else None


def with_newest(recents: Sequence[Recent], newest: Recent) -> tuple[Recent, ...]:
    """Return the list with one more in front.

    >>> a, b = Recent("heart", "file", path="a"), Recent("heart", "file", path="b")
    >>> [one.path for one in with_newest((a, b), b)]
    ['b', 'a']
    """
    return (newest, *(one for one in recents if one.key != newest.key))[:KEPT]


def remember(newest: Recent, shown: WorkHeart | WorkBody) -> tuple[Entry, ...]:
    """Keep what was just opened, with a picture of it, and return all that is shown; belongs on a thread.

    A disk that cannot be written costs the list, not the heart.
    """
    from echo3d.io.images import write_png

    kept = with_newest(load_recents(), newest)
    with contextlib.suppress(OSError):
        _write(kept)
        picture = heart_thumbnail(shown) if isinstance(shown, WorkHeart) else body_thumbnail(shown)
        picture_file(newest).parent.mkdir(parents=True, exist_ok=True)
        write_png(picture_file(newest), picture)
    return entries()


def forget_all() -> tuple[Entry, ...]:
    """Empty the list and delete its pictures."""
    with contextlib.suppress(OSError):
        for file in (user_cache() / "thumbnails").glob("*.png"):
            file.unlink(missing_ok=True)
        _write(())
    return entries()


def entries() -> tuple[Entry, ...]:
    """Return all that is shown; looks for each file, so it belongs on a thread."""
    return tuple(Entry(one, not one.path or Path(one.path).exists(), _picture(one)) for one in load_recents())


def _picture(recent: Recent) -> Path | None:
    file = picture_file(recent)
    return file if file.is_file() else None


def picture_file(recent: Recent) -> Path:
    """Return where the picture of an entry lies."""
    name = hashlib.sha256(json.dumps(recent.key).encode()).hexdigest()[:24]
    return user_cache() / "thumbnails" / f"{name}.png"


def _write(recents: Sequence[Recent]) -> None:
    """Write the list whole or not at all."""
    part = _file().with_suffix(".part")
    part.write_text(json.dumps({"schema": 1, "recent": [asdict(one) for one in recents]}, indent=1) + "\n", encoding="utf-8")
    part.replace(_file())


def _file() -> Path:
    return user_config() / "recent-sources.json"
