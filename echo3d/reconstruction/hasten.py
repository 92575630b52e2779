"""Networks that answer in less time where the processor has instructions for bfloat16."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from echo3d.reconstruction.s2mnet import Encoder, S2MNet

AnyEncoder = TypeVar("AnyEncoder", bound=Encoder)


def brisk() -> bool:
    """Whether the processor has instructions for bfloat16, so that what is held up by memory takes half the time in it."""
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


class WideNorm(nn.GroupNorm):
    """A group norm that sums in single precision, whatever comes and goes: in bfloat16 it is slow and coarse."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, H, W) of the same shape and precision."""
        return nn.functional.group_norm(x.float(), self.num_groups, self.weight, self.bias, self.eps).to(x.dtype)


def hastened_encoder(encoder: AnyEncoder) -> AnyEncoder:
    """Return an encoder that sees in two thirds of the time where the processor has instructions for bfloat16; the same one elsewhere."""
    if encoder.view.device.type != "cpu" or not brisk():
        return encoder
    twin = copy.deepcopy(encoder)
    _widen(twin)
    for part in twin.modules():
        if isinstance(part, nn.Conv2d):
            part.bfloat16()
    twin.view = nn.Parameter(twin.view.bfloat16())
    return twin.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _widen(whole: nn.Module) -> None:
    """Put wide norms in the place of a network's group norms."""
    for name, part in whole.named_children():
        if isinstance(part, nn.GroupNorm):
            wide = WideNorm(part.num_groups, part.num_channels, part.eps)
            wide.load_state_dict(part.state_dict())
            setattr(whole, name, wide)
        else:
            _widen(part)


def hastened(network: S2MNet) -> S2MNet:
    """Return a network that reads maps in half the time where the processor has instructions for bfloat16; the same one elsewhere.

    What reads is held up by the memory of its weights; hearts come out within 0.1 mm of each other.
    """
    if network.template.device.type != "cpu" or not brisk():
        return network
    shared: dict[int, Any] = {id(part): part for part in (*network.buffers(), network.encoder)}
    twin = copy.deepcopy(network, shared)
    for name, part in twin.named_children():
        if name != "encoder":
            part.bfloat16()
    return twin
