"""Networks that answer in less time where the processor has instructions for bfloat16."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from echo3d.reconstruction.s2mnet import Encoder, PerView, S2MNet

AnyEncoder = TypeVar("AnyEncoder", bound=Encoder)

WIDE, FILLED = 128, 16
"""Numbers that a linear layer answers with from which its weights are kept in bytes, and what rows are filled up to a multiple of."""

SIZES = 4
"""Sizes of pictures that packed weights are kept for at once."""

LARGE = 400
"""Cells of a raster from which a norm is quicker as sums of our own than as torch's."""


def brisk() -> bool:
    """Whether the processor has instructions for bfloat16, so that what is held up by memory takes half the time in it."""
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


class WideNorm(nn.GroupNorm):
    """A group norm that sums in single precision, whatever comes and goes: in bfloat16 it is slow and coarse."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, H, W) of the same shape and precision."""
        if x.shape[2] * x.shape[3] < LARGE:
            return nn.functional.group_norm(x.float(), self.num_groups, self.weight, self.bias, self.eps).to(x.dtype)
        count, channels, height, width = x.shape
        cells = x.float().permute(0, 2, 3, 1).reshape(count, height * width, channels)  # no copy: channels lie last
        sums = torch.stack([cells.sum(dim=1), cells.square().sum(dim=1)]).view(2, count, self.num_groups, -1)
        mean, square = sums.mean(dim=3) / (height * width)
        inverse = (square - mean.square()).clamp(min=0).add(self.eps).rsqrt()
        gain = (self.weight.view(self.num_groups, -1) * inverse[..., None]).view(count, channels)
        shift = self.bias - gain * mean.repeat_interleave(channels // self.num_groups, dim=1)
        scaled = torch.addcmul(shift[:, None], cells, gain[:, None]).to(x.dtype)
        return scaled.view(count, height, width, channels).permute(0, 3, 1, 2)


class PackedConv(nn.Conv2d):
    """A convolution in bfloat16 whose weights lie as oneDNN multiplies them with pictures of a size; torch lays them anew each time.

    The product is torch's own of its compiler, which it does not document. What it answers is the same, bit by bit.
    """

    def __init__(self, plain: nn.Conv2d) -> None:
        super().__init__(plain.in_channels, plain.out_channels, plain.kernel_size, plain.stride, plain.padding)  # type: ignore[arg-type]
        self.load_state_dict(plain.state_dict())
        self.bfloat16()
        self.way = [list(part) for part in (plain.padding, plain.stride, plain.dilation)]
        self.packed: dict[tuple[int, ...], Tensor] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> PackedConv:
        return PackedConv(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, h, w) of (B, A, H, W)."""
        size = tuple(x.shape)
        if size not in self.packed:
            if len(self.packed) == SIZES:
                self.packed.clear()
            self.packed[size] = torch.ops.mkldnn._reorder_convolution_weight(self.weight.detach(), *self.way, 1, size)
        return torch.ops.mkldnn._convolution_pointwise(x, self.packed[size], self.bias, *self.way, 1, "none", [], "")  # type: ignore[no-any-return]


def hastened_encoder(encoder: AnyEncoder) -> AnyEncoder:
    """Return an encoder that sees in two thirds of the time where the processor has instructions for bfloat16; the same one elsewhere."""
    if encoder.view.device.type != "cpu" or not brisk():
        return encoder
    twin = copy.deepcopy(encoder)
    _hasten(twin)
    twin.view = nn.Parameter(twin.view.bfloat16())
    return twin.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _hasten(whole: nn.Module) -> None:
    """Put wide norms and packed convolutions in the place of a network's own."""
    for name, part in whole.named_children():
        if isinstance(part, nn.GroupNorm):
            wide = WideNorm(part.num_groups, part.num_channels, part.eps)
            wide.load_state_dict(part.state_dict())
            setattr(whole, name, wide)
        elif isinstance(part, nn.Conv2d):
            setattr(whole, name, PackedConv(part))
        else:
            _hasten(part)


class ByteRows(nn.Module):
    """A matrix whose entries are a byte each, every row with its scale.

    The product is torch's own of a quantised language model, which it does not document; nothing else of it takes bytes and leaves what is
    multiplied as precise as it is.

    Parameters
    ----------
    matrix : (M, N)
    """

    entries: Tensor
    scale: Tensor

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.filled = -matrix.shape[1] % FILLED
        whole = nn.functional.pad(matrix.detach().float(), (0, self.filled))
        scale = (whole.abs().amax(dim=1).clamp(min=1e-12) / 127).bfloat16()
        self.register_buffer("scale", scale)
        self.register_buffer("entries", (whole / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8).contiguous())

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, M) of (B, N), bfloat16 both."""
        return torch._weight_int8pack_mm(nn.functional.pad(x, (0, self.filled)).contiguous(), self.entries, self.scale)


class ByteLinear(nn.Module):
    """A linear layer in bytes."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.rows, self.bias = ByteRows(layer.weight), layer.bias.detach().bfloat16()

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, after) of (B, before)."""
        return self.rows(x) + self.bias


class BytePerView(nn.Module):
    """A linear map of its own for each view, in bytes."""

    def __init__(self, layer: PerView) -> None:
        super().__init__()
        self.views, self.bias = nn.ModuleList([ByteRows(own.T) for own in layer.weight]), layer.bias.detach().bfloat16()

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, V, after) of (B, V, before)."""
        return torch.stack([own(part) for own, part in zip(self.views, x.unbind(dim=1), strict=True)], dim=1) + self.bias


def hastened(network: S2MNet) -> S2MNet:
    """Return a network that reads maps in a third of the time where the processor has instructions for bfloat16; the same one elsewhere.

    What reads is held up by the memory of its weights, so these are kept in a byte each; hearts come out within 0.1 mm of each other.
    """
    if network.template.device.type != "cpu" or not brisk():
        return network
    shared: dict[int, Any] = {id(part): part for part in (*network.buffers(), network.encoder)}
    twin = copy.deepcopy(network, shared)
    for name, part in twin.named_children():
        if name != "encoder":
            part.bfloat16()
    _in_bytes(twin, network)
    return twin


def _in_bytes(twin: nn.Module, network: nn.Module) -> None:
    """Put byte layers, of a network's weights, in the place of its twin's linear ones that are wide."""
    for name, part in network.named_children():
        if isinstance(part, PerView) and part.bias.shape[1] >= WIDE:
            setattr(twin, name, BytePerView(part))
        elif isinstance(part, nn.Linear) and part.out_features >= WIDE:
            setattr(twin, name, ByteLinear(part))
        elif not isinstance(part, Encoder):
            _in_bytes(getattr(twin, name), part)
