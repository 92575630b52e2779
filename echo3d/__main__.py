"""The one entry: ``echo3d`` opens the window, ``echo3d worker`` is the inference process, everything else is the command line.

``echo3d SESSION.echo3d`` and ``echo3d gui FILES`` open the window on a session or a study. In the package the window's executable holds no
torch and hands all other words to ``echo3d-worker`` beside it, which holds no Qt.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main() -> int:
    """Run what the arguments ask for and return the exit code; nothing heavy is imported before the choice."""
    words = sys.argv[1:]
    if words[:1] == ["worker"]:
        return _serve(words)
    if opens_window(words):
        return _show(words[1:] if words[:1] == ["gui"] else words)
    return _command(words)


def opens_window(words: Sequence[str]) -> bool:
    """Whether the words are for the window.

    >>> opens_window([]), opens_window(["gui", "a.dcm"]), opens_window(["Monday.echo3d"]), opens_window(["doctor"])
    (True, True, True, False)
    """
    return not words or words[0] == "gui" or words[0].lower().endswith(".echo3d")


def _serve(words: list[str]) -> int:
    from echo3d.frozen import hand_over, is_window

    if is_window():
        return hand_over(words)
    from echo3d.engine.server import main as serve

    return serve()


def _show(words: list[str]) -> int:
    from echo3d.frozen import hand_over, is_worker

    if is_worker():
        return hand_over(["gui", *words])
    from echo3d.gui.app import main as show

    return show(words)


def _command(words: list[str]) -> int:
    from echo3d.frozen import hand_over, is_window

    if is_window():
        return hand_over(words)
    from echo3d.cli import main as run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
