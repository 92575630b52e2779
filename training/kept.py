"""What a run has worked out, kept on disk piece by piece, so that a run that was broken off works out nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from echo3d.reconstruction.reconstruct import S2MModel
from echo3d.reconstruction.s2mnet import Prediction
from training.contestants import Answers, Contestant
from training.evaluate import Reader, question

Piece = dict[str, Tensor]

STORED = ("coarse", "fused", "planes", "trust")
"""Of an answer, what is kept; its points follow from the coefficients."""


class Kept:
    """Pieces in a folder, each written whole or not at all.

    Parameters
    ----------
    folder : of the pieces, made where it is not there
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def once(self, name: str, make: Callable[[], Piece]) -> Piece:
        """Return a piece by its name; it is made where it is not kept yet."""
        path = self.folder / f"{name}.pt"
        if path.is_file():
            found: Piece = torch.load(path, weights_only=True, map_location="cpu")
            return found
        piece = make()
        torch.save(piece, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
        return piece

    def reader(self, reader: Reader, model: S2MModel) -> Reader:
        """Return a reader that answers each question once only, even if the run is broken off in between.

        Parameters
        ----------
        reader : how ``model`` answers; all answers in the folder must be its own
        """

        def read(pictures: Tensor, present: Tensor) -> Prediction:
            def ask() -> Piece:
                answer = reader(pictures, present)
                return {name: getattr(answer, name) for name in STORED}

            piece = self.once(question(pictures, present), ask)
            with torch.inference_mode():
                points = model.network.template + model.network.at_points(model.network.field(piece["fused"].to(model.device)))
            return Prediction(points.cpu(), *(piece[name] for name in STORED))

        return read

    def contestant(self, contestant: Contestant) -> Contestant:
        """Return a contestant that answers each question once only; all answers in the folder must be its own."""
        ask = contestant.read
        if ask is None:
            return contestant

        def read(pictures: Tensor, present: Tensor) -> Answers:
            piece = self.once(question(pictures, present), lambda: _said(ask(pictures, present)))
            return Answers(**piece)

        return replace(contestant, read=read)

    def figures(self, name: str, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
        """Return figures by their name; they are measured where they are not kept yet."""
        piece = self.once(name, lambda: {key: torch.tensor(value, dtype=torch.float64) for key, value in measure().items()})
        return {key: float(value) for key, value in piece.items()}


def _said(answers: Answers) -> Piece:
    return {key: value.clone() for key, value in answers._asdict().items() if value is not None}
