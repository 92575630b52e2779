"""The small file that says what the parts of a foreign mesh are."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from echo3d.core.foreign import ROLE_HELP, role_named
from echo3d.errors import InputError

_LARGEST = 100_000


def read_mapping(path: Path) -> dict[str, int]:
    """Read a JSON object or a TOML table from part to structure: ``{"3": "LV_CAVITY", "*septum*": 1}``.

    Parameters
    ----------
    path : .json or .toml file; keys are tag numbers or part names, in which * and ? stand for anything; values are structures by name or
        number, VENTRICLES, PAPILLARY, or NONE

    Raises
    ------
    InputError
        If the file cannot be read or a value names no structure.
    """
    try:
        content = json_or_toml(path)
    except (OSError, ValueError) as exc:
        raise InputError(
            f"a mapping must be a JSON or TOML file, found none ({type(exc).__name__}); write one such as part = name"
        ) from exc
    if not isinstance(content, dict) or not content:
        raise InputError('a mapping must name at least one part, found none; write one such as {"3": "LV_CAVITY"}')
    return {str(key): _role(str(key), value) for key, value in content.items()}


def json_or_toml(path: Path) -> Any:
    """Return what a small file holds.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or is neither JSON nor, by its name, TOML.
    """
    text = path.read_bytes()[:_LARGEST].decode("utf-8")
    return tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)


def _role(key: str, value: object) -> int:
    """Return the number of a structure or role."""
    role = role_named(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if role is None:
        raise InputError(f"a mapping must give {ROLE_HELP}, found {str(value)[:60]!r} for {key[:60]!r}; correct it")
    return role
