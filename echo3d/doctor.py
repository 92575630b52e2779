"""Whether this machine can do the work: graphics, processor, decoders, weights and resources."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from echo3d.core.modelcard import USUAL_MODEL
from echo3d.errors import Echo3dError

_GL_PROBE = (
    "import pyvista as pv; p = pv.Plotter(off_screen=True, window_size=(64, 64)); p.add_mesh(pv.Sphere()); "
    "assert p.screenshot(return_img=True).std() > 1; w = p.render_window; "
    "print(next((l.split(':', 1)[1].strip() for l in w.ReportCapabilities().splitlines() if 'renderer string' in l.lower()), 'drawn'))"
)
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
    checks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("Python", _python),
        ("Processor", _processor),
        ("OpenGL", _gl),
        ("GPU", _gpu),
        ("Decoders", _decoders),
        ("Template", _template),
        ("Weights", _weights),
        ("Demo patient", _demo),
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


def _gl() -> Check:
    """Draw a ball in another process, because a missing driver can end the process that asks."""
    if getattr(sys, "frozen", False):
        return Check("OpenGL", "absent", "not looked at in the packaged program; the window shows it")
    try:
        done = subprocess.run([sys.executable, "-c", _GL_PROBE], capture_output=True, text=True, timeout=_GL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Check("OpenGL", "absent", "no answer; the window needs a display, reports do not")
    if done.returncode:
        return Check("OpenGL", "absent", "nothing could be drawn; the window needs a display with OpenGL, reports do not")
    return Check("OpenGL", "ok", (done.stdout.strip().splitlines() or ["drawn"])[-1])


def _gpu() -> Check:
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
    from echo3d.reconstruction.reconstruct import load_model

    card = load_model(USUAL_MODEL, "cpu").card
    return Check("Weights", "ok", f"{card.name} ({card.kind}), {card.sha256[:12]}")


def _demo() -> Check:
    from echo3d.pipeline import demo_clips, demo_truth

    truth = demo_truth()
    return Check("Demo patient", "ok", f"{len(demo_clips())} clips, EF {100 * truth['ef']:.0f} %")
