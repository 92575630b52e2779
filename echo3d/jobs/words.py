"""What is said of jobs to people, in the window and on the command line."""

from __future__ import annotations

from echo3d.jobs.spec import State

STATES: dict[State, str] = {
    State.QUEUED: "Waiting",
    State.RUNNING: "Running",
    State.CANCELLING: "Stopping",
    State.CANCELLED: "Cancelled",
    State.FAILED: "Failed",
    State.INTERRUPTED: "Stopped",
    State.DONE: "Done",
}


def duration(seconds: float) -> str:
    """Return a time to wait in words.

    >>> duration(42), duration(600), duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Return a number of bytes in words.

    >>> size(12_300), size(4_560_000), size(78_900_000_000)
    ('12 kB', '4.6 MB', '79 GB')
    """
    number, unit = next((count / scale, unit) for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if count >= scale or unit == "kB")
    return f"{number:.1f} {unit}" if number < 10 and unit != "kB" else f"{number:.0f} {unit}"
