"""Train the style transfer between pseudo images and echo pictures: two generators, two discriminators, and a guard of what is shown.

echo3d train cyclegan --out runs/cyclegan

Without a GPU the lean preset learns in less than an hour; the paper's preset and published defaults are one setting away. A run keeps its
place every minute, draws a sheet of samples every epoch, and ends with the weights of G and their card.

*Source:* paper section 4.2, equations 1 to 3; published defaults in reference science.md D.1.
"""

from __future__ import annotations

import copy
import pickle
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from echo3d.anatomy.template import load_template
from echo3d.core.modelcard import ModelCard
from echo3d.errors import InputError
from echo3d.io.weights import write_weights
from echo3d.progress import Progress, silent
from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.style.generator import Generator, initialised
from training.cyclesettings import LEAN_MINUTES, Settings
from training.domains import Drawn
from training.judge import judged, load_reader, true_shares
from training.patchgan import ImagePool, PatchDiscriminator, fooled, told_apart
from training.runlog import cut, halved, less, note
from training.sheets import write_sheet
from training.styledata import Data, open_data

FILE = "cyclegan.safetensors"
STATE = "checkpoint.pt"


def fall(share: float, constant: float) -> float:
    """Return the rate's factor after a share of the budget: 1, then down to nothing in a line.

    >>> fall(0.25, 0.5), fall(0.75, 0.5), fall(1.0, 0.5)
    (1.0, 0.5, 0.0)
    """
    return 1.0 if share <= constant else max(0.0, (1 - share) / (1 - constant))


