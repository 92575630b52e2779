"""How the style transfer is trained: the settings of ``echo3d train cyclegan``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.style.generator import GeneratorConfig, preset
from training.patchgan import POOL

LEAN_MINUTES, PAPER_EPOCHS = 40.0, 200
"""Budgets where none is set. *Source:* ours; science.md D.1, 100 epochs and 100 more in which the rate falls."""


class Settings(BaseModel):
    """How the style transfer is trained. The published values, but for the size of the networks, which preset paper brings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Literal["paper", "lean"] = Field(
        "lean",
        description="Size of the networks; lean is made for processors without a GPU.",
        json_schema_extra={"published": "paper"},
    )
    width: int | None = Field(None, ge=4, le=128, description="Features of the generators' first layer, in place of the preset's.")
    blocks: int | None = Field(None, ge=0, le=12, description="Residual blocks of the generators, in place of the preset's.")
    data: str = Field("", description="Folder of shards of training.samples; empty to draw hearts first.")
    hearts: int = Field(80, ge=8, le=100_000, description="Hearts that are drawn where no shards are given.")
    limit: int = Field(6000, ge=8, description="Samples of six pictures that are read at most.")
    clips: str = Field("", description="Folder of real clips that show the style; empty for the physical simulator's pictures.")
    begin: str = Field("", description="Folder of an earlier run to begin from, such as a simulated one before real clips; empty for none.")
    minutes: float | None = Field(None, gt=0, description="How long to learn; 40 minutes with preset lean where nothing else is set.")
    steps: int | None = Field(None, ge=1, description="How many steps to learn, in place of minutes, which makes a run repeatable.")
    epochs: int | None = Field(
        None,
        ge=1,
        description="How many epochs to learn, in place of minutes; 200 with preset paper.",
        json_schema_extra={"published": 200},
    )
    epoch: int = Field(500, ge=1, description="Steps from one sheet of samples, and measurement, to the next.")
    constant: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the budget with the full rate, which then falls to nothing in a line.",
        json_schema_extra={"published": 0.5},
    )
    batch: int = Field(1, ge=1, le=256, description="Pictures of each domain in a step.", json_schema_extra={"published": 1})
    loss: Literal["log", "squares"] = Field(
        "log", description="The paper's log loss, or the published source's least squares.", json_schema_extra={"published": "log"}
    )
    cycle: float = Field(10.0, ge=0, le=1000, description="Weight of the way there and back.", json_schema_extra={"published": 10.0})
    identity: float = Field(
        0.5,
        ge=0,
        le=10,
        description="Weight, as a share of cycle, of leaving alone what already has the style.",
        json_schema_extra={"published": 0.5},
    )
    places: float = Field(
        1.0,
        ge=0,
        le=1000,
        description="Weight of structures that the reader sees elsewhere than they are; 0 for the plain paper.",
        json_schema_extra={"published": 0.0},
    )
    areas: float = Field(
        1.0,
        ge=0,
        le=1000,
        description="Weight of the change of the left ventricle's area; 0 for the plain paper.",
        json_schema_extra={"published": 0.0},
    )
    rate: float = Field(2e-4, gt=0, le=1, description="Learning rate of both Adams.", json_schema_extra={"published": 2e-4})
    pool: int = Field(
        POOL, ge=0, le=100_000, description="Earlier pictures that the discriminators are shown too.", json_schema_extra={"published": POOL}
    )
    average: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Decay of the average of G that is measured and written; 0 for G itself.",
        json_schema_extra={"published": 0.0},
    )
    held: int = Field(60, ge=2, description="Pictures held back to measure on.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of weights and draws.")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:n.")
    threads: int = Field(2, ge=1, le=256, description="Threads of a CPU.")

    def generator(self) -> GeneratorConfig:
        """Return the sizes of both generators."""
        chosen = {"width": self.width, "blocks": self.blocks}
        return preset(self.preset, NETWORK_GRID.height).model_copy(
            update={key: value for key, value in chosen.items() if value is not None}
        )

    def most_steps(self) -> int | None:
        """Return after how many steps a run ends, None where minutes decide."""
        if self.steps or self.epochs:
            return self.steps or int(self.epochs or 0) * self.epoch
        return PAPER_EPOCHS * self.epoch if self.preset == "paper" and not self.minutes else None
