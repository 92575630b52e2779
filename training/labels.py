r"""What registered labels cost a network: the same hearts and pictures twice, with exact fields and with fields that were registered.

    python -m training.labels --out runs/labels --hearts 200 --seed 88 --workers 2
    python -m training.samples --out runs/labels/test --count 160 --seed 89 --probes 1
    for kind in exact registered; do
        python -m training.s2mnet --data runs/labels/$kind/samples --slices runs/labels/$kind/slices --val runs/labels/test \
            --encoder runs/labels/encoder.pt --out runs/labels/$kind/net --steps 500 300 --threads 1
    done
    python -m training.labels --out runs/labels --compare runs/labels/test

Each phase's surface gets other points and triangles, is turned and shifted, and registered from that mesh alone; where it lies in the
template's frame and what its chambers hold follows from the registered points, as it would for a heart without truth.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from echo3d.anatomy.cohort import Heart, record_to_json, sound_heart
from echo3d.anatomy.template import load_template
from echo3d.cohort.executor import open_executor, run_all
from echo3d.core.pose import rigid_between
from echo3d.core.structures import CHAMBER_KEYS, TAGS
from echo3d.errors import RegistrationFailed
from echo3d.io.weights import read_weights
from echo3d.paths import resource
from echo3d.registration.parts import template_parts
from echo3d.registration.register import Target, register
from training.distance import surface_distance
from training.remesh import slid
from training.samples import Arrays, samples_of, write_shard
from training.slices import slices_of

KINDS = ("exact", "registered")
HEARTS_PER_SHARD = 50
SHIFT_MM = 200.0


def turned_target(points: NDArray, rng: np.random.Generator, tags: tuple[int, ...] | None = None) -> tuple[NDArray, Target]:
    """Return material points (N, 3) turned and shifted at random, and the surface of their parts with other points and triangles.

    Parameters
    ----------
    points : (N, 3) mm
    rng : turns, shifts and shuffles
    tags : the parts that the surface has, all where not given; 0 stands for all tissue as one
    """
    points = points @ Rotation.random(rng=rng).as_matrix().T + rng.uniform(-SHIFT_MM, SHIFT_MM, 3)
    faces, found = template_parts(load_template(), tags or [int(tag) for tag in TAGS])
    return points, slid(points, faces, found, rng)


def label_of(points: NDArray) -> Arrays:
    """Return the field (N, 3) and chamber volumes (4,) of material points wherever they lie."""
    template = load_template()
    rotation, shift = rigid_between(points, template.points)
    volumes = template.volumes_ml(points)
    return {
        "field": (points @ rotation.T + shift - template.points).astype(np.float16),
        "volumes": np.array([volumes[key] for key in CHAMBER_KEYS], dtype=np.float32),
    }


def carried(sectors: NDArray, rotation: NDArray, shift: NDArray) -> NDArray[np.float32]:
    """Return origin, axis and lateral (..., 9) of fans moved rigidly.

    >>> carried(np.arange(9.0), np.eye(3), np.ones(3)).tolist()
    [1.0, 2.0, 3.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    """
    turned = sectors.reshape(*sectors.shape[:-1], 3, 3) @ rotation.T
    turned[..., 0, :] += shift
    return turned.reshape(sectors.shape).astype(np.float32)


def registered_label(true: NDArray, rng: np.random.Generator) -> tuple[Arrays, tuple[NDArray, NDArray], float]:
    """Return the label of a heart as registration finds it, what carries fans of the exact label's frame into its, and its error in mm.

    Raises
    ------
    RegistrationFailed
        If the template does not lie on the heart in the end.
    """
    template = load_template()
    turned, target = turned_target(true, rng)
    found = register(template, target).points
    exact, to_turned, to_label = rigid_between(true, template.points), rigid_between(true, turned), rigid_between(found, template.points)
    rotation = to_label[0] @ to_turned[0] @ exact[0].T
    shift = to_label[0] @ to_turned[1] + to_label[1] - rotation @ exact[1]
    return label_of(found), (rotation, shift), float(np.linalg.norm(found - turned, axis=1).mean())


def one_heart(out: Path, seed: tuple[int, int], hands: int, probes: int) -> dict[str, Any]:
    """Draw a heart, its slices, pictures and both labels into a file, unless it is there; return what the log says of it."""
    path = out / "hearts" / "{:04d}_{:05d}.npz".format(*seed)
    if not path.exists():
        start, rng = time.perf_counter(), np.random.default_rng(seed)
        heart = sound_heart(rng)
        arrays = _drawn(heart, rng, hands, probes) | _labels(heart, rng)
        arrays |= {"record": np.array(json.dumps(record_to_json(heart.record))), "seconds": np.array(time.perf_counter() - start)}
        with path.with_suffix(".partial").open("wb") as stream:
            np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
        path.with_suffix(".partial").rename(path)
    with np.load(path, allow_pickle=False) as data:
        return {"heart": path.stem, "error_mm": data["error_mm"].round(3).tolist(), "seconds": round(float(data["seconds"]), 1)}


def _drawn(heart: Heart, rng: np.random.Generator, hands: int, probes: int) -> Arrays:
    """Return slices and pictures with their exact labels, each name with the folder it goes to."""
    found = {}
    for folder, rows in (("slices", slices_of(heart, rng, hands)), ("samples", samples_of(heart, rng, probes))):
        found |= {f"{folder}/{key}": np.stack([row[key] for row in rows]) for key in rows[0]}
    return found


def _labels(heart: Heart, rng: np.random.Generator) -> Arrays:
    """Return the registered labels of both phases; an error that is not finite where registration failed."""
    count = len(load_template().points)
    rows: list[Arrays] = []
    for x in (heart.ed, heart.es):
        try:
            label, (rotation, shift), error = registered_label(x[:count], rng)
        except RegistrationFailed:
            label, rotation, shift, error = label_of(x[:count]), np.eye(3), np.zeros(3), float("nan")
        rows.append(label | {"rotation": rotation, "shift": shift, "error_mm": np.array(error)})
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}


def assemble(out: Path, paths: list[Path]) -> int:
    """Write the shards of both kinds from the hearts' files; return how many hearts were left out since their registration failed."""
    hearts = [dict(np.load(path, allow_pickle=False)) for path in paths]
    good = [heart for heart in hearts if np.isfinite(heart["error_mm"]).all()]
    for kind in KINDS:
        for start in range(0, len(good), HEARTS_PER_SHARD):
            _shards(out / kind, start // HEARTS_PER_SHARD, [_with_label(heart, kind) for heart in good[start : start + HEARTS_PER_SHARD]])
    return len(hearts) - len(good)


def _with_label(heart: Arrays, kind: str) -> Arrays:
    """Return a heart's arrays with the labels of one kind in place."""
    if kind == "exact":
        return heart
    changed = dict(heart)
    for folder in ("slices", "samples"):
        phases = np.arange(len(heart[f"{folder}/field"])) % 2
        changed |= {f"{folder}/{key}": heart[key][phases] for key in ("field", "volumes")}
        moved = [carried(row, heart["rotation"][p], heart["shift"][p]) for row, p in zip(heart[f"{folder}/sectors"], phases, strict=True)]
        changed[f"{folder}/sectors"] = np.stack(moved)
    return changed


def _shards(out: Path, number: int, hearts: list[Arrays]) -> None:
    """Write one shard of slices and one of pictures."""
    for folder in ("slices", "samples"):
        (out / folder).mkdir(parents=True, exist_ok=True)
        keys = [key.split("/")[1] for key in hearts[0] if key.startswith(f"{folder}/")]
        rows = [{key: heart[f"{folder}/{key}"][k] for key in keys} for heart in hearts for k in range(len(heart[f"{folder}/field"]))]
        write_shard(out / folder, f"{number:05d}", rows, [json.loads(str(heart["record"])) for heart in hearts])


def shipped_encoder(path: Path) -> None:
    """Write the encoder of the shipped weights, which never learned from a field, as ``training.s2mnet`` reads one."""
    tensors = read_weights(resource("weights/lean.safetensors"))
    torch.save({"encoder": {key.removeprefix("encoder."): t for key, t in tensors.items() if key.startswith("encoder.")}}, path)


def rows_of(out: Path, test: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the errors of both networks on hearts that neither saw, against exact truth, six views."""
    from training.evaluate import SUBSETS, answers, load_all, table_row, trained

    template, samples = load_template(), load_all(test)
    wanted = (samples["field"].float() + torch.from_numpy(np.array(template.points)).float()).numpy()
    for kind in KINDS:
        network, _ = trained(out / kind / "net")
        points, rng = answers(network, samples, SUBSETS[6])["points"], np.random.default_rng(0)
        row = table_row(points, samples, rng, surfaces=False)
        apart = [surface_distance(a, b, template.mesh.faces, rng) for a, b in zip(points.numpy(), wanted, strict=True)]
        yield f"{kind} labels", row | {"surface_mm": float(np.mean(apart))}


def compare(out: Path, test: Path) -> None:
    """Print the table of both networks and by how much registered labels are worse."""
    from training.tables import markdown

    rows = dict(rows_of(out, test))
    print(markdown(rows))
    exact, other = rows.values()
    print({key: f"{100 * (other[key] / exact[key] - 1):+.1f} %" for key in exact if key != "ef_bias"})


def draw(options: argparse.Namespace) -> None:
    """Draw and register hearts, and write what training reads."""
    (options.out / "hearts").mkdir(parents=True, exist_ok=True)
    tasks = [(options.out, (options.seed, number), options.hands, options.probes) for number in range(options.hearts)]
    with open_executor(workers=options.workers) as executor:
        for _, said in run_all(executor, one_heart, tasks):
            print(json.dumps(said), flush=True)
    paths = [options.out / "hearts" / f"{options.seed:04d}_{number:05d}.npz" for number in range(options.hearts)]
    shipped_encoder(options.out / "encoder.pt")
    failed = assemble(options.out, paths)
    errors = np.concatenate([np.load(path)["error_mm"] for path in paths])
    print(json.dumps({"hearts": len(paths), "left out": failed, "label error, mm": round(float(np.nanmean(errors)), 3)}))


def main() -> None:
    """Draw the data, or compare the networks that learned from it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hearts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=88)
    parser.add_argument("--hands", type=int, default=4, help="hands that see the slices of a heart")
    parser.add_argument("--probes", type=int, default=2, help="hands that see the pictures of a heart")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--compare", type=Path, metavar="TEST", help="print the table of both networks on these samples")
    options = parser.parse_args()
    torch.set_num_threads(2)
    if options.compare:
        compare(options.out, options.compare)
    else:
        draw(options)


if __name__ == "__main__":
    main()
