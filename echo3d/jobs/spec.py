"""The words of a job: what is asked, what happened, and how it stands."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from echo3d.errors import InputError
from echo3d.jobs.devices import devices_in

SCHEMA = 1


class State(StrEnum):
    """How a job stands; read off its folder and the process table, never stored."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    DONE = "done"

    @property
    def alive(self) -> bool:
        """Whether a process works on it."""
        return self in (State.RUNNING, State.CANCELLING)


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What a job is to do.

    Parameters
    ----------
    kind : a short word that its name begins with, such as "dataset"
    title : one line for people
    target : ``module:function`` to call with the job's :class:`echo3d.jobs.worker.Job`
    arguments : plain JSON values for it
    slot : the devices it needs for itself, such as "cpu" or "cuda:0+cuda:1"; empty where it may start at once

    Raises
    ------
    InputError
        If the kind is no plain word, the target is not ``module:function`` or the slot no devices.
    """

    kind: str
    title: str
    target: str
    arguments: dict[str, Any] = field(default_factory=dict)
    slot: str = ""

    def __post_init__(self) -> None:
        if not self.kind.isascii() or not self.kind.isalnum():
            raise InputError(f"the kind of a job must be one plain word, found {self.kind[:40]!r}; choose letters and digits")
        module, colon, function = self.target.partition(":")
        if not colon or not function.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
            raise InputError(f"the target of a job must look like module:function, found {self.target[:80]!r}; write it that way")
        devices_in(self.slot)


def spec_to_json(spec: JobSpec) -> dict[str, Any]:
    """Return a spec as plain JSON values."""
    words = {"schema": SCHEMA, "kind": spec.kind, "title": spec.title, "target": spec.target, "arguments": spec.arguments}
    return words | ({"slot": spec.slot} if spec.slot else {})


def spec_from_json(values: object) -> JobSpec:
    """Return the spec that :func:`spec_to_json` wrote.

    Raises
    ------
    InputError
        If it is something else.

    >>> spec = JobSpec("count", "Count to three", "tests.jobs.targets:count", {"steps": 3})
    >>> spec_from_json(spec_to_json(spec)) == spec
    True
    """
    rule = "a job's spec.json must hold kind, title, target and arguments"
    if not isinstance(values, dict) or values.get("schema") != SCHEMA or not isinstance(values.get("arguments"), dict):
        raise InputError(f"{rule} of schema {SCHEMA}, found something else; start the job again")
    words = {name: values.get(name) for name in ("kind", "title", "target")} | {"slot": values.get("slot", "")}
    if not all(isinstance(word, str) for word in words.values()):
        raise InputError(f"{rule} as text, found another type; start the job again")
    return JobSpec(str(words["kind"]), str(words["title"]), str(words["target"]), values["arguments"], str(words["slot"]))


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One line of events.jsonl.

    Parameters
    ----------
    kind : "queued", "launched", "started", "progress", "done", "failed" or "cancelled"
    time : seconds since 1970
    values : plain JSON values that belong to it
    """

    kind: str
    time: float
    values: dict[str, Any] = field(default_factory=dict)


def event_to_line(event: JobEvent) -> str:
    """Return an event as one line of JSON.

    >>> event_to_line(JobEvent("progress", 12.5, {"done": 3}))
    '{"event": "progress", "time": 12.5, "done": 3}\\n'
    """
    return json.dumps({"event": event.kind, "time": round(event.time, 3)} | event.values) + "\n"


def event_from_line(line: bytes) -> JobEvent | None:
    """Return the event of a line, None where the line is torn or something else.

    >>> event_from_line(b'{"event": "done", "time": 1}')
    JobEvent(kind='done', time=1.0, values={})
    >>> event_from_line(b'{"event": "prog') is None
    True
    """
    try:
        values = json.loads(line)
    except ValueError:
        return None
    if not isinstance(values, dict):
        return None
    kind, time = values.pop("event", None), values.pop("time", None)
    if not isinstance(kind, str) or not isinstance(time, int | float) or not math.isfinite(time):
        return None
    return JobEvent(kind, float(time), values)
