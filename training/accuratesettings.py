"""How the accurate network is trained: the shipped values as defaults, and what follows from them for the length of each stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from echo3d.errors import InputError
from echo3d.reconstruction.s2mnet import VIEWS
from training import secondlook, throughheart
from training.refinement import LOOKS, SECOND_WEIGHT, WEIGHT, refined_for
from training.styles import STYLES

STAGES = ("prior", "glances", "second look", "by the heart", "correction", "trust", "calibration")

COST = {"prior": 0.03, "glances": 0.07, "second look": 0.3, "by the heart": 0.9, "correction": 0.3, "trust": 0.2, "calibration": 0.2}
"""Seconds of one processor for a sample, or for a step of a lesson, roughly: only the bar of progress goes by them."""


class Settings(secondlook.Settings):
    """How the accurate network is trained; a budget in steps makes a run repeatable on any machine."""

    usual: ClassVar[float] = 26.0
    heart_usual: ClassVar[float] = 38.0
    """Minutes of a processor that the second look goes on by the heart, where no budget is named."""

    model: str = Field("lean", description="The network whose answers are refined: lean, or a lean one of your own by its name.")
    data: Path = Field(Path("runs/samples"), description="Samples that the second look learns from; the network may have, too.")
    val: Path = Field(Path("runs/held"), description="Samples held back from all learning: of other hearts than those of data.")
    cal: Path | None = Field(None, description="Samples to calibrate on, of other hearts again; a share of val where there are none.")
    steps: int | None = Field(
        None, ge=1, description="How many steps the second look learns, beside heart_steps; other stages take what they take."
    )
    minutes: float | None = Field(
        None, gt=0, description="How long the second look learns, beside what it learns by the heart; other stages take what they take."
    )
    core_minutes: float | None = Field(None, gt=0, description="The same in minutes of a processor; 26 where no budget is named.")
    held: int = Field(1200, ge=1, description="Pictures that the second look is measured on.")
    held_share: float = Field(0.6, gt=0, lt=1, description="Share of val's hearts for prior, correction and trust; the rest calibrates.")
    styles: tuple[str, ...] = Field(STYLES, min_length=1, description="Styles of the pictures; each pair of samples shows one of them.")
    strength: float = Field(1.0, ge=0, le=3, description="Strength of the domain randomisation of the glances; 0 for none.")
    prior: int = Field(4080, ge=2, description="Most held samples that the network's errors are measured on.")
    glances: int = Field(7560, ge=2, description="Most samples that the second look learns from.")
    measured: int = Field(240, ge=2, description="Most held samples that the second look is measured on.")
    heart_core_minutes: float | None = Field(
        None, ge=0, description="Minutes of a processor that it goes on by what becomes of the heart; 0 leaves that out, 38 is usual."
    )
    heart_steps: int | None = Field(None, ge=0, description="The same in steps, in place of minutes of a processor.")
    heart_pairs: int = Field(4, ge=1, description="Pairs of end-diastole and end-systole a step by the heart.")
    heart_rate: float = Field(3e-4, gt=0, description="Highest learning rate by the heart.")
    heart_looks: int = Field(2, ge=1, le=10, description="Looks that a pair is learned from by the heart, one after the other.")
    heart_held: int = Field(40, ge=1, description="Pairs that it is measured on by the heart.")
    weight: float = Field(WEIGHT, gt=0, le=1000, description="How much the disagreement of a cell counts at the first look.")
    gauss_steps: int = Field(4, ge=1, le=20, description="Gauss-Newton steps of the first look.")
    second_weight: float = Field(
        SECOND_WEIGHT, gt=0, le=1000, description="How much the disagreement of a cell counts when it looks again."
    )
    looks: int = Field(LOOKS, ge=1, le=10, description="How often it looks again.")
    refined: int = Field(3000, ge=2, description="Most held samples that are refined for the correction of six views, an eighth for fewer.")
    trusted: int = Field(300, ge=0, description="Held samples by which trust is learned for each number of views; 0 keeps the network's.")
    calibrated: int = Field(1020, ge=1, description="Most patients that intervals are calibrated on with six views.")
    few: int = Field(255, ge=1, description="The same with fewer views.")

    def heart_budget(self) -> dict[str, Any]:
        """Return how long the second look goes on by the heart, in ``steps`` or ``core_minutes``; empty where that is left out.

        Raises
        ------
        InputError
            If both are named.

        >>> Settings().heart_budget(), Settings(heart_steps=5).heart_budget(), Settings(heart_core_minutes=0).heart_budget()
        ({'core_minutes': 38.0}, {'steps': 5}, {})
        """
        budget = {"steps": self.heart_steps, "core_minutes": self.heart_core_minutes}
        named = {name: value for name, value in budget.items() if value is not None}
        if len(named) > 1:
            raise InputError("a lesson must have one budget, found heart_steps and heart_core_minutes; leave one of them out")
        return {name: value for name, value in named.items() if value} if named else {"core_minutes": self.heart_usual}

    def by_heart(self, glances: Path, begin: Path) -> throughheart.Settings:
        """Return how it goes on by the heart: on a processor, as each heart takes steps of its own.

        Parameters
        ----------
        glances : folder of those to learn from, ``train``, and of those to measure on, ``val``
        begin : folder of the second look
        """
        own = {name: getattr(self, name) for name in ("model", "rise", "precision", "keep", "note", "measure", "threads")}
        own |= {"batch": self.heart_pairs, "rate": self.heart_rate, "looks": self.heart_looks, "held": self.heart_held}
        own |= {"weight": self.second_weight, "seed": self.seed + 1, "device": "cpu"} | self.heart_budget()
        return throughheart.Settings(data=glances / "train", val=glances / "val", begin=begin, **own)

    def sizes(self, learned: int, held: int, calibrated: int) -> dict[str, int]:
        """Return how many samples each stage goes through, of so many that there are; lessons have their own budgets.

        >>> Settings(refined=16, trusted=4, calibrated=3, few=1).sizes(50, 20, 10)
        {'prior': 20, 'glances': 70, 'correction': 26, 'trust': 24, 'calibration': 16}
        """
        fewer = VIEWS - 1
        return {
            "prior": min(held, self.prior),
            "glances": min(learned, self.glances) + min(held, self.measured),
            "correction": sum(refined_for(held, self.refined, number) for number in range(1, VIEWS + 1)),
            "trust": VIEWS * min(held, self.trusted),
            "calibration": min(calibrated, 2 * self.calibrated) + fewer * min(calibrated, 2 * self.few, 2 * self.calibrated),
        }

    def seconds(self, sizes: dict[str, int]) -> dict[str, float]:
        """Return how long each stage takes, roughly, in seconds of one processor, given how many samples it goes through."""
        minutes = self.core_minutes or self.minutes or self.usual
        second = COST["second look"] * self.steps if self.steps else 60 * minutes
        heart = self.heart_budget()
        again = COST["by the heart"] * heart.get("steps", 0) + 60 * heart.get("core_minutes", 0.0)
        spent = {name: COST[name] * count for name, count in sizes.items()} | {"second look": second, "by the heart": again}
        return {name: spent[name] for name in STAGES}
