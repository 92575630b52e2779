"""The lessons of the lean network as works of the training loop: what is where in a picture, hearts from structure maps, whom to trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from echo3d.reconstruction.s2mnet import VIEWS, Encoder, S2MNet, pooled
from training.augment import look
from training.basis import fields_at_points
from training.data import Shards
from training.encoder import shares
from training.heartsheet import Sample, first_pair, sections, write_sections
from training.losses import Measures, Target, loss_terms, measures
from training.s2mnet import Lesson, stored_pictures, validate
from training.trust import Looks, shown_views

HELD = 40
"""Validation samples that the encoder is measured on, and that the sheet's heart is one of."""

SHOWN_AS = np.array([0, 1, 2, 3, 101, 102, 103, 104, 105], np.uint8)
"""A structure of each class, in whose colour a structure map is drawn."""

HEART_TERMS = ("points", "volumes", "ef")


def place_of(network: nn.Module) -> torch.device:
    """Return the device that a network lies on."""
    return next(network.parameters()).device


class EncoderWork:
    """Learning the share of each structure in each cell of a picture.

    Parameters
    ----------
    encoder : what learns
    shards, val : samples to learn from, and to measure on
    strength : of the domain randomisation
    """

    def __init__(self, encoder: Encoder, shards: Shards, val: Shards, strength: float) -> None:
        self.network: nn.Module = encoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.shards, self.strength, self.shown = shards, strength, first_pair(val)
        held = {key: value[:HELD] for key, value in val.first(HELD).all(("echo", "fans", "labels")).items()}
        self.held = stored_pictures(held).flatten(0, 1), shares(held["labels"].flatten(0, 1))

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return pictures (B, V, 2, H, W) and true shares (B, V, CLASSES, H/4, W/4), ED and ES of each heart that is drawn."""
        batch = self.shards.pairs(rng, -(-count // 2))
        true = shares(batch["labels"].flatten(0, 1)).unflatten(0, (-1, VIEWS))
        return {"pictures": look(batch["echo"], batch["fans"], rng, self.strength)[:count], "shares": true[:count]}

    def terms(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the cross entropy."""
        pictures, true = (batch[key].flatten(0, 1) for key in ("pictures", "shares"))
        return {"cells": functional.cross_entropy(self.read(network, pictures).float(), true)}

    def read(self, network: nn.Module, pictures: Tensor) -> Tensor:
        """Return logits (P, CLASSES, H/4, W/4) of pictures (P, 2, H, W), six of each sample."""
        views = torch.arange(VIEWS, device=pictures.device).repeat(len(pictures) // VIEWS)
        return network(pictures.contiguous(memory_format=torch.channels_last), views)

    def validated(self, network: nn.Module) -> dict[str, float]:
        """Return the cross entropy and the share of cells in per cent whose largest structure is told, on pictures as they are."""
        pictures, true = self.held
        logits = torch.cat([self.read(network, part.to(place_of(network))).float().cpu() for part in pictures.split(10 * VIEWS)])
        right = (logits.argmax(dim=1) == true.argmax(dim=1)).float().mean()
        return {"held_cells": float(functional.cross_entropy(logits, true)), "held_cells_pc": 100 * float(right)}

    def sheet(self, network: nn.Module, path: Path) -> None:
        """Draw the structure of every cell, the true one above the one that is read."""
        echo, fans = (torch.from_numpy(np.array(self.shown[key])) for key in ("echo", "fans"))
        pictures = stored_pictures({"echo": echo, "fans": fans}).flatten(0, 1)
        read = self.read(network, pictures.to(place_of(network))).argmax(dim=1).cpu().numpy()
        cells = SHOWN_AS[read].reshape(2, VIEWS, *read.shape[1:]).repeat(4, axis=2).repeat(4, axis=3)
        write_sections(path, self.shown, cells)


class Reading(nn.Module):
    """S2MNet from structure maps on, as a module of its own, so that several processes may share it."""

    def __init__(self, network: S2MNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, maps: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return coarse and fused coefficients, planes and trust; see ``S2MNet.read``."""
        return self.network.read(maps, present)


class MapsWork:
    """Learning hearts from structure maps.

    Parameters
    ----------
    network : what learns, from its maps on
    lessons : the banks that are drawn from
    pairs : how many pairs of each a step takes, relative to each other
    val : validation samples with their ``maps``
    shown : the heart of the sheet, the first of ``val``
    """

    group = 2

    def __init__(self, network: S2MNet, lessons: list[Lesson], pairs: tuple[int, ...], val: dict[str, Tensor], shown: Sample) -> None:
        network.encoder.requires_grad_(False)
        self.network: nn.Module = Reading(network)
        self.lessons, self.pairs, self.val, self.shown = lessons, pairs, val, shown
        self.constants = measures(fields_at_points(network))

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return maps, present views and the truth of ``count`` rows, ED and ES in turn; chance comes from torch's generator."""
        del rng
        parts = zip(self.lessons, split(count // 2, self.pairs), strict=True)
        maps, targets, present = zip(*[lesson.draw(pairs) for lesson, pairs in parts if pairs], strict=True)
        truth = {one.name: torch.cat([getattr(target, one.name) for target in targets]) for one in fields(Target)}
        return truth | {"maps": torch.cat(maps), "present": torch.cat(present)}

    def terms(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the terms of the loss; those of whole hearts are nothing where no row shows one."""
        target = Target(**{one.name: batch[one.name] for one in fields(Target)})
        with torch.autocast(batch["maps"].device.type, torch.bfloat16):
            answer = network(batch["maps"], batch["present"])
        coarse, fused, planes, trust = (part.float() for part in answer)
        self.constants = on(self.constants, fused.device)
        with torch.autocast(batch["maps"].device.type, enabled=False):
            found = loss_terms((coarse, fused, planes, trust), target, batch["present"], self.constants)
        return dict.fromkeys(HEART_TERMS, 0 * fused.sum()) | found

    def validated(self, network: nn.Module) -> dict[str, float]:
        """Return the errors on the validation samples' maps, all six views."""
        return validate(inner(network), self.val)

    def sheet(self, network: nn.Module, path: Path) -> None:
        """Draw the truth above the heart that is read, cut at the true planes."""
        maps = self.val["maps"][:2].float().to(place_of(network))
        points = inner(network).from_maps(maps, torch.ones(maps.shape[:2], dtype=torch.bool, device=maps.device)).points.cpu()
        write_sections(path, self.shown, sections(points, self.shown["sectors"], self.shown["fans"]))


def inner(network: nn.Module) -> S2MNet:
    """Return the network that a :class:`Reading` reads with."""
    found = network.network
    if not isinstance(found, S2MNet):
        raise TypeError("only a Reading of S2MNet has lessons on maps")
    return found


def split(count: int, shares_: tuple[int, ...]) -> list[int]:
    """Return whole numbers with a sum, as near to their shares as may be.

    >>> split(112, (80, 32)), split(3, (80, 32)), split(2, (96,))
    ([80, 32], [2, 1], [2])
    """
    edges = np.rint(np.cumsum((0, *shares_)) * count / sum(shares_)).astype(int)
    return np.diff(edges).tolist()


def on(constants: Measures, device: torch.device) -> Measures:
    """Return the losses' constants on a device."""
    if constants.gram.device == device:
        return constants
    moved = {name: getattr(constants, name).to(device) for name in ("gram", "rest", "axes")}
    return replace(constants, **moved, cavities=[faces.to(device) for faces in constants.cavities])


@torch.inference_mode()
def true_maps(samples: dict[str, Tensor]) -> Tensor:
    """Return the pooled structure maps (S, V, cells) of samples' label slices."""
    parts = samples["labels"].split(40)
    return torch.cat([pooled(shares(part.flatten(0, 1))[:, 1:].unflatten(0, (-1, VIEWS)).contiguous()) for part in parts])


class TrustWork:
    """Learning whom to trust: the trust head alone; points, planes and all else stay as they are to the bit.

    Parameters
    ----------
    network : whose trust head learns
    looks : maps (S, V, cells) and (S, V) bool where they are genuine; the last tenth is measured on
    """

    def __init__(self, network: S2MNet, looks: Looks) -> None:
        network.requires_grad_(False)
        network.trust.requires_grad_(True)
        self.network: nn.Module = Reading(network)
        kept = max(1, len(looks[0]) // 10)
        self.looks, self.held = tuple(part[:-kept] for part in looks), tuple(part[-kept:] for part in looks)

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return maps, shown views and which are genuine; chance comes from torch's generator."""
        del rng
        maps, genuine = self.looks
        rows = torch.randint(len(maps), (count,))
        return {"maps": maps[rows].float(), "present": shown_views(genuine[rows]), "genuine": genuine[rows]}

    def terms(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the cross entropy over the shown views."""
        answer, shown = network(batch["maps"], batch["present"])[3], batch["present"]
        return {"trusted": functional.binary_cross_entropy_with_logits(answer[shown].float(), batch["genuine"][shown].float())}

    def validated(self, network: nn.Module) -> dict[str, float]:
        """Return the cross entropy of looks that are not learned from, all six views shown."""
        maps, genuine = (part.to(place_of(network)) for part in self.held)
        answer = network(maps.float(), torch.ones_like(genuine))[3]
        return {"held_trusted": float(functional.binary_cross_entropy_with_logits(answer.float(), genuine.float()))}
