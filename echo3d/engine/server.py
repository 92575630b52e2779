"""The inference process: keeps the network warm and answers the window's requests over its pipes.

``echo3d worker`` (frozen: ``echo3d-worker``) runs :func:`main`. torch is imported with the first request that needs it.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from echo3d.core.modelcard import USUAL_MODEL
from echo3d.core.result import StudyResult
from echo3d.core.views import View
from echo3d.engine.codec import encode_result
from echo3d.engine.protocol import Message, read_message, write_message
from echo3d.errors import Echo3dError, EngineError, InputError
from echo3d.io.cards import weights_path
from echo3d.logs import log_failure

_GRACE_S = 0.3
"""An idle process ends by itself at once; a busy one is not waited for longer than this."""

Answer = Callable[["Worker", Message], Message]


@dataclass(slots=True)
class Worker:
    """What the process keeps between requests.

    Parameters
    ----------
    out : where replies are written
    models : warm networks by name, device and time of the file
    last : the newest result, for export
    writing : held while files are written
    """

    out: BinaryIO
    models: dict[tuple[str, str, int], Any] = field(default_factory=dict)
    last: StudyResult | None = None
    writing: threading.Lock = field(default_factory=threading.Lock)


def main() -> int:
    """Answer requests from standard input until it closes; return the exit code."""
    worker = Worker(_own_stdout())
    requests: queue.Queue[Message | None] = queue.Queue()
    threading.Thread(target=_read_requests, args=(sys.stdin.buffer, requests, worker.writing), daemon=True).start()
    while (message := requests.get()) is not None:
        if message.kind == "shutdown":
            return 0
        _answer(worker, message)
    return 0


def _own_stdout() -> BinaryIO:
    """Keep the reply pipe for ourselves; whatever a library prints goes to standard error."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return out


def _read_requests(stream: BinaryIO, requests: queue.Queue[Message | None], writing: threading.Lock) -> None:
    """Hand on requests; when the window is gone, end, even in the middle of a computation, but not of an export."""
    try:
        while (message := read_message(stream)) is not None:
            requests.put(message)
            if message.kind == "shutdown":
                time.sleep(_GRACE_S)
                break
    except (EngineError, OSError):
        pass
    with writing:
        os._exit(0)


def _answer(worker: Worker, message: Message) -> None:
    """Answer one request; an error becomes a reply, never the end of the process."""
    try:
        answer = ANSWERS.get(message.kind)
        if answer is None:
            raise InputError(
                f"the inference process knows {', '.join(ANSWERS)}, asked was {message.kind}; window and worker must be of one version"
            )
        reply = answer(worker, message)
    except Echo3dError as exc:
        reply = Message("failed", message.ticket, {"sentence": str(exc), "kind": type(exc).__name__})
    except Exception as exc:  # the border of the process; logged without the message, which may name files
        log_failure(exc)
        sentence = f"the computation failed inside ({type(exc).__name__}); the log of the inference process says where, please report it"
        reply = Message("failed", message.ticket, {"sentence": sentence, "kind": "EngineError"})
    write_message(worker.out, reply)


def _ping(worker: Worker, message: Message) -> Message:
    """Say which process answers and whether torch is loaded."""
    return Message("done", message.ticket, {"pid": os.getpid(), "torch": "torch" in sys.modules, "models": len(worker.models)})


def _warm(worker: Worker, message: Message) -> Message:
    """Load the network, so that the first study does not wait for it."""
    _model(worker, message)
    return Message("done", message.ticket, {})


def _model(worker: Worker, message: Message) -> Any:
    """Return the warm network that the request names."""
    name, device = message.body.get("model", USUAL_MODEL), message.body.get("device", "auto")
    key = (name, device, weights_path(name).stat().st_mtime_ns)  # one's own may be replaced while we live
    if key not in worker.models:
        from echo3d.reconstruction.reconstruct import load_model

        worker.models[key] = load_model(name, device)
    return worker.models[key]


def _reconstruct(worker: Worker, message: Message) -> Message:
    """Read the study at the given paths and answer with its result."""
    from echo3d.io.studies import load_study
    from echo3d.pipeline import reconstruct_study

    body = message.body
    report = _reporter(worker, message.ticket)
    report(0.0, "Reading the study")
    views = {View[key.upper()]: Path(path) for key, path in body.get("views", {}).items()}
    study = load_study([Path(path) for path in body["paths"]], views=views, ed=_frames(body, "ed"), es=_frames(body, "es"))
    report(0.05, "Waking the network")
    worker.last = reconstruct_study(study, _model(worker, message), report)
    return encode_result(worker.last, study, message.ticket)


def _frames(body: dict[str, Any], phase: str) -> dict[View, int]:
    """Return the frames the user chose for a phase."""
    return {View[key.upper()]: int(frame) for key, frame in body.get(phase, {}).items()}


def _reporter(worker: Worker, ticket: int) -> Callable[[float, str], None]:
    """Return a progress callable that writes at most twenty messages per second."""
    last = (0.0, "")

    def report(share: float, sentence: str) -> None:
        nonlocal last
        now = time.monotonic()
        if sentence != last[1] or now - last[0] > 0.05:
            last = (now, sentence)
            write_message(worker.out, Message("progress", ticket, {"share": float(share), "message": sentence}))

    return report


def _export(worker: Worker, message: Message) -> Message:
    """Write the newest result into a folder."""
    if worker.last is None:
        raise InputError("only a finished result can be exported and there is none; reconstruct the study again")
    from echo3d.pipeline import write_result

    with worker.writing:
        write_result(worker.last, Path(message.body["out"]))
    return Message("done", message.ticket, {})


def _style(worker: Worker, message: Message) -> Message:
    """Translate pseudo images; each comes with its mask and the side of its pixels."""
    from echo3d.style.transfer import echo_styled, load_generator

    generator, arrays = load_generator(message.body.get("style", "cyclegan")), message.arrays
    made = {}
    for number, pixel_mm in enumerate(message.body["pixel_mm"]):
        pseudo, inside = arrays[f"pseudo.{number}"], arrays[f"inside.{number}"]
        made[f"styled.{number}"] = echo_styled(pseudo[None], inside[None], generator, pixel_mm=float(pixel_mm))[0]
    return Message("done", message.ticket, {}, made)


ANSWERS: dict[str, Answer] = {"ping": _ping, "warm": _warm, "reconstruct": _reconstruct, "export": _export, "style": _style}


if __name__ == "__main__":
    sys.exit(main())
