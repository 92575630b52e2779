"""A finished run as weights with their card, for the application and for others.

Intervals of a user's own S2MNet are calibrated on the run's own validation samples, whose errors were looked at while it learned but never
learned from; with fewer than ``ENOUGH`` patients there are none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from echo3d.anatomy.template import load_template
from echo3d.core.modelcard import ModelCard
from echo3d.errors import InputError
from echo3d.io.weights import read_card, read_weights
from echo3d.models import without_paths
from echo3d.progress import Progress, silent
from echo3d.reconstruction.s2mnet import VIEWS, S2MNet
from training.data import Shards
from training.evaluate import SUBSETS, answers, bounds_of, calibration, recipe_of, table_row, trained
from training.template import CREDIT

ENOUGH, MOST = 40, 200
"""Validation patients that intervals need at least, and that are measured at most."""

Export = tuple[dict[str, Tensor], ModelCard]


def exported(kind: str, run: Path, name: str, progress: Progress = silent) -> Export:
    """Return tensors and card of a finished run.

    Parameters
    ----------
    kind : what it trained
    run : its folder
    name : of the network
    progress : hears how far the measuring is

    Raises
    ------
    InputError
        If the run has not come to its end, or its network belongs to another template than it says.
    """
    if kind not in EXPORTS:
        raise InputError(f"a run to export must be one of {', '.join(EXPORTS)}, found {kind[:40]!r}; name another run")
    file = FILES[kind]
    if not (run / file).is_file():
        raise InputError(f"a run must have come to its end to be used, found no {file}; go on with it first (echo3d jobs resume)")
    return EXPORTS[kind](run, name, progress)


def _written(run: Path, name: str, progress: Progress) -> Export:
    """Return weights and card that a run has written itself."""
    progress(1.0, "Read")
    path = next(run / file for file in set(FILES.values()) if file.endswith(".safetensors") and (run / file).is_file())
    return read_weights(path), read_card(path)


def _s2mnet(run: Path, name: str, progress: Progress) -> Export:
    """Return what a run of the lean network learned, measured on its validation samples."""
    network, state = trained(run)
    metrics, sigma = measured(network, run, progress)
    told = {"samples": state["samples"], "hearts_of_label_slices": state["hearts"], "settings": without_paths(_json(run / "config.json"))}
    card = ModelCard(
        name=name,
        kind="s2mnet",
        trained={"date": date.today().isoformat(), "command": "echo3d train s2mnet", **recipe_of(run), **told},
        template_sha256=template_of(run, state["network"]["template"]),
        image_hw=(state["config"]["raster"],) * 2,
        config=state["config"],
        metrics=metrics,
        data_credits=(CREDIT,),
    )
    return dict(network.state_dict()) | {"sigma_mm": torch.from_numpy(sigma)}, card


def template_of(run: Path, points: Tensor) -> str:
    """Return the SHA-256 of the template that a run's network displaces: what the run noted, or else the installed one's if it is that.

    Raises
    ------
    InputError
        If the run noted nothing and its template is another.
    """
    noted = _json(run / "run.json").get("template_sha256")
    template = load_template()
    if noted:
        return str(noted)
    if points.shape != template.points.shape or not np.allclose(points.numpy(), template.points, atol=0.05):
        raise InputError("a run must displace the installed template to be used, found another; train it again with this version")
    return template.sha256


def measured(network: S2MNet, run: Path, progress: Progress = silent) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Return the figures of a run's card, and the points' expected error (V + 1, N) in mm."""
    samples = validation(_json(run / "config.json"))
    patients = 0 if samples is None else len(samples["field"]) // 2
    if samples is None or not patients:
        return {"intervals": "none, the validation samples are not there any more"}, constant_error(run)
    progress(0.1, f"Measuring on {patients} patients")
    with torch.inference_mode():
        read, sigma = calibration(network, samples)
    progress(0.8, "Measuring with six views")
    row = table_row(answers(network, samples, SUBSETS[6])["points"], samples, np.random.default_rng(0), surfaces=False)
    metrics = {"validation": row, "validation_patients": patients}
    if patients < ENOUGH:
        return metrics | {"intervals": f"none, {ENOUGH} validation patients are needed"}, sigma
    said = f"calibrated on the run's {patients} own validation patients, which were looked at while it learned"
    return metrics | {"intervals": said, "conformal90": bounds_of(read, samples["volumes"])}, sigma


def validation(settings: Mapping[str, Any]) -> dict[str, Tensor] | None:
    """Return the validation samples of a run's settings, None where they are gone."""
    shards = Shards(Path(settings["val"]), 2 * MOST, styles=tuple(settings["styles"]))
    if not shards.refresh():
        return None
    return {key: value[: 2 * MOST] for key, value in shards.all().items()}


def constant_error(run: Path) -> NDArray[np.float32]:
    """Return the error (V + 1, N) in mm that the run's log gives for the mean point, at every point."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    last = next((line for line in reversed(lines) if "ed_mm" in line), {"ed_mm": 0.0, "es_mm": 0.0})
    return np.full((VIEWS + 1, len(load_template().points)), (last["ed_mm"] + last["es_mm"]) / 2, dtype=np.float32)


def _sliceplane(run: Path, name: str, progress: Progress) -> Export:
    """Return what a run of the slice plane network learned, with the last figures of its log."""
    from training.planecard import trained as planes_of

    progress(0.5, "Reading")
    network, state = planes_of(run)
    last = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()][-1]
    settings = without_paths(_json(run / "config.json"))
    told = {"date": date.today().isoformat(), "command": "echo3d train sliceplane", "settings": settings, "sets_shown": state["samples"]}
    metrics = {key: value for key, value in last.items() if isinstance(value, float)}
    sha256 = _json(run / "run.json").get("template_sha256") or load_template().sha256
    return dict(network.state_dict()), ModelCard(
        name, "sliceplane", told, str(sha256), (112, 112), network.config.model_dump(), metrics, (CREDIT,)
    )


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


EXPORTS: Mapping[str, Callable[[Path, str, Progress], Export]] = {
    "s2mnet": _s2mnet,
    "accurate": _written,
    "sliceplane": _sliceplane,
    "cyclegan": _written,
    "pointpwc": _written,
    "pix2vox": _written,
    "s2mnet-paper": _written,
}

FILES: Mapping[str, str] = {
    "s2mnet": "network.pt",
    "accurate": "accurate.safetensors",
    "sliceplane": "network.pt",
    "cyclegan": "cyclegan.safetensors",
    "pointpwc": "pointpwc.safetensors",
    "pix2vox": "network.safetensors",
    "s2mnet-paper": "network.safetensors",
}
"""The file that each kind of run ends with."""
