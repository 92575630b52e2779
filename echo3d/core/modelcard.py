"""What is known of a set of weights: how it was made and how good it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

USUAL_MODEL = "accurate"
"""The weights that hearts are computed with where nobody names others."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The JSON card that lies beside every weights file.

    Parameters
    ----------
    name : the model's name for ``--model``
    kind : "s2mnet", "sliceplane", ...
    trained : ISO date, command, seed and hours of the training
    template_sha256 : the template its output displaces
    image_hw : picture size it takes, pixels
    config : its configuration
    metrics : measured errors
    data_credits : credits of the data behind it
    sha256 : of the weights file
    """

    name: str
    kind: str
    trained: dict[str, Any]
    template_sha256: str
    image_hw: tuple[int, int]
    config: dict[str, Any]
    metrics: dict[str, Any] = field(default_factory=dict)
    data_credits: tuple[str, ...] = ()
    sha256: str = ""
