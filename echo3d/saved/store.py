"""Session files on disk: one JSON object, written whole or not at all, and read without trust."""

from __future__ import annotations

import contextlib
import json
import math
import os
import uuid
from pathlib import Path
from typing import Any

from echo3d import __version__
from echo3d.errors import InputError
from echo3d.saved.content import Content, content_from_json, content_json

SUFFIX = ".echo3d"
KIND = "echo3d session"
SCHEMA = 1
"""Version of the file; raised when a key changes its meaning or goes."""

_NOTICE = "Research use only, not for clinical diagnosis."
_LARGEST, _LARGEST_NUMBER = 4_000_000, 1e15
_WAY = "open another, or start a new session"


def session_text(content: Content, **more: Any) -> str:
    """Return a session as the text of its file; ``more`` are further keys."""
    head = {"kind": KIND, "schema": SCHEMA, "echo3d": __version__, "notice": _NOTICE}
    return json.dumps(head | more | content_json(content), indent=1, allow_nan=False) + "\n"


def write_session(path: Path, content: Content) -> None:
    """Write a session's file; an older one is replaced once the new one is whole.

    Raises
    ------
    InputError
        If the file cannot be written; the older one is left as it was.
    """
    write_text(path, session_text(content))


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write a text whole or not at all, also when the power fails; ``private`` lets this user alone read it.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    target = path.resolve()
    part = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.part"
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as exc:
        raise InputError(f"a session's file must be writable, found {(exc.strerror or 'an error').lower()}; choose another place") from exc
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def read_session(path: Path) -> tuple[Content, tuple[str, ...]]:
    """Return what a session's file says, and a sentence for each section that is damaged.

    Raises
    ------
    InputError
        If the file is no session, is damaged as a whole, or was written by a newer echo3d.
    """
    return content_from_json(read_values(path))


def read_values(path: Path) -> dict[str, Any]:
    """Return the plain JSON values of a session's file.

    Raises
    ------
    InputError
        As :func:`read_session`.
    """
    values = _parsed(_text(path))
    if not isinstance(values, dict) or values.get("kind") != KIND:
        raise InputError(f"a session must be a file saved by echo3d, found JSON of another kind; {_WAY}")
    schema = values.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise InputError(f"a session must say the version of its layout, found none; {_WAY}")
    if schema > SCHEMA:
        raise InputError(f"this echo3d reads sessions of layout {SCHEMA}, found layout {schema} of a newer one; update echo3d")
    return values


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise InputError(f"a session must be a file, found none of that name; {_WAY}")
        size = path.stat().st_size
        if not 0 < size <= _LARGEST:
            raise InputError(f"a session holds 1 to {_LARGEST} bytes, found {size}; {_WAY}")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise InputError(f"a session must be text in UTF-8, found other bytes; {_WAY}") from exc
    except OSError as exc:
        raise InputError(f"a session's file must be readable, found {(exc.strerror or 'an error').lower()}; {_WAY}") from exc


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_float=_number, parse_int=_whole, parse_constant=_number)
    except _HugeError as exc:
        raise InputError(f"numbers of a session must be finite and below {_LARGEST_NUMBER:.0e}, found another; {_WAY}") from exc
    except (ValueError, RecursionError) as exc:
        raise InputError(f"a session must be whole JSON, found damaged text; {_WAY}, the file is left as it is") from exc


class _HugeError(Exception):
    """A number that nothing of ours can be."""


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or abs(value) > _LARGEST_NUMBER:
        raise _HugeError
    return value


def _whole(text: str) -> int:
    if len(text) > 16:
        raise _HugeError
    return int(text)
