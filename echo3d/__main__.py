"""The one entry: ``echo3d`` opens the window, ``echo3d worker`` is the inference process, everything else is the command line."""

from __future__ import annotations

import sys


def main() -> int:
    """Run what the arguments ask for and return the exit code; nothing heavy is imported before the choice."""
    words = sys.argv[1:]
    if words[:1] == ["worker"]:
        from echo3d.engine.server import main as serve

        return serve()
    if not words:
        from echo3d.gui.app import main as show

        return show()
    from echo3d.cli import main as run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
