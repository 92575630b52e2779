"""A recipe of the tests, a line learned by the training loop; as ``python -m tests.training.looprecipe FOLDER`` it is a job's process."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from echo3d import trainings
from echo3d.jobs.worker import Job
from echo3d.jobs.worker import run as work
from echo3d.progress import Progress, silent
from tests.training.loopwork import Line
from training.loop import Batch, Course, learn

COMMAND = [sys.executable, "-m", "tests.training.looprecipe"]
KIND = "line"


class Settings(BaseModel):
    """How the line is learned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(10, ge=1)
    batch: int = Field(4, ge=1)
    keep: int = Field(3, ge=1)
    pause: float = Field(0.0, ge=0)
    dropout: float = Field(0.0, ge=0)
    fits: int = Field(1000, ge=0)
    device: str = "cpu"
    processes: int = Field(1, ge=1)


class Hungry(Line):
    """Fits a memory of so many samples."""

    fits = 1000

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Any]:
        """Raise what torch raises where there are more."""
        if len(batch["x"]) > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().terms(network, batch)


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Learn, slowly where there is a pause; write the averaged weights."""
    torch.set_num_threads(1)

    def heard(share: float, said: str, /) -> None:
        time.sleep(settings.pause)
        progress(share, said)

    work_ = Hungry(dropout=settings.dropout)
    work_.fits = settings.fits
    course = Course(steps=settings.steps, batch=settings.batch, keep=settings.keep, note=2, rate=1e-2, device=settings.device)
    loop = learn(work_, course, out, resume=resume, progress=heard)
    if loop.first:
        torch.save(loop.average.state_dict(), out / "weights.pt")
    return {"steps": loop.step, "batch": loop.batch}


def run_job(job: Job) -> dict[str, Any]:
    """Train as a job of the product does, this recipe among the known ones."""
    trainings.RECIPES = {**trainings.RECIPES, KIND: __name__ if __name__ != "__main__" else "tests.training.looprecipe"}
    return trainings.run_job(job)


if __name__ == "__main__":
    sys.exit(0 if work(Path(sys.argv[1]), packages=("tests",), command=COMMAND) else 1)
