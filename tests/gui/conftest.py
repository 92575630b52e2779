"""The real window under a real display; each test leaves no thread, timer or process behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from echo3d.engine.client import EngineClient
from echo3d.gui.app import application
from echo3d.paths import resource


@pytest.fixture(scope="session")
def qapp():
    """The application as the program makes it: surface format before the first window."""
    return application()


@pytest.fixture
def window(qtbot, tmp_path) -> Iterator[object]:
    """The main window without a study."""
    from echo3d.gui.window import MainWindow

    before = set(threading.enumerate())
    made = MainWindow(EngineClient(log=tmp_path / "engine.log"))
    made.resize(1400, 900)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.desk.ask_then = lambda go_on: go_on()  # nobody is there to answer whether to save
    made.close()
    qtbot.waitUntil(lambda: made.engine.pid is None and not made.isVisible(), timeout=20_000)
    assert made.engine.pid is None
    assert not made._timer.isActive()
    left = [thread.name for thread in set(threading.enumerate()) - before if thread.is_alive() and not thread.name.startswith("QThread")]
    assert left == []
    made.deleteLater()


@pytest.fixture
def shown_truth(window, qtbot) -> Callable[[], object]:
    """The window with the embedded patient and its true result, computed by no network."""
    from dataclasses import replace

    from echo3d.gui.study_flow import load
    from echo3d.session import computed, opening, read
    from tests.gui.truth import true_result

    window.dispatch(lambda session: opening(session, (resource("demo"),)))
    study = load(window.session)
    window.dispatch(lambda session: read(session, study))
    window.dispatch(lambda session: replace(computed(session, true_result(study)), playing=False))
    qtbot.waitUntil(lambda: window.page._hearts is not None and len(window.page._hearts._made) == len(window.page._hearts), timeout=60_000)
    qtbot.waitUntil(lambda: window.page.heart.heart._shown is not None, timeout=10_000)
    qtbot.waitUntil(lambda: all(window.page._frames.frame(view, 24) is not None for view in study.by_view()), timeout=30_000)
    return window
