"""What the user chose, kept between sessions as one JSON file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from echo3d.core.modelcard import USUAL_MODEL
from echo3d.paths import user_config

RECENT_KEPT = 10


class Settings(BaseModel):
    """The user's choices; unknown fields of newer versions are ignored."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = Field(1, description="Version of this file's layout.")
    recent: tuple[str, ...] = Field((), description="Studies opened last, newest first; they never leave this file.")
    recent_sessions: tuple[str, ...] = Field((), description="Sessions opened or saved last, newest first; they never leave this file.")
    overlay_opacity: float = Field(0.35, ge=0, le=1, description="How strongly the labels cover the echo picture.")
    show_outlines: bool = Field(True, description="Whether the outlines of the structures are drawn.")
    show_fill: bool = Field(True, description="Whether the structures are filled.")
    cutaway: bool = Field(True, description="Whether the front of the heart is cut away.")
    theme: Literal["dark", "light", "system"] = Field("dark", description="Colours of the window: dark, light, or as the system has it.")
    device: str = Field("auto", description="Where networks run: auto, cpu, cuda or cuda:n.")
    model: str = Field(USUAL_MODEL, description="Name of the weights.")


def settings_file() -> Path:
    """Return the path of the settings file."""
    return user_config() / "settings.json"


def load_settings() -> Settings:
    """Return the stored settings; the defaults where there are none or the file is damaged."""
    try:
        return Settings.model_validate_json(settings_file().read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError):
        return Settings()


def save_settings(settings: Settings) -> None:
    """Write the settings whole or not at all."""
    target = settings_file()
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(settings.model_dump_json(indent=2))
    Path(name).replace(target)


def with_recent(settings: Settings, path: str) -> Settings:
    """Return the settings with ``path`` as the newest of the recent studies.

    >>> with_recent(Settings(recent=("a", "b")), "b").recent
    ('b', 'a')
    """
    return settings.model_copy(update={"recent": _newest(settings.recent, path)})


def with_recent_session(settings: Settings, path: str) -> Settings:
    """Return the settings with ``path`` as the newest of the recent sessions."""
    return settings.model_copy(update={"recent_sessions": _newest(settings.recent_sessions, path)})


def _newest(recent: tuple[str, ...], path: str) -> tuple[str, ...]:
    return (path, *(old for old in recent if old != path))[:RECENT_KEPT]
