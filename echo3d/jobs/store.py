"""A job as a folder: spec.json, events.jsonl, log.txt, cancel, checkpoints/, result/.

Nothing else is kept of a job, and nothing twice. Lines of events.jsonl are appended and flushed; a line torn by a crash or a full disk is
passed over.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from echo3d.errors import InputError
from echo3d.jobs.spec import JobEvent, JobSpec, event_from_line, event_to_line, spec_from_json, spec_to_json

SPEC, EVENTS, LOG, CANCEL, LOCK, SPARE = "spec.json", "events.jsonl", "log.txt", "cancel", "lock", "spare"
CHECKPOINTS, RESULT = "checkpoints", "result"
ANSWER = "answer.json"

SPARE_BYTES = 16_384
"""Room that is kept while a job runs, so that it can still say why it ended on a full disk."""

_TAIL_BYTES = 65_536


def make_job(jobs: Path, spec: JobSpec, *, queued: bool = False) -> Path:
    """Make the folder of a new job below ``jobs`` and return it; it appears whole, in the queue where ``queued``, or not at all.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    name = f"{spec.kind}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    part = jobs / f".{name}"
    try:
        for folder in (CHECKPOINTS, RESULT):
            (part / folder).mkdir(parents=True)
        (part / SPEC).write_text(json.dumps(spec_to_json(spec), indent=1) + "\n", encoding="utf-8")
        if queued:
            append(part, "queued")
        part.rename(jobs / name)
    except OSError as exc:
        shutil.rmtree(part, ignore_errors=True)
        raise InputError(f"the folder of jobs must be writable, found {_why(exc)}; choose another with --jobs-dir") from exc
    return jobs / name


def read_spec(folder: Path) -> JobSpec:
    """Return the spec of a job's folder.

    Raises
    ------
    InputError
        If there is none or it is damaged.
    """
    try:
        values = json.loads((folder / SPEC).read_bytes())
    except (OSError, ValueError) as exc:
        raise InputError(f"a job must be a folder with spec.json, found none ({type(exc).__name__}); see echo3d jobs list") from exc
    return spec_from_json(values)


def append(folder: Path, kind: str, **values: Any) -> None:
    """Append one event, flushed; a line torn before is closed first, so that the new one stands alone.

    Raises
    ------
    OSError
        If the disk is full or the folder has gone.
    """
    line = event_to_line(JobEvent(kind, time.time(), values)).encode()
    with (folder / EVENTS).open("ab+", buffering=0) as stream:
        line = line if _ends_whole(stream) else b"\n" + line
        if stream.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _ends_whole(stream: Any) -> bool:
    """Return whether a binary file is empty or ends with a whole line."""
    if stream.seek(0, os.SEEK_END) == 0:
        return True
    stream.seek(-1, os.SEEK_END)
    return bool(stream.read(1) == b"\n")


def read_events(folder: Path, offset: int = 0) -> tuple[list[JobEvent], int]:
    """Return the events behind ``offset`` bytes, and the offset behind the last whole line; torn lines are passed over."""
    try:
        with (folder / EVENTS).open("rb") as stream:
            stream.seek(offset)
            data = stream.read()
    except OSError:
        return [], offset
    whole = data.rfind(b"\n") + 1
    found = [event_from_line(line) for line in data[:whole].splitlines()]
    return [event for event in found if event is not None], offset + whole


def log_tail(folder: Path, lines: int = 10) -> list[str]:
    """Return the last lines of a job's log."""
    try:
        with (folder / LOG).open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return stream.read().decode("utf-8", errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def cancel_asked(folder: Path) -> bool:
    """Return whether the job is asked to stop."""
    return (folder / CANCEL).exists()


def ask_cancel(folder: Path) -> None:
    """Ask the job to stop at its next step; returns at once.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    try:
        (folder / CANCEL).touch()
    except OSError as exc:
        raise InputError(f"a job's folder must be writable to cancel it, found {_why(exc)}; end its process by hand") from exc


def clear_cancel(folder: Path) -> None:
    """Take back the wish to stop."""
    (folder / CANCEL).unlink(missing_ok=True)


def write_answer(folder: Path, answer: dict[str, Any]) -> None:
    """Write what the job answers into result/, whole or not at all."""
    part = folder / RESULT / f".{ANSWER}"
    part.write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    part.replace(folder / RESULT / ANSWER)


def read_answer(folder: Path) -> dict[str, Any] | None:
    """Return what the job answered, None where it has not."""
    try:
        values = json.loads((folder / RESULT / ANSWER).read_bytes())
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def keep_spare(folder: Path) -> None:
    """Take some room on the disk, to be given back by :func:`free_spare`; without room there is nothing to keep."""
    with contextlib.suppress(OSError):
        (folder / SPARE).write_bytes(os.urandom(SPARE_BYTES))


def free_spare(folder: Path) -> None:
    """Give the room back."""
    with contextlib.suppress(OSError):
        (folder / SPARE).unlink(missing_ok=True)


def _why(exc: OSError) -> str:
    """Return the system's reason without any path."""
    return (exc.strerror or type(exc).__name__).lower()
