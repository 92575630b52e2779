"""The schemas of all recipes, kept in the user's cache per version, so that torch is asked for them once; no Qt."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import echo3d
from echo3d.paths import user_cache


def stored_schemas() -> dict[str, Any] | None:
    """Return the schemas that were kept for this version, None where there are none."""
    try:
        values = json.loads(schemas_file().read_bytes())
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) and values else None


def keep_schemas(schemas: dict[str, Any]) -> None:
    """Keep the schemas for this version, and forget those of others."""
    target = schemas_file()
    for old in target.parent.glob("training-*.json"):
        if old != target:
            old.unlink(missing_ok=True)
    part = target.with_suffix(".part")
    part.write_text(json.dumps(schemas), encoding="utf-8")
    part.replace(target)


def schemas_file() -> Path:
    """Return where they are kept: by version and, where recipes lie as sources, by their newest change."""
    found = importlib.util.find_spec("training")
    folders = list(found.submodule_search_locations or []) if found is not None else []
    changed = [path.stat().st_mtime_ns for folder in folders for path in Path(folder).glob("*.py")]
    word = hashlib.sha256(f"{echo3d.__version__} {max(changed, default=0)}".encode()).hexdigest()[:12]
    return user_cache() / f"training-{word}.json"
