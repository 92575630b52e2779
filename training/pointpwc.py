"""Train PointPWC-Net on pairs drawn from the cohort's shapes.

echo3d train pointpwc --out runs/pointpwc

The same program trains on a GPU where there is one. It keeps its place every minute and ends with weights and their card.
"""

from __future__ import annotations

import copy
import time
from datetime import date
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from echo3d.anatomy.template import load_template
from echo3d.core.modelcard import ModelCard
from echo3d.io.weights import write_weights
from echo3d.progress import Progress, silent
from echo3d.registration.flow import CM
from echo3d.registration.pointpwc import PRESETS, PointPWC
from training.clouds import CloudPairs, Pairs
from training.flowloss import self_supervised, supervised
from training.runlog import cut, halved, less, note
from training.schedule import learning_rate
from training.sheets import write_clouds
from training.template import CREDIT

FILE = "pointpwc.safetensors"
STATE = "checkpoint.pt"
HELD_SEED = 1_000
"""Added to a run's seed for the pairs that are held back."""


class Settings(BaseModel):
    """How PointPWC-Net is trained. The paper's values: preset paper, rate 0.001, decay 0.0001, 8 pairs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Literal["paper", "lean"] = Field(
        "lean",
        description="Size of the network; lean is made for processors without a GPU.",
        json_schema_extra={"published": "paper"},
    )
    minutes: float = Field(40.0, gt=0, description="How long to learn, in minutes.")
    steps: int | None = Field(None, ge=1, description="How many steps to learn, in place of minutes, which makes a run repeatable.")
    epochs: int | None = Field(
        None, ge=1, description="How many epochs to learn, in place of minutes.", json_schema_extra={"published": 800}
    )
    epoch: int = Field(250, ge=1, description="Steps from one measurement, and sheet, to the next.")
    pairs: int = Field(4, ge=1, le=256, description="Pairs a step.", json_schema_extra={"published": 8})
    held: int = Field(16, ge=1, le=1000, description="Pairs held back to measure on.")
    rate: float = Field(1e-3, gt=0, le=1, description="Highest learning rate.", json_schema_extra={"published": 1e-3})
    decay: float = Field(1e-4, ge=0, le=1, description="Weight decay.", json_schema_extra={"published": 1e-4})
    unnamed: float = Field(0.0, ge=0, le=1, description="Share of the steps without true ways, by the self-supervised loss alone.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of weights and pairs.")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:n.")
    threads: int = Field(2, ge=1, le=256, description="Threads of a CPU.")

    def most_steps(self) -> int | None:
        """Return after how many steps a run ends, None where minutes decide."""
        return self.epochs * self.epoch if self.epochs and not self.steps else self.steps


class Run:
    """A training run in a folder.

    Parameters
    ----------
    settings : how it is trained
    out : its folder
    """

    def __init__(self, settings: Settings, out: Path) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.out = settings, out
        self.device = settings.device if settings.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        self.network = PointPWC(PRESETS[settings.preset]).to(self.device)
        self.average = copy.deepcopy(self.network)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=settings.rate, weight_decay=settings.decay)
        self.pairs = CloudPairs(settings.seed, self.network.config.counts[0], self.device)
        self.held = CloudPairs(HELD_SEED + settings.seed, self.pairs.count, self.device)
        self.step, self.spent = 0, 0.0
        self.since: tuple[int, float] = (0, 0.0)
        self.losses: list[float] = []
        self.count, self.seen = settings.pairs, 0

    def go(self, progress: Progress = silent) -> None:
        """Learn until the budget is spent, keeping the place every minute."""
        if self.step == 0:
            self.begin()
        last = kept = time.monotonic()
        try:
            while (share := self.share()) < 1:
                self.losses.append(self.one_step(share))
                said = f"step {self.step}, loss {self.losses[-1]:.3g}" + less(self.count, self.settings.pairs)
                now = time.monotonic()
                self.spent, last = self.spent + (now - last) / 60, now
                if self.step % self.settings.epoch == 0:
                    self.end_epoch()
                    last = time.monotonic()
                if now - kept > 60:
                    self.keep()
                    kept = now
                progress(min(share, 1.0), said)
            if self.since[0] != self.seen:
                self.end_epoch()
        finally:
            self.keep()

    def share(self) -> float:
        """Return how much of the budget is spent."""
        most = self.settings.most_steps()
        return self.step / most if most else self.spent / self.settings.minutes

    def one_step(self, share: float) -> float:
        """Return the loss of a step, after learning from it."""
        self.network.train()
        while True:
            self.optimiser.zero_grad(set_to_none=True)
            try:
                loss = self.loss(self.pairs.draw(self.step, self.count))
                loss.backward()
                break
            except torch.OutOfMemoryError as exc:
                self.count = halved(self.out, {"step": self.step, "minutes": self.spent}, self.count, exc)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 20.0)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(share, self.step, self.settings.rate)
        self.optimiser.step()
        self.step, self.seen = self.step + 1, self.seen + self.count
        with torch.no_grad():
            weight = 1 - min(0.998, self.step / (20 + self.step))
            for mean, new in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
                mean.lerp_(new, weight) if mean.is_floating_point() else mean.copy_(new)
        return float(loss.detach())

    def loss(self, pairs: Pairs) -> Tensor:
        """Return the loss of pairs; every so often without their true ways."""
        with torch.autocast(self.device.split(":")[0], torch.bfloat16):
            flows = self.network(pairs.source, pairs.target)
        named = int(self.step * self.settings.unnamed) == int((self.step + 1) * self.settings.unnamed)
        return supervised(flows, pairs.way) if named else self_supervised(flows, pairs.target[..., :3])

    @torch.inference_mode()
    def validated(self) -> dict[str, float]:
        """Return the mean way and the mean error in mm on pairs that are never learned from."""
        self.average.eval()
        pairs = [self.held.draw(number, 1) for number in range(self.settings.held)]
        error = [(self.average(one.source, one.target)[0].vectors - one.way).norm(dim=2).mean() for one in pairs]
        way = [one.way.norm(dim=2).mean() for one in pairs]
        return {"way_mm": float(torch.stack(way).mean()) / CM, "error_mm": float(torch.stack(error).mean()) / CM}

    def begin(self) -> None:
        """Note how long and how fast it is to learn."""
        s = self.settings
        course = {"steps": s.most_steps(), "minutes": None if s.most_steps() else s.minutes, "batch": s.pairs, "rate": s.rate}
        note(self.out, {"at": 0, "course": course | {"samples": s.epoch * s.pairs}, "processes": 1, "device": self.device.split(":")[0]})

    def end_epoch(self) -> None:
        """Note the mean loss of the last steps, pairs per second, and what is measured; draw the sheet."""
        seen, minutes = self.since
        rate = (self.seen - seen) / max(60 * (self.spent - minutes), 1e-9)
        means = {"loss": sum(self.losses) / len(self.losses)} if self.losses else {}
        self.since, self.losses = (self.seen, self.spent), []
        note(self.out, {"step": self.step, "minutes": self.spent, **means, "samples_per_s": rate, **self.validated()})
        self.sheet(self.out / f"sheet_{self.step:06d}.png")

    @torch.inference_mode()
    def sheet(self, path: Path) -> None:
        """Draw three held pairs: where the source lies, and where the network sends it, over the target."""
        self.average.eval()
        pairs = [self.held.draw(number, 1) for number in range(min(3, self.settings.held))]
        made = [one.source[0, :, :3] + self.average(one.source, one.target)[0].vectors[0] for one in pairs]
        write_clouds(
            path, [((one.target[0, :, :3], one.source[0, :, :3]), (one.target[0, :, :3], to)) for one, to in zip(pairs, made, strict=True)]
        )

    def keep(self) -> None:
        """Write the place, whole or not at all."""
        state: dict[str, Any] = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimiser")}
        place = self.out / STATE
        state |= {"since": list(self.since), "losses": self.losses, "count": self.count, "seen": self.seen}
        torch.save(state | {"step": self.step, "spent": self.spent}, place.with_suffix(".part"))
        place.with_suffix(".part").replace(place)

    def resume(self) -> None:
        """Go on where the folder's checkpoint was, if it has one."""
        if not (self.out / STATE).is_file():
            cut(self.out, 0, begin=True)
        else:
            state = torch.load(self.out / STATE, map_location=self.device, weights_only=True)
            for name in ("network", "average", "optimiser"):
                getattr(self, name).load_state_dict(state[name])
            self.step, self.spent = int(state["step"]), float(state["spent"])
            self.count = int(state.get("count", self.count))
            self.seen = int(state.get("seen", self.step * self.count))
            self.since, self.losses = tuple(state.get("since", (self.seen, self.spent))), list(state.get("losses", []))
            cut(self.out, self.step)

    def finish(self) -> dict[str, Any]:
        """Write the weights and their card; return what was measured."""
        self.average.eval()
        measured = {key: round(value, 3) for key, value in self.validated().items()}
        card = ModelCard(
            name="pointpwc",
            kind="pointpwc",
            trained={
                "date": date.today().isoformat(),
                "command": "echo3d train pointpwc --config settings.json --out DIR",
                "settings": self.settings.model_dump(),
                "steps": self.step,
                "minutes": round(self.spent, 1),
                "pairs_seen": self.seen,
            },
            template_sha256=load_template().sha256,
            image_hw=(0, 0),
            config={"network": self.network.config.model_dump()},
            metrics=measured,
            data_credits=(CREDIT,),
        )
        write_weights(self.out / FILE, self.average.state_dict(), card)
        return measured


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train in a folder that is there; return what was measured. ``echo3d train pointpwc`` calls this."""
    torch.set_num_threads(settings.threads)
    one = Run(settings, out)
    if resume:
        one.resume()
    one.go(progress)
    return one.finish() | {"steps": one.step, "weights": FILE}
