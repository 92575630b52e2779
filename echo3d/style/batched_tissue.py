"""How strongly every sample of many fans scatters: :mod:`echo3d.style.echogenicity` in tensors, with its constants and in its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from echo3d.style import coarse as slow
from echo3d.style import echogenicity as tissue
from echo3d.style import shadows
from echo3d.style.draws import OFF_DB
from echo3d.style.polar import PolarGrid
from echo3d.style.scene import Scene
from echo3d.style.tensors import Batch, both_sides, linear, shifted, slope

CHEST_MM = 3.0
FINE, BROAD, PATCHES = (40, 24), (26, 8), (5, 6)
"""Knots of the three textures, as :func:`echo3d.style.echogenicity._textures` has them."""


@dataclass(frozen=True, slots=True, eq=False)
class Textures:
    """Random numbers of tissue: knots ``fine`` (P, 40, 24), ``broad`` (P, 26, 8) and ``patches`` (P, 5, 6), ``chest`` (P, K); float32."""

    fine: Tensor
    broad: Tensor
    patches: Tensor
    chest: Tensor


def chest_layers(fans: Sequence[PolarGrid]) -> int:
    """Return how many layers of 3 mm the deepest fan needs."""
    return max(len(np.arange(0, fan.depth + CHEST_MM, CHEST_MM)) for fan in fans)


def amplitudes(labels: Tensor, batch: Batch, textures: Textures, scenes: Sequence[Scene]) -> tuple[Tensor, Tensor, Tensor]:
    """Return diffuse and mirror echoes (P, S, L) float32 and where blood is, as :func:`echo3d.style.echogenicity.scatter_amplitude`."""
    kinds = _table(tissue.KINDS.astype(np.int64), labels)
    density = _table(tissue._DENSITY, labels)
    maps = _slow_maps(density, batch, scenes)
    fine, broad, patches = (_field(knots, batch.shape) for knots in (textures.fine, textures.broad, textures.patches))
    gain = maps["gained"] + _depth_gain(batch)[:, :, None] + _drawn_shadow(batch)[:, None, :] + patches * batch.number("patch_db")
    behind, haze, bright = _of_scenes(batch, scenes)
    gain = gain if behind is None else gain + behind
    levels = _levels(kinds, maps, (fine, broad), (batch, textures.chest)) + gain
    levels = levels if haze is None else torch.maximum(levels, haze)
    gain = gain + fine * (2 * batch.number("texture_db"))
    lung = _drawn_lung(batch) * torch.exp(fine * (2 * float(tissue._NEPER) * batch.number("texture_db")))
    mirror = _mirror(density, maps["facing"], gain, batch) + lung
    mirror = mirror if bright is None else mirror + bright
    return torch.exp(levels * float(tissue._NEPER)), mirror, kinds == tissue._BLOOD


def _table(values: np.ndarray, labels: Tensor) -> Tensor:
    """Return the value of every label of a table (256,)."""
    return torch.from_numpy(np.array(values)).to(labels.device)[labels.long()]


def _levels(kinds: Tensor, maps: dict[str, Tensor], fields: tuple[Tensor, Tensor], how: tuple[Batch, Tensor]) -> Tensor:
    """Return the level of every sample before gain and shadows, dB."""
    (fine, broad), (batch, chest) = fields, how
    outside, wall = kinds == tissue._OUTSIDE, (kinds != tissue._OUTSIDE) & (kinds != tissue._BLOOD)
    named = [batch.number(name)[:, 0] for name in ("atrial_db", "vessel_db", "valve_db", "blood_db")]
    levels = torch.cat([torch.zeros_like(named[0])] * 2 + named, dim=1).gather(1, kinds.flatten(1)).view(kinds.shape)
    levels = levels + fine * batch.number("texture_db") - maps["lost"] * wall - maps["fibre"] * (kinds == tissue._MYOCARDIUM)
    around = maps["around"] + broad * batch.number("outside_texture_db") + _chest(batch, chest)[:, :, None]
    shell = _shell(outside, batch) * maps["facing"]
    around = around + shell * (batch.number("pericardium_db") - maps["around"])
    return torch.where(outside, around, levels)


def _shell(outside: Tensor, batch: Batch) -> Tensor:
    """Return the samples outside that lie within 2.5 mm of the heart along the beam, or one beam beside it."""
    reach = batch.whole(tissue._PERICARDIUM_MM / batch.exact("step_mm"))
    heart = outside.logical_not()
    near = heart.clone()
    for offset in (reach, -reach):
        there, found = shifted(heart, offset)
        near |= there & found
    near[..., 1:] |= heart[..., :-1]
    near[..., :-1] |= heart[..., 1:]
    return near & outside


def _mirror(density: Tensor, facing: Tensor, gain: Tensor, batch: Batch) -> Tensor:
    """Return the mirror echo of the borders that the beam crosses."""
    reach = batch.whole(0.5 * batch.exact("axial_mm") / batch.exact("step_mm"))
    (after, has_after), (before, has_before) = shifted(density, reach), shifted(density, -reach)
    rise = after - before
    echo = torch.maximum(rise, -tissue._LEAVING * rise) * (has_after & has_before) * (batch.number("specular_db") > OFF_DB)
    return echo * facing * torch.exp((gain + batch.number("specular_db")) * float(tissue._NEPER))


def _slow_maps(density: Tensor, batch: Batch, scenes: Sequence[Scene]) -> dict[str, Tensor]:
    """Return the maps of :class:`echo3d.style.coarse.Slow` by their names."""
    (samples, lines), (tall, wide) = batch.shape, slow.COARSE
    coarse = both_sides(slow.pool(samples, tall), density, slow.pool(lines, wide))
    place = 2 * _blurred(coarse, 1.5, 1.5) - 1
    along, tangent = _along(coarse, batch)
    cell = (batch.exact("depth") / tall / 10 * batch.exact("enhancement_db_per_cm"))[:, :, None].float()
    gained = (1 - coarse).clamp(0, 1).cumsum(dim=1) * cell
    share = torch.tensor([scene.long_axis**2 for scene in scenes], device=batch.device, dtype=torch.float32)[:, None, None]
    lifted = torch.sin(float(np.radians(slow.HELIX_DEG)) * (1 - place.clamp(0, 2))).square()
    maps = {
        "facing": (1 - along).clamp(0, 1) ** (batch.number("specular_power") / 2),
        "lost": along * batch.number("dropout_db"),
        "fibre": tangent * (share * lifted + (1 - share) * (1 - lifted)) * batch.number("fibre_db"),
        "gained": gained - gained.mean(dim=(1, 2), keepdim=True),
        "around": _around(coarse, batch),
    }
    return {name: both_sides(slow.stretch(tall, samples), one, slow.stretch(wide, lines)) for name, one in maps.items()}


def _blurred(coarse: Tensor, rows: float, columns: float) -> Tensor:
    """Return coarse maps (P, h, w) after a Gaussian mean of two widths in cells."""
    return both_sides(slow.blur(coarse.shape[1], rows), coarse, slow.blur(coarse.shape[2], columns))


def _weighed(coarse: Tensor, width: float) -> Tensor:
    """Return the same but for the ends of the rows, whose weights are those of the mean's transpose: as ``_along`` of the NumPy path."""
    return both_sides(slow.blur(coarse.shape[1], width), coarse, np.ascontiguousarray(slow.blur(coarse.shape[2], width).T))


