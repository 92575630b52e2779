"""Where a network can be trained here, and what a running job takes of it; asked off the Qt thread, no Qt."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from echo3d.jobs.devices import Gpu, gpus
from echo3d.jobs.words import size

_APPS = "--query-compute-apps=pid,used_memory"
_FORM = "--format=csv,noheader,nounits"
_WAIT_S = 10
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Device:
    """A place to train at.

    Parameters
    ----------
    word : as settings say it
    title : for people
    """

    word: str
    title: str


def devices() -> tuple[Device, ...]:
    """Return the places to train at: the processor, each GPU, all GPUs."""
    cores = psutil.cpu_count() or 1
    free = size(psutil.virtual_memory().available)
    cpu = Device("cpu", f"Processor, {cores} core{'s' if cores > 1 else ''}, {free} free")
    return (Device("auto", "Automatic: a GPU where there is one"), cpu, *of_gpus(gpus()))


def of_gpus(found: Sequence[Gpu]) -> tuple[Device, ...]:
    """Return each GPU as a place to train at, and all of them together where there are several.

    >>> two = [Gpu("cuda:0", "H100", 81559, 78000), Gpu("cuda:1", "H100", 81559, 100)]
    >>> [one.title for one in of_gpus(two)]
    ['GPU cuda:0, H100, 82 GB free', 'GPU cuda:1, H100, 105 MB free', 'All 2 GPUs']
    """
    each = tuple(Device(one.device, f"GPU {one.device}, {one.name}, {size(one.free_mb * _MIB)} free") for one in found)
    return (*each, Device("+".join(one.word for one in each), f"All {len(each)} GPUs")) if len(each) > 1 else each


@dataclass(frozen=True, slots=True)
class Use:
    """What a job takes.

    Parameters
    ----------
    processor : per cent of one core, of all its processes
    memory : bytes of theirs
    processes : how many
    gpu : bytes of GPU memory, None where there is no GPU
    """

    processor: float
    memory: int
    processes: int
    gpu: int | None = None


class UseMeter:
    """Measures what jobs take between two looks; not to be called by two threads at once."""

    def __init__(self) -> None:
        self._known: dict[int, psutil.Process] = {}
        self._gpu: bool | None = None

    def look(self, pids: Sequence[int]) -> Use | None:
        """Return what processes and their children take, None where they are gone."""
        found = {process.pid: self._known.get(process.pid, process) for pid in pids for process in _tree(pid)}
        self._known = found
        processor, memory = 0.0, 0
        for process in found.values():
            try:
                processor += process.cpu_percent(None)
                memory += process.memory_info().rss
            except psutil.Error:
                continue
        return Use(processor, memory, len(found), self._gpu_memory(set(found))) if found else None

    def _gpu_memory(self, pids: set[int]) -> int | None:
        if self._gpu is None:
            self._gpu = bool(gpus())
        return gpu_memory(_compute_apps(), pids) if self._gpu else None


def _compute_apps() -> list[str]:
    """Return the lines in which nvidia-smi tells which process takes how much of a GPU."""
    try:
        answer = subprocess.run(["nvidia-smi", _APPS, _FORM], capture_output=True, text=True, timeout=_WAIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line for line in answer.stdout.splitlines() if line.strip()]


def gpu_memory(lines: Sequence[str], pids: set[int]) -> int:
    """Return the bytes of GPU memory that processes take, of what nvidia-smi says.

    >>> gpu_memory(["17, 2000", "18, 50"], {17}) // 1024**2
    2000
    """
    pairs = [[part.strip() for part in line.split(",")] for line in lines]
    return sum(int(used) * _MIB for pid, used in (pair for pair in pairs if len(pair) == 2) if pid in map(str, pids) and used.isdigit())


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []
