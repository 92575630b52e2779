"""The physical simulator for batches, on CPU or GPU: :mod:`echo3d.style.speckle` in tensors, with its constants, order and statistics.

Random numbers come from a torch generator, so that a batch is another draw than the NumPy path's, not another kind of picture. Given the
same numbers (:func:`numbers_of`) both give the same pixels. A batch is of single pictures: cines, whose speckle moves with the tissue, are
left to the NumPy path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
import torch
from torch import Tensor

from echo3d.core.sector import PictureGrid
from echo3d.errors import ShapeError
from echo3d.style import beam, display, speckle
from echo3d.style.batched_tissue import BROAD, CHEST_MM, FINE, PATCHES, Textures, amplitudes, chest_layers
from echo3d.style.draws import OFF_DB, SpeckleDraw
from echo3d.style.noise import gaussian
from echo3d.style.polar import PolarGrid
from echo3d.style.scene import Scene, check_scene
from echo3d.style.tensors import Batch, across, batch_of, box_weights, sampled, shifted, shifted_sums, times, wave_numbers

SAMPLES_AT_ONCE = 200_000
"""Samples of all pictures that a CPU works on together, as its cache holds no more; a GPU takes all at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The random numbers of P pictures.

    Parameters
    ----------
    still, fresh : (P, S, L) complex64 of unit mean square: scatterers of tissue, and of noise and blood
    textures : see :class:`echo3d.style.batched_tissue.Textures`
    """

    still: Tensor
    fresh: Tensor
    textures: Textures

    def rows(self, some: slice) -> Numbers:
        """Return the numbers of some of the pictures."""
        textures = self.textures
        return Numbers(
            self.still[some],
            self.fresh[some],
            Textures(textures.fine[some], textures.broad[some], textures.patches[some], textures.chest[some]),
        )


def speckle_batch(
    polar_labels: Tensor,
    fans: Sequence[PolarGrid],
    grid: PictureGrid,
    draws: Sequence[SpeckleDraw],
    *,
    numbers: torch.Generator | Numbers,
    scenes: Sequence[Scene] | None = None,
) -> Tensor:
    """Return the echo pictures of many slices.

    Parameters
    ----------
    polar_labels : (P, S, L) uint8 structure values on each fan, 0 outside the heart; its device does the work
    fans : where the samples lie, P of S samples and L lines
    grid : raster of the pictures
    draws : P looks; their ``seed`` and ``frame`` play no part where ``numbers`` is a generator
    numbers : where the random numbers come from (a generator of the labels' device), or they themselves
    scenes : P scenes without ``rest_mm``; None where nothing is known

    Returns
    -------
    (P, H, W) float32 in [0, 1], zero outside the fans

    Raises
    ------
    ShapeError
        If labels, fans, draws and scenes do not belong together, or a scene tells where its tissue lies at rest.
    """
    batch = _checked(polar_labels, fans, draws, scenes)
    size = max(1, SAMPLES_AT_ONCE // polar_labels[0].numel()) if polar_labels.device.type == "cpu" else len(fans)
    pictures = []
    for start in range(0, len(fans), size):
        some = slice(start, start + size)
        drawn = numbers.rows(some) if isinstance(numbers, Numbers) else numbers
        known = None if scenes is None else scenes[some]
        amplitude = envelope_batch(polar_labels[some], fans[some], draws[some], numbers=drawn, scenes=known)
        pictures.append(_pictures(_displayed(amplitude, batch.rows(some)), batch.rows(some), grid))
    return torch.cat(pictures)


def envelope_batch(
    polar_labels: Tensor,
    fans: Sequence[PolarGrid],
    draws: Sequence[SpeckleDraw],
    *,
    numbers: torch.Generator | Numbers,
    scenes: Sequence[Scene] | None = None,
) -> Tensor:
    """Return the amplitudes (P, S, L) float32 before compression, with the parameters of :func:`speckle_batch`."""
    batch = _checked(polar_labels, fans, draws, scenes)
    known = [Scene()] * len(fans) if scenes is None else scenes
    drawn = numbers if isinstance(numbers, Numbers) else draw_numbers(fans, numbers)
    if drawn.still.device != batch.device:
        raise ShapeError(
            f"random numbers must come from the labels' device, found {drawn.still.device} for {batch.device}; make both on one"
        )
    diffuse, mirror, blood = amplitudes(polar_labels, batch, drawn.textures, known)
    field = times(torch.where(blood, drawn.fresh.flip(1), drawn.still), diffuse) + mirror
    seen = _reverberated(_beam_blur(_pulse_blur(field, batch), batch), batch)
    return (seen + times(drawn.fresh, _clutter(batch)[:, :, None])).abs()


def draw_numbers(fans: Sequence[PolarGrid], generator: torch.Generator) -> Numbers:
    """Return the random numbers of a batch, on the generator's device."""
    device, count, shape = generator.device, len(fans), (fans[0].samples, fans[0].lines)

    def normal(*sides: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.randn((count, *sides), generator=generator, device=device, dtype=dtype)

    textures = Textures(normal(*FINE), normal(*BROAD), normal(*PATCHES), normal(chest_layers(fans)))
    return Numbers(normal(*shape, dtype=torch.complex64), normal(*shape, dtype=torch.complex64), textures)


def numbers_of(fans: Sequence[PolarGrid], draws: Sequence[SpeckleDraw], device: torch.device | str = "cpu") -> Numbers:
    """Return the numbers that the NumPy path takes for these draws."""
    knots, chest, layers = [], [], chest_layers(fans)
    for fan, draw in zip(fans, draws, strict=True):
        rng = np.random.default_rng([draw.seed, 1])
        knots.append([rng.standard_normal(shape, np.float32) for shape in (FINE, BROAD, PATCHES)])
        own = len(np.arange(0, fan.depth + CHEST_MM, CHEST_MM))
        chest.append(np.pad(np.random.default_rng([draw.seed, 0]).normal(0, 1, own), (0, layers - own)))
    fields = [torch.from_numpy(np.stack(some)).to(device) for some in (*zip(*knots, strict=True), chest)]
    complex_fields = [
        torch.from_numpy(np.stack([gaussian(draw.seed, stream + moving * draw.frame, fan.samples, fan.lines) for fan, draw in pairs]))
        for pairs in [list(zip(fans, draws, strict=True))]
        for stream, moving in ((2, 0), (3, 1))
    ]
    return Numbers(complex_fields[0].to(device), complex_fields[1].to(device), Textures(*fields))


def _checked(labels: Tensor, fans: Sequence[PolarGrid], draws: Sequence[SpeckleDraw], scenes: Sequence[Scene] | None) -> Batch:
    """Return the batch, or raise where labels, fans, draws and scenes do not belong together."""
    batch = batch_of(fans, draws, labels.device)
    if tuple(labels.shape) != (len(fans), *batch.shape):
        raise ShapeError(f"labels on these fans must have shape {(len(fans), *batch.shape)}, found {tuple(labels.shape)}")
    if scenes is not None and len(scenes) != len(fans):
        raise ShapeError(f"a batch needs a scene for each picture or none at all, found {len(scenes)} of {len(fans)}; give as many")
    for scene, fan in zip(scenes or (), fans, strict=False):
        check_scene(scene, fan)
        if scene.rest_mm is not None:
            raise ShapeError("a batch is of single pictures, found tissue that lies elsewhere at rest; make cines with speckle_image")
    return batch


def _pulse_blur(field: Tensor, batch: Batch) -> Tensor:
    """Return the fields smoothed along the beams by the pulse's envelope, of unit energy."""
    sigma = batch.exact("axial_mm") * beam._SIGMA / batch.exact("step_mm")
    reach = torch.ceil(2.5 * sigma)
    offsets = torch.arange(int(reach.max()) + 1, device=batch.device)
    kernel = torch.exp(-0.5 * (offsets / sigma).square()) * (offsets <= reach)
    return shifted_sums(field, kernel / (kernel[:, :1].square() + 2 * kernel[:, 1:].square().sum(dim=1, keepdim=True)).sqrt())


def _beam_blur(field: Tensor, batch: Batch) -> Tensor:
    """Return the fields smoothed across the beams by the depth-dependent beam, of unit energy."""
    lines = batch.shape[1]
    length = scipy.fft.next_fast_len(lines + 8)
    wide = torch.hypot(torch.ones_like(batch.radii()), 0.85 * (batch.exact("focus_mm") / batch.radii() - 1)).clamp(max=beam._WIDEST)
    sigma = (batch.exact("lateral_deg") * wide * beam._SIGMA / batch.exact("line_deg")).float().square()[:, :, None]
    wave = torch.from_numpy(wave_numbers(length).copy()).to(batch.device)
    spectrum = torch.exp(-0.5 * sigma * wave)
    foot = torch.where(batch.exact("sidelobe_db") > OFF_DB, beam._FOOT * 10 ** (batch.exact("sidelobe_db") / 20), 0.0)[:, :, None].float()
    if bool(foot.any()):
        spectrum = spectrum + foot * torch.exp(-0.5 * beam._FOOT**2 * sigma * wave)
    spectrum = spectrum / spectrum.square().mean(dim=2, keepdim=True).sqrt()
    return torch.fft.ifft(times(torch.fft.fft(field, n=length, dim=2), spectrum), dim=2)[..., :lines]


def _reverberated(seen: Tensor, batch: Batch) -> Tensor:
    """Return the fields with the copy that bounces between probe and chest wall."""
    shift = (batch.exact("reverb_mm") / batch.exact("step_mm")).round()
    there = (batch.exact("reverb_db") > OFF_DB) & (shift > 0) & (shift < batch.shape[0])
    share = torch.where(there, 10 ** (batch.exact("reverb_db") / 20) * torch.exp(-batch.radii() / speckle._REVERB_MM), 0.0)
    copy, found = shifted(times(seen, share[:, :, None].float()), -shift[:, 0].long())
    return seen + torch.where(found, copy, 0)


def _clutter(batch: Batch) -> Tensor:
    """Return (P, S) the amplitude of near-field haze and electronic noise together."""
    radii = batch.radii()
    haze = 10 ** (batch.exact("haze_db") / 20) * torch.exp(-radii / batch.exact("haze_mm"))
    noise = 10 ** ((batch.exact("noise_db") + speckle._NOISE_RISE_DB * (radii / batch.exact("depth") - 1)) / 20)
    return torch.hypot(haze, noise).float()


def _displayed(amplitude: Tensor, batch: Batch) -> Tensor:
    """Return grey values (P, S, L) in [0, 1] as :func:`echo3d.style.display.displayed` makes them."""
    grey = amplitude.clamp(min=float(display._FLOOR)).log10() * (20 / batch.number("range_db"))
    grey = (grey + (1 - batch.number("white_db") / batch.number("range_db"))).clamp(0, 1)
    grey = grey + batch.number("smooth") * (across(_mean(grey, display._SMOOTH_MM, batch), 1 / 3) - grey)
    grey = across(grey, batch.number("blur"))
    grey = (grey + batch.number("edge") * (grey - _mean(grey, display._EDGE_MM, batch))).clamp(0, 1) ** batch.number("gamma")
    return grey * (1 + batch.number("curve") * (grey * (3 - 2 * grey) - 1))


def _mean(grey: Tensor, width_mm: float, batch: Batch) -> Tensor:
    """Return the running mean along the beams over a width, as the odd number of samples next to it."""
    half = ((width_mm / batch.exact("step_mm") - 1) / 2).round().clamp(min=0)[:, 0].long()
    return shifted_sums(grey, box_weights(2 * half + 1))


def _pictures(polar: Tensor, batch: Batch, grid: PictureGrid) -> Tensor:
    """Return the pictures (P, H, W) of samples on beams, zero outside the fans; see :func:`echo3d.style.polar.scan_convert`."""
    width = (grid.pixel_mm / batch.exact("step_mm")).clamp(min=1)
    reach = torch.ceil((width - 1) / 2)
    offsets = torch.arange(int(reach.max()) + 1, device=batch.device)
    shares = torch.where(offsets < reach, 1.0, torch.where(offsets == reach, (width - 1) / 2 - (reach - 1), 0.0))
    shares = torch.where(reach == 0, (offsets == 0).double(), shares)
    mean = shifted_sums(polar, shares / width)
    mm = torch.from_numpy(grid.plane_mm()).to(batch.device)
    radius, angle = torch.hypot(mm[..., 0], mm[..., 1]), torch.rad2deg(torch.atan2(mm[..., 1], mm[..., 0]))
    half, depth, step, line = (batch.exact(name)[:, :, None] for name in ("half_angle", "depth", "step_mm", "line_deg"))
    places = torch.stack([(angle + half) / line - 0.5, radius / step - 0.5], dim=-1)
    return sampled(mean, places) * ((radius <= depth) & (angle.abs() <= half))
