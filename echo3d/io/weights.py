"""Weights as safetensors in half precision, each beside its JSON card; nothing pickled."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from echo3d.core.modelcard import ModelCard
from echo3d.errors import ModelError
from echo3d.paths import resource


def weights_path(name: str) -> Path:
    """Return where the named shipped weights lie.

    Raises
    ------
    ModelError
        If there are none of that name.
    """
    folder = resource("weights")
    path = folder / f"{name}.safetensors"
    if Path(name).name != name or not path.exists():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.safetensors"))) or "none"
        raise ModelError(f"--model must name installed weights ({known}), found {name!r}; choose one of them or reinstall echo3d")
    return path


def write_weights(path: Path, tensors: dict[str, Tensor], card: ModelCard) -> None:
    """Write floating tensors in half precision, and the card with the file's SHA-256 beside them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = {key: shortened(t).contiguous().cpu() for key, t in tensors.items()}
    save_file(half, path)
    stamped = replace(card, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    path.with_suffix(".json").write_text(json.dumps(asdict(stamped), indent=1) + "\n")


def shortened(tensor: Tensor) -> Tensor:
    """Return the tensor in the precision it is written in."""
    return tensor.half() if tensor.is_floating_point() else tensor


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors in single precision.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    try:
        return {key: (t.float() if t.is_floating_point() else t) for key, t in load_file(path).items()}
    except (SafetensorError, OSError) as exc:
        raise ModelError(f"weights must be a whole safetensors file, {path.name} is not; reinstall echo3d") from exc


def read_card(path: Path) -> ModelCard:
    """Return the card beside a weights file, after checking that it belongs to that file.

    Raises
    ------
    ModelError
        If the card is missing, malformed or of other weights.
    """
    try:
        values = json.loads(path.with_suffix(".json").read_text())
        card = ModelCard(**{**values, "image_hw": tuple(values["image_hw"]), "data_credits": tuple(values["data_credits"])})
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise ModelError(f"weights need their card {path.with_suffix('.json').name} beside them; reinstall echo3d") from exc
    if hashlib.sha256(path.read_bytes()).hexdigest() != card.sha256:
        raise ModelError(f"the card of {path.name} must carry its SHA-256, it carries another file's; reinstall echo3d")
    return card
