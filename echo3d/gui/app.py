"""Starting the window: environment, surface format, theme, what happens to unexpected errors."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from pathlib import Path
from types import TracebackType

os.environ["QT_API"] = "pyside6"

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from echo3d.gui.graphics import install_surface_format
from echo3d.gui.theme import apply_theme
from echo3d.logs import log_failure, places
from echo3d.paths import user_logs

_SWITCH_S = 0.0005
"""How long a busy thread may keep the interpreter from the Qt thread; the default of 5 ms is felt as stutter."""


def main(argv: list[str] | None = None) -> int:
    """Open the window, on the given study or the embedded one; return the exit code."""
    paths = [Path(name) for name in (sys.argv[1:] if argv is None else argv)]
    sys.setswitchinterval(_SWITCH_S)
    app = application()
    log_unexpected()
    from echo3d.gui.window import MainWindow

    window = MainWindow()
    window.show()
    window.flow.warm()
    QTimer.singleShot(0, lambda: window.open_paths(paths) if paths else window.open_demo())
    return app.exec()


def application() -> QApplication:
    """Return the Qt application, made with the surface format and the theme where there is none."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    install_surface_format()
    app = QApplication(["echo3d"])
    app.setApplicationName("echo3d")
    app.setDesktopFileName("echo3d")
    apply_theme(app)
    return app


def log_unexpected() -> None:
    """Write unexpected errors to the log, by kind and place; their messages may name files and stay out."""
    faulthandler.enable((user_logs() / "crash.log").open("a", encoding="utf-8"))

    def write(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        log_failure(error)
        sys.stderr.write(places(error) + "\n")

    sys.excepthook = write
    threading.excepthook = lambda args: log_failure(args.exc_value) if args.exc_value is not None else None


if __name__ == "__main__":
    sys.exit(main())
