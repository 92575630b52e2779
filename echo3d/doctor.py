"""Whether this machine can do the work: graphics, processor, decoders, weights and resources."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from echo3d.core.modelcard import USUAL_MODEL
from echo3d.errors import Echo3dError, ModelError
from echo3d.frozen import environment, worker_command
from echo3d.paths import resource

_GL_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Check:
    """One look at the machine.

    Parameters
    ----------
    name : what was looked at
    state : "ok", "missing", or "absent" for something the work can do without
    found : what is there, or the way to get it
    """

    name: str
    state: str
    found: str


def examine() -> list[Check]:
    """Return all checks; none of them raises."""
    with _drawing() as drawing:
        checks: tuple[tuple[str, Callable[[], Check]], ...] = (
            ("Python", _python),
            ("Processor", _processor),
            ("GPU", _gpu),
            ("Decoders", _decoders),
            ("Template", _template),
            ("Weights", _weights),
            ("Demo patient", _demo),
            ("OpenGL", partial(_gl, drawing)),
        )
        return [_safely(name, check) for name, check in checks]


def _safely(name: str, check: Callable[[], Check]) -> Check:
    """Return the check's answer; whatever it stumbles over counts as missing."""
    try:
        return check()
    except Echo3dError as exc:
        return Check(name, "missing", str(exc))
    except Exception as exc:  # a broken installation may raise anything
        return Check(name, "missing", f"{type(exc).__name__}; install echo3d again")


def _python() -> Check:
    return Check("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _processor() -> Check:
    return Check("Processor", "ok", f"{os.cpu_count()} cores")


@contextlib.contextmanager
def _drawing() -> Iterator[subprocess.Popen[str]]:
    """Yield a process that draws a ball while we look at the rest; a missing driver can end the process that draws."""
    with subprocess.Popen(
        worker_command("draw"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(), text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _gl(drawing: subprocess.Popen[str]) -> Check:
    """Hear what the drawing process found."""
    try:
        said, _ = drawing.communicate(timeout=_GL_SECONDS)
    except subprocess.TimeoutExpired:
        return Check("OpenGL", "absent", "no answer; the window needs a display, reports do not")
    if drawing.returncode:
        return Check("OpenGL", "absent", "nothing could be drawn; the window needs a display with OpenGL, reports do not")
    return Check("OpenGL", "ok", (said.strip().splitlines() or ["drawn"])[-1])


def _gpu() -> Check:
    """Ask torch, but for a build of it that knows no GPU: loading it takes longer than everything else here."""
    if version("torch").endswith("+cpu"):
        return Check("GPU", "absent", f"none; networks run on the processor, torch {version('torch')}")
    import torch

    if torch.cuda.is_available():
        return Check("GPU", "ok", f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}")
    return Check("GPU", "absent", f"none; networks run on the processor, torch {torch.__version__}")


def _decoders() -> Check:
    """Ask the libraries what they can decode here."""
    from echo3d.io.decoders import RARE, decodable

    answers = decodable()
    lacking = [name for name, can in answers.items() if not can]
    found = f"{', '.join(name for name, can in answers.items() if can)}" + (f"; not {', '.join(lacking)}" if lacking else "")
    return Check("Decoders", "ok" if set(lacking) <= RARE else "missing", found)


def _template() -> Check:
    from echo3d.anatomy.template import load_template

    template = load_template()
    return Check("Template", "ok", f"{template.name}, {len(template.points)} points, {template.sha256[:12]}")


def _weights() -> Check:
    """Look at the file and its card, of the template that is here; whether they answer is a matter of the self-test."""
    from echo3d.anatomy.template import load_template
    from echo3d.io.cards import read_card, weights_path

    card = read_card(weights_path(USUAL_MODEL))
    if card.template_sha256 != load_template().sha256:
        raise ModelError(f"the weights {card.name} displace another template than the installed one; install echo3d again")
    return Check("Weights", "ok", f"{card.name} ({card.kind}), {card.sha256[:12]}")


def _demo() -> Check:
    folder = resource("demo")
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return Check("Demo patient", "ok", f"{len(list(folder.glob('*.dcm')))} clips, EF {100 * truth['ef']:.0f} %")
