"""Teach the second look by what becomes of the heart: not each cell's share counts, but where the step that follows takes the heart.

    echo3d train throughheart --config through.toml --out runs/through

It begins as a run of ``training.secondlook``. Pairs of pictures of one heart are looked at as in use: from the heart of the first look,
up to ``looks`` times, each look followed by one Gauss-Newton step. The last step's heart pays for its points and its chambers' volumes,
through the step's own derivative by the shares; the shares pay a little, too, so that they stay what they are called. Where hearts come
from a quick look, the steps are quick ones. It is a stage of ``training.accurate``, too.

*Source:* our own; learning what an optimiser is given by what it makes of it is that of Domke 2012 (AISTATS).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from echo3d.errors import InputError
from echo3d.progress import Progress, silent
from echo3d.reconstruction.classes import CLASSES
from echo3d.reconstruction.planemoves import PLANE, held_still, moves_between, orthonormal
from echo3d.reconstruction.quick import going_on
from echo3d.reconstruction.reconstruct import S2MModel, load_model
from echo3d.reconstruction.refine import Refiner, evidence, glimpse, moved, places_of, precision_of, shares_at
from echo3d.reconstruction.s2mnet import S2MNet
from echo3d.reconstruction.secondlook import SecondEncoder
from echo3d.reconstruction.sight import Fit, Mover, Sight, sight
from echo3d.reconstruction.slicer import Slicer
from training.basis import fields_at_points
from training.encoder import shares
from training.evaluate import cavity_faces
from training.loop import learn
from training.losses import volumes_ml
from training.secondlook import NETWORK, keep_encoder
from training.secondlook import Settings as CellSettings

DUE = (1.0, 0.5, 0.15, 0.15)
"""What the chambers' volumes cost beside the left ventricle's; our choice."""

WORST = 0.5
"""Relative error of a volume that is paid at most: a step that went astray teaches nothing."""

LOOKS = 3
"""How often is looked again where the held pairs are measured, as in use, unless the model itself looks again."""

HELD = ("answer", "answer_planes", "heart", "planes", "truth", "volumes", "sectors")


class Settings(CellSettings):
    """How the second look is taught by what becomes of the heart."""

    model: str = Field("lean", description="Weights whose answers are refined, written beside what was learned.")
    begin: Path = Field(Path("runs/second"), description="Run of secondlook that it begins as.")
    refined: str = Field("accurate", description="Weights whose prior leads the steps.")
    batch: int = Field(4, ge=1, description="Pairs of end-diastole and end-systole a step.")
    rate: float = Field(3e-4, gt=0, description="Highest learning rate.")
    looks: int = Field(2, ge=1, description="Looks at a step's pairs at most, one after the other; the last one is learned from.")
    weight: float = Field(8.0, gt=0, description="How much the disagreement of a cell counts.")
    each: int = Field(2, ge=1, description="Quick steps that follow a look, of which the last one is learned through.")
    volume: float = Field(30.0, ge=0, description="What the left ventricle's relative error of volume costs, in mm; the others cost less.")
    probe: float = Field(0.2, ge=0, description="What a millimetre costs by which a plane's probe is off.")
    entropy: float = Field(1.0, ge=0, description="What the cells' cross entropy costs, in mm.")
    held: int = Field(40, ge=1, description="Pairs that are measured on.")


def read_pairs(folder: Path) -> dict[str, NDArray]:
    """Return all pairs of glances of a folder: each array (N, 2, ...), end-diastole and end-systole; of masks eight pixels a byte.

    Raises
    ------
    InputError
        If there are none, or none with hearts.
    """
    files: list[tuple[Path, int]] = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as data:
            if set(HELD) <= set(data):
                files.append((path, len(data["present"])))
    if not files:
        raise InputError("pairs must be glances with hearts, found none; draw them with training.glances and name their folder")
    whole: dict[str, NDArray] = {}
    first = 0
    for path, count in files:  # filled row by row: put together from parts, a bank of 10 GB would be 20 for a while
        with np.load(path, allow_pickle=False) as data:
            part = {key: data[key] for key in ("pictures", "present", "labels", *HELD)} | {"mask": packed(data["mask"])}
        for key, value in part.items():
            if key not in whole:
                whole[key] = np.empty((sum(rows for _, rows in files), *value.shape[1:]), value.dtype)
            whole[key][first : first + count] = value
        first += count
    return {key: value.reshape(-1, 2, *value.shape[1:]) for key, value in whole.items()}


def packed(masks: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return masks (..., H, W) as (..., H W / 8)."""
    return np.packbits(masks.reshape(*masks.shape[:-2], -1), axis=-1)