def _along(coarse: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the share 0-1 in which the wall nearby runs along the beam, and the same from further around."""
    tall, wide = slow.COARSE
    step = (batch.exact("depth") / tall)[:, :, None].float()
    radii = (torch.arange(tall, device=batch.device, dtype=torch.float32) + 0.5)[None, :, None] * step
    width = radii * torch.deg2rad(2 * batch.exact("half_angle") / wide)[:, :, None].float()
    beam = _weighed((slope(coarse, 1) / step).square(), 1.5)
    side = _weighed((slope(coarse, 2) / width).square(), 1.5)
    far_side, far_beam = _weighed(side, 2.5), _weighed(beam, 2.5)
    return (side + 2e-4) / (side + beam + 2e-3), far_side / (far_side + far_beam + 1e-5)


def _around(coarse: Tensor, batch: Batch) -> Tensor:
    """Return the coarse level of what lies around the heart, dB."""
    tall = slow.COARSE[0]
    depth = ((torch.arange(tall, device=batch.device)[None] + 0.5) * batch.exact("depth") / tall)[:, :, None].float()
    heart = coarse < 1.5
    behind = depth - torch.where(heart, depth, -1e3).cummax(dim=1).values
    before = torch.where(heart, depth, 1e4).flip(1).cummin(dim=1).values.flip(1) - depth
    beside = ~heart.any(dim=1, keepdim=True) * torch.sigmoid((depth - batch.number("chest_mm")) / 5)
    level = batch.number("outside_db") + batch.number("side_db") * beside
    tail = torch.where(behind < 500, behind.clamp(max=slow._FAR_MM), 0.0)
    level = _blurred(level - batch.number("tail_db_per_cm") / 10 * tail, 1.0, 2.0)
    fat = torch.exp(-(torch.minimum(behind, before) / batch.number("fat_mm").clamp(min=1e-3)).square()) * (batch.number("fat_mm") > 0)
    return level + fat * (batch.number("fat_db") - level)


def _field(knots: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return smooth random fields (P, S, L) of unit variance each from their knots (P, h, w)."""
    rows, columns = (slow.stretch(knot, size) @ slow.blur(knot, 0.7) for knot, size in zip(knots.shape[1:], shape, strict=True))
    field = both_sides(rows, knots, columns)
    apart = field - field.mean(dim=(1, 2), keepdim=True)
    return field / apart.square().mean(dim=(1, 2), keepdim=True).sqrt()


def _chest(batch: Batch, layers: Tensor) -> Tensor:
    """Return (P, S) the level of the chest wall's layers before the heart, dB."""
    there = (batch.exact("chest_mm") > 0) * batch.exact("chest_db")
    level = linear(layers.double(), batch.radii() / CHEST_MM) * there
    return (level * torch.sigmoid((batch.exact("chest_mm") - batch.radii()) / 2)).float()


def _depth_gain(batch: Batch) -> Tensor:
    """Return (P, S) what attenuation and the machine's depth gain leave uncorrected, dB."""
    curves = [tissue._depth_gain_db(fan, draw) for fan, draw in zip(batch.fans, batch.draws, strict=True)]
    return torch.from_numpy(np.stack(curves)).to(batch.device)


def _edges(batch: Batch) -> Tensor:
    """Return (P, L) the share in which a beam lies in the shadow of the fan's left or right edge."""
    left, right, half, angle = batch.exact("left_deg"), batch.exact("right_deg"), batch.exact("half_angle"), batch.angles()
    return torch.sigmoid((left - angle - half) / 2) * (left > 0) + torch.sigmoid((right + angle - half) / 2) * (right > 0)


def _drawn_shadow(batch: Batch) -> Tensor:
    """Return (P, L) the loss of each beam behind lung at the edges and behind a rib, dB."""
    off = (batch.angles() - batch.exact("rib_at") * batch.exact("half_angle")) / (batch.exact("rib_deg") / 2)
    return (-batch.exact("shadow_db") * _edges(batch) - batch.exact("rib_db") * torch.exp(-0.5 * off.square())).float()


def _drawn_lung(batch: Batch) -> Tensor:
    """Return (P, S, L) the reverberation lines in the shadows at the fan's edges; (P, 1, 1) zeros where no picture has any."""
    there = (batch.exact("lung_db") > OFF_DB) & (batch.exact("chest_mm") > 0) & (batch.exact("shadow_db") > 0)
    if not bool(there.any()):
        return torch.zeros(len(batch.fans), 1, 1, device=batch.device)
    apart = batch.exact("chest_mm").clamp(min=shadows._LEAST_MM)
    turns = batch.radii() / apart
    thickness = (1.2 * batch.exact("step_mm")).clamp(min=shadows._LINE_MM)
    on = ((turns - turns.round()).abs() <= thickness / apart / 2) & (turns.round() >= 1)
    lines = torch.where(on & there, 10 ** ((batch.exact("lung_db") - shadows.LINE_DB * turns.round()) / 20), 0.0)
    return (lines[:, :, None] * _edges(batch)[:, None, :]).float()


def _of_scenes(batch: Batch, scenes: Sequence[Scene]) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return loss behind bone and lung, haze behind lung, and bright fronts, each (P, S, L) or None where no picture has any.

    These few pictures are worked out one by one, by the NumPy path itself.
    """
    pairs = list(zip(batch.fans, scenes, strict=True))
    behind = [None if scene.shadow_mm is None else shadows.behind_db(fan, scene.shadow_mm) for fan, scene in pairs]
    bright = [None if scene.shadow_mm is None else shadows.fronts(fan, scene) for fan, scene in pairs]
    haze = [shadows.lung_haze_db(fan, scene) for fan, scene in pairs]
    return _stacked(behind, 0.0, batch), _stacked(haze, -np.inf, batch), _stacked(bright, 0.0, batch)


def _stacked(maps: Sequence[np.ndarray | None], empty: float, batch: Batch) -> Tensor | None:
    """Return maps as one tensor (P, S, L), ``empty`` where there is none; None where there are none at all."""
    if all(one is None for one in maps):
        return None
    plain = np.full(batch.shape, empty, np.float32)
    return torch.from_numpy(np.stack([plain if one is None else one for one in maps])).to(batch.device)
