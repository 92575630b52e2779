"""The steps of the self-test that need neither a job nor the window."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np

from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.errors import EngineError
from echo3d.frozen import environment, worker_command
from echo3d.selftest.clips import Frames, Syntax, write_clip

DRAW_S = 120
RESULT, SURFACE = "result", "heart_ed.vtp"


def decoded(frames: Frames, syntax: Syntax, folder: Path) -> str:
    """Write a clip in a transfer syntax, read it as any patient's, and compare.

    Raises
    ------
    EngineError
        If other frames come out than went in.
    """
    from echo3d.io.dicom_open import open_dicom
    from echo3d.io.dicom_pixels import open_pictures

    path = folder / "clip.dcm"
    write_clip(path, frames, syntax)
    pictures = open_pictures(open_dicom(path))
    if (pictures.count, pictures.height, pictures.width) != frames.shape:
        raise EngineError(
            f"a clip must come out as large as it went in, {frames.shape}, found {pictures.count} frames; install echo3d again"
        )
    out = np.stack([pictures.grey(index) for index in range(pictures.count)])
    error = float(np.abs(out.astype(int) - frames).mean())
    if error > syntax.error:
        raise EngineError(f"decoded grey values must be within {syntax.error:g} on average, found {error:.2f}; install echo3d again")
    return "exact" if error == 0 else f"within {error:.2f} grey values on average"


def cut(folder: Path) -> str:
    """Slice the template heart and look at what its four-chamber view shows.

    Raises
    ------
    EngineError
        If a wall that must be seen is not.
    """
    from echo3d.hearts import TEMPLATE, Source
    from echo3d.slices import SliceSpec, slice_heart

    slice_heart(Source(Path(TEMPLATE)), SliceSpec(size=128), folder / "slices")
    seen = {view: set(np.unique(np.load(folder / "slices" / f"{view.key}.npy")).tolist()) - {0} for view in View}
    if not {Structure.LV_MYOCARDIUM.value, Structure.RV_MYOCARDIUM.value} <= seen[View.A4C] or not all(seen.values()):
        raise EngineError("the four-chamber view of the template must show both ventricles' walls, found otherwise; install echo3d again")
    return f"six views, {len(set().union(*seen.values()))} structures"


def reconstructed(folder: Path) -> str:
    """Reconstruct the embedded patient on the processor and compare with its truth.

    Raises
    ------
    EngineError
        If the ejection fraction lies outside its own interval of 90 %.
    """
    from echo3d.pipeline import demo_truth, run_demo

    run_demo(folder / RESULT, device="cpu")
    told, truth = json.loads((folder / RESULT / "result.json").read_text(encoding="utf-8")), demo_truth()["ef"]
    low, high = told["interval90"]["ef"]
    if not low <= truth <= high:
        raise EngineError(f"the interval of the EF must hold the true {truth:.2f}, found {low:.2f} to {high:.2f}; install echo3d again")
    return f"EF {100 * told['ef']:.0f} %, true {100 * truth:.0f} %, EDV {told['edv_ml']:.0f} ml"


def drawn(folder: Path) -> str:
    """Draw the heart just made in another process, because a missing driver can end the process that asks.

    Raises
    ------
    EngineError
        If nothing is drawn.
    """
    picture = folder / "heart.png"
    command = worker_command("draw", str(folder / RESULT / SURFACE), "--out", str(picture), "--json")
    done = subprocess.run(command, capture_output=True, text=True, timeout=DRAW_S, check=False, env=environment())
    if done.returncode or not picture.is_file():
        raise EngineError("a heart must be drawn with OpenGL, found that it could not be; install a driver, or Mesa's software renderer")
    told = json.loads(done.stdout)
    return f"{100 * told['share']:.0f} % of the picture is heart, by {told['renderer']}"
