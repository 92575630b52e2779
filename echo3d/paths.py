"""Where echo3d finds its resources and keeps what belongs to the user."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import platformdirs

from echo3d.errors import InputError


def resource(name: str) -> Path:
    """Return the path of a shipped resource, from the installed package or from the source tree.

    Raises
    ------
    InputError
        If the resource is not there.

    >>> resource("").is_dir()
    True
    """
    package = Path(__file__).resolve().parent
    for root in (package / "resources", package.parent / "resources"):
        if (root / name).exists():
            return root / name
    raise InputError(f"the resource {name} must be part of the installation and is missing; install echo3d again")


def user_config() -> Path:
    """Return the folder of the user's settings; made if needed."""
    return _own("config", lambda: platformdirs.user_config_path("echo3d", appauthor=False))


def user_cache() -> Path:
    """Return the folder of files that can be computed again; made if needed."""
    return _own("cache", lambda: platformdirs.user_cache_path("echo3d", appauthor=False))


def user_documents() -> Path:
    """Return the folder that results are proposed to lie in; not made, because the user may choose another."""
    home = os.environ.get("ECHO3D_HOME")
    return Path(home) / "documents" if home else platformdirs.user_documents_path() / "echo3d"


def user_logs() -> Path:
    """Return the folder of log files; made if needed."""
    return _own("logs", lambda: platformdirs.user_log_path("echo3d", appauthor=False))


def user_state() -> Path:
    """Return the folder of what belongs to this machine's running windows, such as autosaved sessions; made if needed."""
    return _own("state", lambda: platformdirs.user_state_path("echo3d", appauthor=False))


def user_jobs() -> Path:
    """Return the folder of background jobs, ``$ECHO3D_JOBS_DIR`` where that is set; made if needed."""
    named = os.environ.get("ECHO3D_JOBS_DIR")
    if not named:
        return _own("jobs", lambda: platformdirs.user_data_path("echo3d", appauthor=False) / "jobs")
    folder = Path(named)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def user_models() -> Path:
    """Return the folder of the networks that the user trained or added; made if needed."""
    return _own("models", lambda: platformdirs.user_data_path("echo3d", appauthor=False) / "models")


def _own(kind: str, find: Callable[[], Path]) -> Path:
    """Return ``$ECHO3D_HOME/kind`` where that variable is set, the platform's own folder otherwise."""
    home = os.environ.get("ECHO3D_HOME")
    folder = Path(home) / kind if home else find()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
