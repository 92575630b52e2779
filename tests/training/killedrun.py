"""Train in processes that are killed: python -m tests.training.killedrun KIND CONFIG OUT FILE...

A process is killed as soon as each file is there, a pattern within the run's folder, and has the words that may follow a colon; the last
goes on to the end. The processes are forked
from this one, which has torch loaded and has computed nothing. Prints how many were killed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from echo3d.trainings import begun, read_settings, train
from training import accurate  # noqa: F401, loads what the processes share


def started(kind: str, config: Path, out: Path) -> int:
    """Start a process that trains, or goes on with it; return its number."""
    if pid := os.fork():
        return pid
    resume = (out / "config.json").is_file()
    train(kind, begun(kind, out) if resume else read_settings(kind, config), out, resume=resume)
    os._exit(0)


def there(out: Path, point: str) -> bool:
    """Return whether a file is there, and has the words."""
    pattern, _, words = point.partition(":")
    return any(not words or words in path.read_text() for path in out.glob(pattern))


def main() -> None:
    kind, config, out, killed = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), 0
    for point in sys.argv[4:]:
        pid = started(kind, config, out)
        while not there(out, point):
            if os.waitpid(pid, os.WNOHANG)[0]:
                raise SystemExit(f"the run ended before {point} was there")
            time.sleep(0.002)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        killed += 1
    if os.waitstatus_to_exitcode(os.waitpid(started(kind, config, out), 0)[1]):
        raise SystemExit("the run failed")
    sys.stdout.write(f"{killed}\n")


if __name__ == "__main__":
    main()