class Body:
    """What coefficients mean: points and chambers.

    Parameters
    ----------
    network : of the principal fields
    """

    def __init__(self, network: S2MNet) -> None:
        self.fields, self.template, self.faces = fields_at_points(network), network.template, cavity_faces()

    def wrong(self, hearts: Tensor, truth: Tensor, volumes: Tensor) -> tuple[Tensor, Tensor]:
        """Return how far points of hearts (B, R) lie off on average, mm, and each volume's relative error (B, 4)."""
        shift = ((hearts - truth) @ self.fields[:-1]).view(len(hearts), -1, 3).norm(dim=2).mean()
        points = self.template + (hearts @ self.fields[:-1] + self.fields[-1]).view(len(hearts), -1, 3)
        return shift, ((volumes_ml(points, self.faces) - volumes) / volumes).abs()

    def paid(self, hearts: Tensor, truth: Tensor, volumes: Tensor, cost: float) -> dict[str, Tensor]:
        """Return what hearts (..., R) pay for points, mm, and chambers' volumes (..., 4), ``cost`` for the left ventricle's."""
        shift, wrong = self.wrong(hearts.flatten(0, -2), truth.flatten(0, -2), volumes.flatten(0, -2))
        return {"points": shift, "volumes": cost * (wrong.clamp(max=WORST).mean(dim=0) * torch.tensor(DUE)).sum()}


