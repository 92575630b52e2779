"""Where weights lie, shipped and the user's own, and what their cards say; without torch, so that a window can list them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from echo3d.core.modelcard import ModelCard
from echo3d.errors import ModelError
from echo3d.paths import resource, user_models


def weights_path(name: str) -> Path:
    """Return where the named weights lie: the shipped ones, or else the user's own.

    Raises
    ------
    ModelError
        If there are none of that name.
    """
    for folder in (resource("weights"), user_models()):
        path = folder / f"{name}.safetensors"
        if Path(name).name == name and path.is_file():
            return path
    known = ", ".join(path.stem for path in installed()) or "none"
    raise ModelError(f"--model must name installed weights ({known}), found {name!r}; choose one of them, or see echo3d models list")


def weights_that_are(sha256: str, name: str) -> Path:
    """Return where the weights of a SHA-256 lie, under whatever name they are installed.

    Parameters
    ----------
    sha256 : of the file
    name : what they were called by those who refined them

    Raises
    ------
    ModelError
        If they are not installed.
    """
    for path in sorted(installed(), key=lambda path: path.stem != name):
        if _sha256_of(path) == sha256:
            return path
    raise ModelError(
        f"weights that refine a network need that network, found no installed one with the SHA-256 {sha256[:12]}…, which was called "
        f"{name[:40]}; add it first with echo3d models add"
    )


def _sha256_of(path: Path) -> str:
    """Return the SHA-256 that a card gives, nothing where it is damaged."""
    try:
        return told(path).sha256
    except ModelError:
        return ""


def installed(*, own: bool | None = None) -> list[Path]:
    """Return the weights' files by name, the shipped ones first; only the user's ``own``, or only the others, where that is said."""
    folders = [folder for folder, mine in ((resource("weights"), False), (user_models(), True)) if own in (None, mine)]
    return [path for folder in folders for path in sorted(folder.glob("[!.]*.safetensors"))]


def read_card(path: Path) -> ModelCard:
    """Return the card beside a weights file, after checking that it belongs to that file.

    Raises
    ------
    ModelError
        If the card is missing, malformed or of other weights.
    """
    card = told(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != card.sha256:
        raise ModelError(f"the card of {path.name} must carry its SHA-256, it carries another file's; reinstall echo3d")
    return card


def told(path: Path) -> ModelCard:
    """Return what the card beside a weights file says, without a look at the weights.

    Raises
    ------
    ModelError
        If the card is missing or malformed.
    """
    try:
        values = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return ModelCard(**{**values, "image_hw": tuple(values["image_hw"]), "data_credits": tuple(values["data_credits"])})
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise ModelError(f"weights need their card {path.with_suffix('.json').name} beside them; reinstall echo3d") from exc
