"""The devices that jobs take turns on: words such as cpu, cuda:0 or cuda:0+cuda:1, and which GPUs this machine has."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass

from echo3d.errors import InputError

_ONE = re.compile(r"cpu|cuda:\d{1,3}")
_ASK_S = 20


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as the driver lists it.

    Parameters
    ----------
    device : "cuda:0" and so on
    name : of the card
    total_mb, free_mb : memory
    """

    device: str
    name: str
    total_mb: int
    free_mb: int


def devices_in(slot: str) -> frozenset[str]:
    """Return the devices of a slot, none of an empty one.

    Raises
    ------
    InputError
        If a part is no device.

    >>> sorted(devices_in("cuda:0+cuda:1"))
    ['cuda:0', 'cuda:1']
    """
    parts = slot.split("+") if slot else []
    if not all(_ONE.fullmatch(part) for part in parts) or len(set(parts)) != len(parts):
        raise InputError(f"a slot must be cpu, cuda:n or several joined by +, found {slot[:40]!r}; write it like cuda:0+cuda:1")
    return frozenset(parts)


def slot_of(device: str) -> str:
    """Return the slot of the device that somebody asked for: ``auto`` is the first GPU where there is one, ``all`` is every GPU.

    Raises
    ------
    InputError
        If it is no device.

    >>> slot_of("cpu"), slot_of("cuda"), slot_of("cuda:1+cuda:0")
    ('cpu', 'cuda:0', 'cuda:0+cuda:1')
    """
    if device in ("auto", "all"):
        found = [gpu.device for gpu in gpus()]
        return "+".join(found if device == "all" else found[:1]) or "cpu"
    return "+".join(sorted(devices_in("cuda:0" if device == "cuda" else device)))


def gpus() -> list[Gpu]:
    """Return the GPUs that NVIDIA's driver lists, none where there is no driver."""
    if not (program := shutil.which("nvidia-smi")):
        return []
    words = [program, "--query-gpu=index,name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(words, capture_output=True, text=True, timeout=_ASK_S, check=True).stdout
        rows = [[cell.strip() for cell in line.split(",")] for line in said.splitlines() if line.strip()]
        return [Gpu(f"cuda:{int(row[0])}", row[1], int(row[2]), int(row[3])) for row in rows]
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return []
