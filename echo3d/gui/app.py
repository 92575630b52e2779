"""Starting the window: environment, surface format, theme, what happens to unexpected errors."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import platform
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

os.environ["QT_API"] = "pyside6"

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from echo3d import __version__
from echo3d.gui.graphics import Graphics, install_surface_format
from echo3d.gui.theme import apply_theme
from echo3d.logs import Word, log_failure, places, start_log
from echo3d.paths import user_logs
from echo3d.saved.store import SUFFIX
from echo3d.settings import load_settings

if TYPE_CHECKING:
    from echo3d.gui.window import MainWindow

_SWITCH_S = 0.0005
"""How long a busy thread may keep the interpreter from the Qt thread; the default of 5 ms is felt as stutter."""


def main(argv: list[str] | None = None) -> int:
    """Open the window, on the given session or study or the embedded patient; return the exit code."""
    words = sys.argv[1:] if argv is None else argv
    tried = Path(words[1]) if words[:1] == ["--trial"] and len(words) == 2 else None
    paths = [] if tried is not None else [Path(name) for name in words]
    start_log()
    app = application()
    log_unexpected()
    from echo3d.gui.window import MainWindow

    window = MainWindow()
    smooth_interpreter()
    window.show()
    _log_start(window.page.heart.heart.canvas.graphics)
    window.flow.warm()
    window.desk.offer_recovery()
    if tried is not None:
        from echo3d.gui.trial import Trial

        Trial(window, tried)
    QTimer.singleShot(0, lambda: open_first(window, paths))
    return app.exec()


def smooth_interpreter() -> None:
    """Keep Python's threads and its garbage collector from holding the Qt thread; to be called when the window is made.

    A full collection looks through the 300 000 objects of libraries, none of which ever goes, and takes 0.1 s; frozen ones are left alone.
    """
    sys.setswitchinterval(_SWITCH_S)
    gc.freeze()


def open_first(window: MainWindow, paths: list[Path]) -> None:
    """Open what the window was started with: a session, a study, or the embedded patient."""
    if paths and paths[0].suffix.lower() == SUFFIX:
        window.desk.open_path(paths[0])
    elif paths:
        window.open_paths(paths)
    else:
        window.open_demo()


def application() -> QApplication:
    """Return the Qt application, made with the surface format and the theme where there is none."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    install_surface_format()
    app = QApplication(["echo3d"])
    app.setApplicationName("echo3d")
    app.setDesktopFileName("echo3d")
    apply_theme(app, load_settings().theme)
    return app


def log_unexpected() -> None:
    """Write unexpected errors to the log, by kind and place; their messages may name files and stay out."""
    faulthandler.enable((user_logs() / "crash.log").open("a", encoding="utf-8"))

    def write(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        log_failure(error)
        sys.stderr.write(places(error) + "\n")

    sys.excepthook = write
    qInstallMessageHandler(_qt_said)
    threading.excepthook = lambda args: log_failure(args.exc_value) if args.exc_value is not None else None


def _qt_said(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """Pass a message of Qt to the screen as before; the log keeps where it came from."""
    sys.stderr.write(message + "\n")
    level = {QtMsgType.QtWarningMsg: logging.WARNING, QtMsgType.QtCriticalMsg: logging.ERROR}.get(kind, logging.DEBUG)
    logging.getLogger(f"qt.{context.category or 'default'}").log(level, message)


def _log_start(graphics: Graphics) -> None:
    logging.getLogger(__name__).info(
        "echo3d %s started on %s, OpenGL by %s", Word(__version__), Word(platform.system()), Word(graphics.renderer)
    )


if __name__ == "__main__":
    sys.exit(main())
