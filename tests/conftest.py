"""Shared fixtures: nothing outside ``tmp_path``, no network, no GPU; GL tests only with a display."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ["QT_API"] = "pyside6"
os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared"


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, cache and logs of every test lie in a folder of its own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("ECHO3D_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("the shared data folder is not beside the repository")
    return SHARED.resolve()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests that draw with OpenGL where there is no display."""
    if os.environ.get("DISPLAY"):
        return
    reason = pytest.mark.skip(reason="needs a display with OpenGL; make test starts Xvfb")
    for item in items:
        if item.get_closest_marker("gl"):
            item.add_marker(reason)


def pytest_configure(config: pytest.Config) -> None:
    """Without a display Qt widgets that draw no OpenGL still work in memory."""
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
