"""What an answer costs: processor time and memory of one heart from six pictures, by the raster and by the number of points.

    python -m training.costs --out runs/costs

The lean network and the paper's spread their field out on the raster and read it at the points; voxel networks answer with as many voxels.
Each is measured in a process of its own, with one thread and weights at random but for the lean one's: time is the processor's, the best of
several answers, so that other work on the machine counts little; memory is the highest during the first answer, less what there was before.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor

from echo3d.anatomy.template import load_template
from echo3d.reconstruction.pix2vox import PRESETS, SIDES, Pix2Vox, parameters, sized
from echo3d.reconstruction.reconstruct import load_model
from echo3d.reconstruction.s2mnet import S2MNet, S2MNetConfig, finer
from echo3d.reconstruction.s2mnet_paper import PAPER, PaperS2MNet

NETWORKS = ("lean", "paper", *PRESETS)
POINTS = (10_000, 100_000)
MB, SLOW = 1e6, 5.0
"""Bytes; seconds after which an answer is not repeated."""

Answer = Callable[[Tensor, Tensor], Tensor]


def lean(side: int, points: int) -> tuple[Answer, int]:
    """Return what answers with points by way of a raster of ``side`` nodes, by the shipped weights, and their number."""
    shipped = load_model("lean", "cpu").network
    network = S2MNet(S2MNetConfig.model_validate(shipped.config.model_dump()), points)
    state = shipped.state_dict()
    kept = {key: value for key, value in state.items() if key not in ("template", "place")}
    network.load_state_dict(kept | {"template": scattered(points) * 80, "place": scattered(points)})
    network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def answer(pictures: Tensor, present: Tensor) -> Tensor:
        fused = network.read(network.maps(pictures, present), present)[1]
        return network.template + network.at_points(finer(network.field(fused), side))

    return answer, parameters(network)


def paper(side: int, points: int) -> tuple[Answer, int]:
    """Return the paper's network at random, which answers with points by way of a raster of ``side`` nodes."""
    network = PaperS2MNet(PAPER.model_copy(update={"side": side}), points).eval()
    network.place.copy_(scattered(points))
    return lambda pictures, present: network(pictures, present).points, parameters(network)


def scattered(points: int) -> Tensor:
    """Return (points, 3) places in [-1, 1]: the template's points, or as many beside each as are asked for."""
    own = torch.from_numpy(np.array(load_template().points)).float()
    own = (own - own.mean(dim=0)) / (own - own.mean(dim=0)).abs().max()
    rows = torch.arange(points) * len(own) // points
    return (own[rows] + 0.01 * torch.rand(points, 3, generator=torch.Generator().manual_seed(points))).clamp(-1, 1)


def voxels(name: str, side: int) -> tuple[Answer, int]:
    """Return a voxel network at random that answers with ``side`` voxels a side."""
    network = Pix2Vox(sized(name, side)).eval()  # type: ignore[arg-type]
    return lambda pictures, present: network(pictures, present).refined, parameters(network)


def row_of(name: str, side: int, points: int, repeats: int = 5) -> dict[str, Any]:
    """Return what an answer of a network costs here: seconds and megabytes; ``points`` is 0 for voxel networks."""
    answer, count = {"lean": lean, "paper": paper}[name](side, points) if points else voxels(name, side)
    seconds, megabytes = cost(answer, repeats)
    return {"network": name, "side": side, "points": points, "parameters": count, "seconds": seconds, "megabytes": megabytes}


@torch.inference_mode()
def cost(answer: Answer, repeats: int) -> tuple[float, float]:
    """Return the processor seconds of the best of several answers to six pictures (fewer where slow) and the first one's megabytes."""
    pictures, present = torch.rand(1, 6, 2, 112, 112), torch.ones(1, 6, dtype=torch.bool)
    before, most, times = forget_peak(), 0, list[float]()
    for _ in range(repeats + 1):
        start = time.process_time()
        answer(pictures, present)
        times.append(time.process_time() - start)
        most = most or peak() - before
        if sum(times) > SLOW:
            break
    return round(min(times), 4), round(most / MB, 1)


def forget_peak() -> int:
    """Let the highest memory begin anew, where the system can; return the bytes in use."""
    forget = Path("/proc/self/clear_refs")
    if forget.exists():
        forget.write_text("5")
    return int(psutil.Process().memory_info().rss)


def peak() -> int:
    """Return the highest bytes in use; those in use now where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    told = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
    return told[0] if told else int(psutil.Process().memory_info().rss)


def measured(name: str, sides: Sequence[int] = SIDES, repeats: int = 5) -> list[dict[str, Any]]:
    """Return a network's rows: one for each raster and, where it answers in points, number of points."""
    rows = []
    for side in sides:
        for points in POINTS if name in ("lean", "paper") else (0,):
            words = [sys.executable, "-m", "training.costs", "--one", name, str(side), str(points), "--repeats", str(repeats)]
            rows.append(json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout))
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows for people."""
    lines = [f"{'network':14}{'side':>6}{'points':>9}{'parameters':>12}{'s':>9}{'MB':>9}"]
    for row in rows:
        points = row["points"] or "voxels"
        lines.append(
            f"{row['network']:14}{row['side']:6}{points:>9}{row['parameters'] / 1e6:11.2f}M{row['seconds']:9.3f}{row['megabytes']:9.0f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and write costs.json; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--one", nargs=3, metavar=("NETWORK", "SIDE", "POINTS"), help="measure this here and print it as JSON")
    parser.add_argument("--sides", type=int, nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if options.one:
        torch.set_num_threads(1)
        print(json.dumps(row_of(options.one[0], int(options.one[1]), int(options.one[2]), options.repeats)))
        return
    rows = [row for name in options.networks for row in measured(name, options.sides, options.repeats)]
    print(table(rows))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "costs.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