class Players(nn.Module):
    """The four networks of the paper.

    Parameters
    ----------
    settings : sizes
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        config = settings.generator()
        self.G, self.F = Generator(config), Generator(config)
        self.D_X, self.D_Y = PatchDiscriminator(config.width), PatchDiscriminator(config.width)
        initialised(self)

    def generators(self) -> list[nn.Parameter]:
        """Return the weights of G and F."""
        return [*self.G.parameters(), *self.F.parameters()]

    def discriminators(self) -> list[nn.Parameter]:
        """Return the weights of D_X and D_Y."""
        return [*self.D_X.parameters(), *self.D_Y.parameters()]


class Run:
    """A training run in a folder.

    Parameters
    ----------
    settings : how it is trained
    out : its folder
    data : both domains
    """

    def __init__(self, settings: Settings, out: Path, data: Data) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.out, self.data = settings, out, data
        self.device = settings.device if settings.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        self.players = Players(settings).to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.players.G)
        self.reader = load_reader(self.device)
        adam = {"lr": settings.rate, "betas": (0.5, 0.999)}
        self.optimisers = [torch.optim.Adam(part, **adam) for part in (self.players.generators(), self.players.discriminators())]
        self.pools = {"x": ImagePool(settings.pool), "y": ImagePool(settings.pool)}
        self.step, self.spent = 0, 0.0
        self.since: tuple[int, float] = (0, 0.0)
        self.sums: list[dict[str, float]] = []
        self.count, self.seen = settings.batch, 0
        if settings.begin and not (out / STATE).is_file():
            self.begin(Path(settings.begin))

    def begin(self, earlier: Path) -> None:
        """Take over the networks of an earlier run."""
        try:
            state = torch.load(earlier / STATE, map_location=self.device, weights_only=True)
            self.players.load_state_dict(state["players"])
            self.average.load_state_dict(state["average"])
        except (OSError, RuntimeError, KeyError, pickle.UnpicklingError) as exc:
            raise InputError(
                f"the setting begin must name a run with networks of the same size, found none ({type(exc).__name__}); "
                "correct it or leave it out"
            ) from exc

    # -- the loop --------------------------------------------------------------------------------------------------------------------

    def go(self, progress: Progress = silent) -> None:
        """Learn until the budget is spent, keeping the place every minute."""
        if self.step == 0:
            self.begin_log()
        last = kept = time.monotonic()
        try:
            while (share := self.share()) < 1:
                self.sums.append(self.one_step(share))
                said = f"step {self.step}, loss {sum(self.sums[-1].values()):.3g}" + less(self.count, self.settings.batch)
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
        return self.step / most if most else self.spent / (self.settings.minutes or LEAN_MINUTES)

    def one_step(self, share: float) -> dict[str, float]:
        """Return the losses of a step, after learning from it; all it draws comes from the seed and the step's number."""
        while True:
            try:
                return self.learned(share)
            except torch.OutOfMemoryError as exc:
                self.count = halved(self.out, {"step": self.step, "minutes": self.spent}, self.count, exc)

    def learned(self, share: float) -> dict[str, float]:
        """Return the losses of a step, after learning from as many pictures as fit the memory."""
        rng = np.random.default_rng([self.settings.seed, 7, self.step])
        x, y = (self.placed(draw(rng, self.count)) for draw in (self.data.x, self.data.y))
        for optimiser in self.optimisers:
            optimiser.param_groups[0]["lr"] = self.settings.rate * fall(share, self.settings.constant)
        terms, made = self.forth_and_back(x, y)
        learned_from(terms, self.optimisers[0])
        terms |= (judges := self.disputed(x, y, made, rng))
        learned_from(judges, self.optimisers[1])
        self.step, self.seen = self.step + 1, self.seen + self.count
        self.follow()
        return {key: float(value.detach()) for key, value in terms.items()}

    def placed(self, drawn: Drawn) -> Drawn:
        """Return pictures where the networks are."""
        pictures, inside = (part.to(self.device, memory_format=torch.channels_last) for part in drawn[:2])
        return drawn._replace(pictures=pictures, inside=inside)

    def half(self) -> Any:
        """Return the context of half precision."""
        return torch.autocast(self.device.split(":")[0], torch.bfloat16)

    def forth_and_back(self, x: Drawn, y: Drawn) -> tuple[dict[str, Tensor], tuple[Tensor, Tensor]]:
        """Return what both generators pay, and G(x) and F(y). *Source:* equations 1 to 3; the identity term is the published source's."""
        s, one = self.settings, self.players
        one.D_X.requires_grad_(False), one.D_Y.requires_grad_(False)
        both_x, both_y = (torch.cat([a.pictures, b.pictures]) for a, b in ((x, y), (y, x)))
        masks, count = torch.cat([x.inside, y.inside]), len(x.pictures)
        with self.half():
            to_y = one.G(*((both_x, masks) if s.identity else x[:2]))
            to_x = one.F(*((both_y, torch.cat([y.inside, x.inside])) if s.identity else y[:2]))
            made_y, made_x = to_y[:count], to_x[:count]
            again_x, again_y = one.F(made_y, x.inside), one.G(made_x, y.inside)
            said_y, said_x = one.D_Y(made_y).float(), one.D_X(made_x).float()
        terms = {
            "gan_g": fooled(said_y, s.loss),
            "gan_f": fooled(said_x, s.loss),
            "cycle": s.cycle * ((again_x - x.pictures).abs().mean() + (again_y - y.pictures).abs().mean()),
        }
        if s.identity:
            same = (to_y[count:] - y.pictures).abs().mean() + (to_x[count:] - x.pictures).abs().mean()
            terms["identity"] = s.identity * s.cycle * same
        return terms | self.guarded(made_y, x), (made_y.detach(), made_x.detach())

    def guarded(self, made: Tensor, x: Drawn) -> dict[str, Tensor]:
        """Return what G pays for moving or resizing what x shows."""
        if not self.settings.places and not self.settings.areas:
            return {}
        with self.half():
            verdict = judged(self.reader, made, x.inside, self.truth(x))
        return {"places": self.settings.places * verdict.places, "areas": self.settings.areas * verdict.areas}

    def truth(self, x: Drawn) -> tuple[Tensor, Tensor]:
        """Return the true shares and the views of pseudo images."""
        if x.labels is None or x.views is None:
            raise ValueError("the guard needs labels and views")
        return true_shares(x.labels, self.device), x.views.to(self.device)

    def disputed(self, x: Drawn, y: Drawn, made: tuple[Tensor, Tensor], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return what both discriminators pay for real pictures and made ones, of which half are older."""
        one, terms = self.players, {}
        one.D_X.requires_grad_(True), one.D_Y.requires_grad_(True)
        for name, real, new, judge in (("y", y, made[0], one.D_Y), ("x", x, made[1], one.D_X)):
            older = self.pools[name].swapped(new, rng)
            with self.half():
                said = judge(torch.cat([real.pictures, older])).float()
            terms[f"judge_{name}"] = told_apart(said[: len(real.pictures)], said[len(real.pictures) :], self.settings.loss)
        return terms

    @torch.no_grad()
    def follow(self) -> None:
        """Let the average follow G."""
        keep = min(self.settings.average, self.step / (10 + self.step))
        for mean, new in zip(self.average.parameters(), self.players.G.parameters(), strict=True):
            mean.lerp_(new, 1 - keep)

    # -- what is measured, shown and kept --------------------------------------------------------------------------------------------

    def end_epoch(self) -> None:
        """Note the mean losses and what is measured, and draw the sheet."""
        means = {key: sum(one[key] for one in self.sums) / len(self.sums) for key in self.sums[0]} if self.sums else {}
        seen, minutes = self.since
        rate = (self.seen - seen) / max(60 * (self.spent - minutes), 1e-9)
        self.since, self.sums = (self.seen, self.spent), []
        note(self.out, {"step": self.step, "minutes": self.spent, **means, "samples_per_s": rate, **self.validated()})
        write_sheet(self.out / f"sheet_{self.step:06d}.png", self.shown())

    @torch.inference_mode()
    def validated(self) -> dict[str, float]:
        """Return how G(x) changes the left ventricle's area on pictures that are never learned from, as the reader sees it."""
        held = self.placed(self.data.held_x)
        parts = [Drawn(*(None if one is None else one[at : at + 20] for one in held)) for at in range(0, len(held.pictures), 20)]
        verdicts = [judged(self.reader, self.average(*part[:2]), part.inside, self.truth(part)) for part in parts]
        ratio = torch.cat([verdict.ratio for verdict in verdicts])
        return {"held_places": float(torch.stack([verdict.places for verdict in verdicts]).mean())} | area_figures(ratio)

    @torch.inference_mode()
    def shown(self) -> list[Tensor]:
        """Return the rows of the sheet: x, G(x), F(G(x)), y, F(y), G(F(y))."""
        x, y = (self.placed(Drawn(*(None if one is None else one[:8] for one in held))) for held in (self.data.held_x, self.data.held_y))
        made_y, made_x = self.average(*x[:2]), self.players.F(*y[:2])
        again = self.players.F(made_y, x.inside), self.average(made_x, y.inside)
        return [x.pictures, made_y, again[0], y.pictures, made_x, again[1]]

    def begin_log(self) -> None:
        """Note how long and how fast it is to learn."""
        s = self.settings
        course = {
            "steps": s.most_steps(),
            "minutes": None if s.most_steps() else s.minutes or LEAN_MINUTES,
            "batch": s.batch,
            "rate": s.rate,
        }
        note(self.out, {"at": 0, "course": course | {"samples": s.epoch * s.batch}, "processes": 1, "device": self.device.split(":")[0]})

    def keep(self) -> None:
        """Write the place, whole or not at all."""
        state: dict[str, Any] = {"players": self.players.state_dict(), "average": self.average.state_dict()}
        state |= {f"optimiser{number}": one.state_dict() for number, one in enumerate(self.optimisers)}
        state |= {f"pool_{name}": pool.kept for name, pool in self.pools.items()}
        place = self.out / STATE
        state |= {"since": list(self.since), "sums": self.sums, "count": self.count, "seen": self.seen}
        torch.save(state | {"step": self.step, "spent": self.spent}, place.with_suffix(".part"))
        place.with_suffix(".part").replace(place)

    def resume(self) -> None:
        """Go on where the folder's checkpoint was, if it has one."""
        if not (self.out / STATE).is_file():
            cut(self.out, 0, begin=True)
            return
        state = torch.load(self.out / STATE, map_location=self.device, weights_only=True)
        for network, name in ((self.players, "players"), (self.average, "average")):
            network.load_state_dict(state[name])
        for number, optimiser in enumerate(self.optimisers):
            optimiser.load_state_dict(state[f"optimiser{number}"])
        for name, pool in self.pools.items():
            pool.kept = list(state[f"pool_{name}"])
        self.step, self.spent = int(state["step"]), float(state["spent"])
        self.count = int(state.get("count", self.count))
        self.seen = int(state.get("seen", self.step * self.count))
        self.since, self.sums = tuple(state.get("since", (self.seen, self.spent))), list(state.get("sums", []))
        cut(self.out, self.step)

    def finish(self) -> dict[str, Any]:
        """Write the weights of G and their card; return what was measured."""
        measured = {key: round(value, 4) for key, value in self.validated().items()}
        settings = self.settings.model_dump()
        told = settings | {name: "given" for name in ("data", "clips", "begin") if settings[name]}  # paths belong to one machine
        card = ModelCard(
            name="cyclegan",
            kind="style",
            trained={
                "date": date.today().isoformat(),
                "command": "echo3d train cyclegan --config settings.json --out DIR",
                "settings": told,
                "steps": self.step,
                "minutes": round(self.spent, 1),
                "pictures_seen": self.seen,
                "domains": self.data.told,
            },
            template_sha256=load_template().sha256,
            image_hw=(NETWORK_GRID.height, NETWORK_GRID.width),
            config={"network": self.average.config.model_dump(), "pixel_mm": NETWORK_GRID.pixel_mm},
            metrics=measured,
            data_credits=self.data.credits,
        )
        write_weights(self.out / FILE, self.average.state_dict(), card)
        return measured


def shortened(settings: Settings, steps: int) -> Settings:
    """Return settings of a trial: few hearts are drawn where no samples are given."""
    del steps
    return settings if settings.data else settings.model_copy(update={"hearts": 8, "held": min(settings.held, 8)})


def area_figures(ratio: Tensor) -> dict[str, float]:
    """Return mean and standard deviation of area ratios (Q,), and the mean absolute change in per cent; nothing where there is none.

    >>> round(area_figures(torch.tensor([0.9, 1.1]))["lv_change_pc"], 3)
    10.0
    """
    if not len(ratio):
        return {}
    change = 100 * float((ratio - 1).abs().mean())
    return {"lv_ratio": float(ratio.mean()), "lv_ratio_sd": float(ratio.std(correction=0)), "lv_change_pc": change}


def learned_from(terms: dict[str, Tensor], optimiser: torch.optim.Optimizer) -> None:
    """Take one step down the sum of the terms."""
    optimiser.zero_grad(set_to_none=True)
    torch.stack(list(terms.values())).sum().backward()
    optimiser.step()


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train in a folder that is there; return what was measured. ``echo3d train cyclegan`` calls this."""
    torch.set_num_threads(settings.threads)
    one = Run(settings, out, open_data(settings, out, progress))
    if resume:
        one.resume()
    one.go(progress)
    return one.finish() | {"steps": one.step, "weights": FILE}