class ThroughHeart:
    """Learning to look again by what becomes of the heart.

    Parameters
    ----------
    settings : how
    model : that refines, where it is not the settings' ``refined``; it looks again as often as it does where the held pairs are measured
    """

    def __init__(self, settings: Settings, model: S2MModel | None = None) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        model = model or load_model(settings.refined, "cpu")
        refiner = going_on(model.quick) if model.refiner is None and model.quick is not None else model.refiner
        if refiner is None:
            raise InputError(f"refined must name weights that refine or look quickly, found {settings.refined}; name accurate or lean")
        looks = refiner.looks if refiner.second is not None else LOOKS
        self.refiner = replace(refiner, correction={}, second_weight=settings.weight, looks=looks, each=settings.each)
        network = SecondEncoder(model.network.config)
        network.load_state_dict(torch.load(settings.begin / NETWORK, weights_only=True, map_location="cpu")["second"])
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.bank = read_pairs(settings.data)
        held = read_pairs(settings.val)
        self.held = pairs_of(held, np.random.default_rng(0).permutation(len(held["truth"]))[: settings.held])
        self.body = Body(model.network)

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return ``count`` pairs at random, their pictures a little changed in brightness and grain, each time anew."""
        batch = pairs_of(self.bank, rng.integers(0, len(self.bank["truth"]), count))
        looks = torch.full((count,), int(rng.integers(1, self.settings.looks + 1)))
        return batch | {"pictures": relit(batch["pictures"]), "looks": looks}

    def terms(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what hearts and shares pay, means over pairs."""
        hearts = [standing(self.refiner, batch, row) for row in range(len(batch["truth"]))]
        view = torch.cat([torch.tensor(one.views * 2) for one in hearts])
        shown = batch["pictures"][batch["present"]].contiguous(memory_format=torch.channels_last)
        for left in reversed(range(int(batch["looks"][0]))):
            with torch.autocast("cpu", enabled=False):
                slices = torch.cat([one.slices().flatten(0, 1) for one in hearts])
            with torch.set_grad_enabled(left == 0 and torch.is_grad_enabled()):
                logits = network(shown, view, slices).float()
                cells = torch.softmax(logits, dim=1)[:, 1:].split([2 * len(one.views) for one in hearts])
                with torch.autocast("cpu", enabled=False):
                    found = [one.stepped(own, self.settings.weight) for one, own in zip(hearts, cells, strict=True)]
        with torch.autocast("cpu", enabled=False):
            due = self.paid(torch.stack([one for one, _ in found]), batch)
            off = [
                (probes - batch["sectors"][row][:, one.views, :3]).norm(dim=2).mean()
                for row, (one, (_, probes)) in enumerate(zip(hearts, found, strict=True))
            ]
            due["probes"] = self.settings.probe * torch.stack(off).mean()
        return due | {"entropy": self.settings.entropy * functional.cross_entropy(logits, batch["shares"][batch["present"]])}

    def paid(self, hearts: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what hearts (B, 2, R) pay for their points, mm, and for their chambers' volumes."""
        return self.body.paid(hearts, batch["truth"], batch["volumes"], self.settings.volume)

    def validated(self, network: nn.Module) -> dict[str, float]:
        """Return the errors of the held pairs as they are looked at in use: points in mm, volumes in per cent."""
        if not isinstance(network, SecondEncoder):
            raise TypeError("what is validated is the encoder itself")
        hearts, off = [], []
        for row in range(len(self.held["truth"])):
            one = standing(self.refiner, self.held, row)
            fits = self.refiner.looked_again(network, one.sights, one.fits, one.views, self.held["pictures"][row][:, one.views])
            hearts.append(torch.stack([fit.coefficients for fit in fits]))
            probes = torch.stack([fit.planes[:, :3] for fit in fits]) - self.held["sectors"][row][:, one.views, :3]
            off.append(float(probes.norm(dim=2).mean()))
        found = torch.stack(hearts)
        shift, wrong = self.body.wrong(found.flatten(0, 1), self.held["truth"].flatten(0, 1), self.held["volumes"].flatten(0, 1))
        mean = {
            "held_points_mm": float(shift),
            "held_lv_pc": float(100 * wrong[:, 0].mean()),
            "held_rv_pc": float(100 * wrong[:, 1].mean()),
        }
        return mean | {"held_probe_mm": sum(off) / len(off)}


class Standing(Protocol):
    """Where one pair stands between two looks."""

    sights: list[Sight]
    views: list[int]

    @property
    def fits(self) -> list[Fit]:
        """Both phases as they stand."""
        ...

    def slices(self) -> Tensor:
        """Return the shares (2, V, CLASSES - 1, h, w) that both hearts show; where their cells lie is kept."""
        ...

    def stepped(self, cells: Tensor, weight: float) -> tuple[Tensor, Tensor]:
        """Return coefficients (2, R) and probes (2, V, 3) mm after the step that shares (2V, CLASSES - 1, h, w) lead to, and stand there.

        The derivative is that of the step alone, at the place where it begins.
        """
        ...


def standing(refiner: Refiner, batch: Mapping[str, Tensor], row: int) -> Standing:
    """Return where a pair of a batch stands after the first look, as ``refiner`` moves on from there."""
    views = batch["present"][row, 0].nonzero()[:, 0].tolist()
    sights = []
    for phase in range(2):
        masks = batch["pictures"][row, phase, views, 1]
        nothing = torch.zeros(len(views), CLASSES - 1, masks.shape[1] // 4, masks.shape[2] // 4)
        sights.append(sight(batch["answer"][row, phase], batch["answer_planes"][row, phase, views], nothing, masks))
    moves = moves_between(torch.stack([one.planes for one in sights]), orthonormal(batch["planes"][row][:, views]))
    theta = torch.cat([batch["heart"][row] - batch["answer"][row], moves.flatten(1)], dim=1)
    if refiner.mover is not None:
        fits = [Fit(*moved(one, own), own) for one, own in zip(sights, theta, strict=True)]
        return QuickStanding(refiner.mover, sights, views, fits, refiner.each)
    precision = precision_of(refiner.covariance[len(views)], refiner.slicer.rank, views, 2)
    return FullStanding(refiner.slicer, sights, views, precision, theta, [None, None])


@dataclass(slots=True)
class QuickStanding:
    """Where a pair stands that takes quick steps.

    Parameters
    ----------
    mover : that takes them
    sights : of both phases, with nothing wanted yet
    views : that are there
    fits : both phases as they stand
    each : steps that follow a look
    rests : (P, 3) where each phase's cells lie in the template, once they were sought
    """

    mover: Mover
    sights: list[Sight]
    views: list[int]
    fits: list[Fit]
    each: int
    rests: list[Tensor] = field(default_factory=list)

    def slices(self) -> Tensor:
        """Return the shares that both hearts show."""
        self.rests = [self.mover.rests(one, fit) for one, fit in zip(self.sights, self.fits, strict=True)]
        return torch.stack([self.mover.slices(one, rest) for one, rest in zip(self.sights, self.rests, strict=True)])

    def stepped(self, cells: Tensor, weight: float) -> tuple[Tensor, Tensor]:
        """Return coefficients and probes after the steps that follow a look."""
        wanted = [one.wanting(own) for one, own in zip(self.sights, cells.split(len(self.views)), strict=True)]
        found = self.mover.moved(wanted, self.fits, self.views, (weight, self.each), self.rests)
        self.fits = [Fit(*(part.detach() for part in one)) for one in found]
        return torch.stack([one.coefficients for one in found]), torch.stack([one.planes[:, :3] for one in found])


@dataclass(slots=True)
class FullStanding:
    """Where a pair stands that takes steps of all fields and directions.

    Parameters
    ----------
    slicer : of the network's fields
    sights : of both phases, with nothing wanted yet
    views : that are there
    precision : (T, T) of the network's errors
    theta : (2, R + 6V) how both phases are moved so far
    places : (V, h, w, 3) of each phase's cells in the template, once they were sought
    """

    slicer: Slicer
    sights: list[Sight]
    views: list[int]
    precision: Tensor
    theta: Tensor
    places: list[Tensor | None]

    @property
    def fits(self) -> list[Fit]:
        """Both phases as they stand."""
        return [Fit(*moved(one, own), own) for one, own in zip(self.sights, self.theta, strict=True)]

    @torch.no_grad()
    def slices(self) -> Tensor:
        """Return the shares that both hearts show."""
        self.places = [places_of(self.slicer, fit.coefficients, fit.planes, old) for fit, old in zip(self.fits, self.places, strict=True)]
        return torch.stack([shares_at(self.slicer, own) for own in self.places])

    def stepped(self, cells: Tensor, weight: float) -> tuple[Tensor, Tensor]:
        """Return coefficients and probes after a step."""
        size, number = self.theta.shape[1], len(self.views)
        matrix, gradient = self.precision.clone(), -(self.precision @ self.theta.flatten())
        for phase, (one, own) in enumerate(zip(self.sights, cells.split(number), strict=True)):
            part = slice(phase * size, (phase + 1) * size)
            with torch.no_grad():
                seen = glimpse(self.slicer, one, self.theta[phase], one.picked(self.places[phase]))
            normal, slope = evidence(self.slicer, one, seen._replace(gap=seen.gap + one.wanting(own).wanted))
            matrix[part, part] += weight * normal
            gradient = gradient + functional.pad(weight * slope, (phase * size, (1 - phase) * size))
        gradient = held_still(matrix, gradient, [fit.planes for fit in self.fits], self.slicer.rank)
        theta = self.theta + torch.linalg.solve(matrix, gradient).view(2, size)
        self.theta = theta.detach()
        rank = self.slicer.rank
        coefficients, origins = (
            torch.stack(parts) for parts in zip(*[(one.coefficients, one.planes[:, :3]) for one in self.sights], strict=True)
        )
        return coefficients + theta[:, :rank], origins + theta[:, rank:].view(2, number, PLANE)[..., :3]


def relit(pictures: Tensor) -> Tensor:
    """Return pictures (..., 2, H, W) with other gain, gamma and grain each, so that none is known by heart."""
    shape = (*pictures.shape[:-3], 1, 1)
    gain, gamma, grain = (low + (high - low) * torch.rand(shape) for low, high in ((0.85, 1.18), (0.85, 1.18), (0.0, 0.04)))
    grey, mask = pictures.unbind(dim=-3)
    changed = gain * grey.clamp(min=1e-4) ** gamma + grain * torch.randn_like(grey)
    return torch.stack([changed.clamp(0, 1) * mask, mask], dim=-3)


def pairs_of(bank: Mapping[str, NDArray], rows: NDArray) -> dict[str, Tensor]:
    """Return rows of pairs (B, 2, ...): pictures as the network takes them, true shares of all classes, and hearts."""
    part = {key: torch.from_numpy(value[rows]) for key, value in bank.items()}
    masks = torch.from_numpy(np.unpackbits(bank["mask"][rows], axis=-1)).float().view(part["pictures"].shape)
    pictures = torch.stack([part["pictures"].float() / 255, masks], dim=3)
    labels = part["labels"]
    true = shares(labels.flatten(0, 2)).view(*labels.shape[:3], CLASSES, labels.shape[3] // 4, labels.shape[4] // 4)
    return {"pictures": pictures, "shares": true, "present": part["present"]} | {key: part[key] for key in HELD}


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train in a folder that is there; return what was measured. ``echo3d train throughheart`` calls this.

    Raises
    ------
    InputError
        If there are no pairs, or the weights do not refine.
    """
    torch.set_num_threads(settings.threads)
    work = ThroughHeart(settings)
    loop = learn(work, settings.course(), out, resume=resume, progress=progress)
    keep_encoder(loop, settings.model, out / NETWORK)
    with torch.inference_mode():
        measured = {key: round(value, 4) for key, value in work.validated(loop.average).items()}
    return measured | {"steps": loop.step, "core_minutes": round(loop.core_minutes, 2), "weights": NETWORK}
