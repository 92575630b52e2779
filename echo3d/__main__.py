"""The one entry: ``echo3d`` opens the window, ``echo3d worker`` is the inference process, everything else is the command line.

``echo3d SESSION.echo3d`` and ``echo3d gui FILES`` open the window on a session or a study.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run what the arguments ask for and return the exit code; nothing heavy is imported before the choice."""
    words = sys.argv[1:]
    if words[:1] == ["worker"]:
        from echo3d.engine.server import main as serve

        return serve()
    if not words or words[0] == "gui" or words[0].lower().endswith(".echo3d"):
        from echo3d.gui.app import main as show

        return show(words[1:] if words[:1] == ["gui"] else words)
    from echo3d.cli import main as run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
