"""The workspace's way to the inference process, which holds the network of the echo style."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet

import numpy as np
from numpy.typing import NDArray

from echo3d.engine.client import EngineClient
from echo3d.engine.protocol import Message
from echo3d.errors import EngineError, StoppedError
from echo3d.positioning.restyling import Plain

LONGEST_S = 60.0
"""A study that is being reconstructed goes first; longer than this nobody waits for a picture."""


class Restyler:
    """Has pictures translated by the inference process; waits on the thread that asks.

    Parameters
    ----------
    engine : the inference process
    """

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine
        self._closed = threading.Event()

    def __call__(self, pictures: Sequence[Plain]) -> list[NDArray[np.float32]]:
        """Return pictures in the trained style.

        Raises
        ------
        EngineError
            If the process went away, or does other work for too long.
        StoppedError
            If the window is closed meanwhile.
        """
        arrays: dict[str, NDArray] = {f"pseudo.{number}": one.pseudo for number, one in enumerate(pictures)}
        arrays |= {f"inside.{number}": one.inside for number, one in enumerate(pictures)}
        future = self._engine.request("style", {"pixel_mm": [one.pixel_mm for one in pictures]}, arrays=arrays)
        message = self._answer(future)
        return [message.arrays[f"styled.{number}"] for number in range(len(pictures))]

    def _answer(self, future: Future[Message]) -> Message:
        end = time.monotonic() + LONGEST_S
        while not self._closed.is_set():
            try:
                return future.result(0.05)
            except NotYet:
                if time.monotonic() > end:
                    raise EngineError(
                        "pictures in the trained style wait for the inference process, which is busy; ask again later"
                    ) from None
        raise StoppedError("the window was closed")

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._closed.set()
