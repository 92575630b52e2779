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
from echo3d.io.cards import read_card, weights_path, weights_that_are

__all__ = ["follow", "read_card", "read_weights", "shortened", "weights_path", "weights_that_are", "write_weights"]


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


def follow(folder: Path, before: str, after: str) -> list[str]:
    """Tell the cards of a folder that refine the network of the SHA-256 ``before`` that its file is now ``after``; return their names."""
    told = []
    for path in sorted(folder.glob("*.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        if card.get("config", {}).get("network_sha256") == before:
            card["config"]["network_sha256"] = after
            path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
            told.append(path.stem)
    return told
