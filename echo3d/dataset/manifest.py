"""What a data set says of itself: plan.json before the first heart, manifest.json behind the last; nothing in them depends on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from echo3d import __version__
from echo3d.anatomy.template import load_template
from echo3d.clinical.shown import NOTICE
from echo3d.dataset.bodies import body_digest
from echo3d.dataset.files import heart_name, read_record, sha256_of
from echo3d.dataset.folder import KIND, MANIFEST, read_json
from echo3d.dataset.hearts import Member, digest
from echo3d.dataset.spec import DatasetSpec, spec_from_json, spec_to_json
from echo3d.errors import InputError

SCHEMA = 1
VALIDATION_SHARE = 0.2
_SPLIT_STREAM = 2**31 - 1


def plan_of(spec: DatasetSpec, given: tuple[Member, ...]) -> dict[str, Any]:
    """Return what plan.json says: all that decides the bytes to come; given hearts and body by name and hash, not by place.

    Raises
    ------
    InputError
        If there is no such body.
    """
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "echo3d": __version__,
        "notice": NOTICE,
        "template_sha256": load_template().sha256,
        "spec": spec_to_json(spec) | {"hearts": digest(given)} | ({"body": body_digest(spec.body)} if spec.body else {}),
    }


def split(spec: DatasetSpec, sources: int) -> list[str]:
    """Return "train" or "validation" for each heart, a fifth of the hearts for validation.

    A given heart that comes again falls on the same side every time, so that no network is validated on a heart that it saw.

    Parameters
    ----------
    spec : of the data set
    sources : how many hearts are given, 0 where they are drawn

    >>> split(DatasetSpec(10), 0).count("validation")
    2
    """
    different = min(spec.count, sources) if sources else spec.count
    order = np.random.default_rng([spec.seed, _SPLIT_STREAM]).permutation(different)
    kept = set(order[: round(VALIDATION_SHARE * different)].tolist())
    return ["validation" if k % different in kept else "train" for k in range(spec.count)]


def manifest_of(folder: Path, spec: DatasetSpec, given: tuple[Member, ...]) -> dict[str, Any]:
    """Return what manifest.json says, read off the finished files alone."""
    sides = split(spec, len(given))
    hearts = [_entry(folder, index, side) for index, side in enumerate(sides)]
    grid = spec.grid
    return plan_of(spec, given) | {
        "hearts": len(hearts),
        "samples": sum(heart["samples"] for heart in hearts),
        "bytes": sum(heart["bytes"] for heart in hearts),
        "stage": spec.stage,
        "phases": list(spec.phases),
        "views": [view.key for view in spec.views],
        "height": grid.height,
        "width": grid.width,
        "pixel_mm": grid.pixel_mm,
        "split": {side: sides.count(side) for side in ("train", "validation")},
        "files": hearts,
    }


def _entry(folder: Path, index: int, side: str) -> dict[str, Any]:
    """Return one heart's lines; what its hands drew stays in its own file."""
    path = folder / heart_name(index)
    record, samples = read_record(path)
    about = {name: value for name, value in record.items() if name not in ("index", "hands")}
    size = path.stat().st_size
    return {"file": heart_name(index), "sha256": sha256_of(path), "bytes": size, "samples": samples, "split": side} | about


def summary(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest's few numbers: hearts, samples, bytes, and hearts on each side of the split."""
    return {name: manifest[name] for name in ("hearts", "samples", "bytes", "split")}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what a finished data set says of itself.

    Raises
    ------
    InputError
        If the folder is none, is not finished, or belongs to another template.
    """
    found = read_json(folder / MANIFEST)
    if found is None or found.get("schema") != SCHEMA or not isinstance(found.get("files"), list):
        raise InputError("a data set must be a finished folder of echo3d dataset generate, found none; finish it with the same command")
    if found.get("template_sha256") != load_template().sha256:
        raise InputError("a data set must belong to this template, found another; generate it again")
    return found


def spec_of(manifest: dict[str, Any]) -> DatasetSpec:
    """Return the spec of a manifest, in which given hearts and the body are names."""
    values = manifest["spec"]
    body = values["body"]["name"] if "body" in values else ""
    return spec_from_json(values | {"hearts": [heart["name"] for heart in values["hearts"]], "body": body})


def as_bytes(content: dict[str, Any]) -> bytes:
    """Return a JSON file's bytes."""
    return (json.dumps(content, indent=1) + "\n").encode()


def check_files(folder: Path) -> int:
    """Return how many files of a finished data set are as its manifest says.

    Raises
    ------
    InputError
        If one is missing or has changed.
    """
    files = read_manifest(folder)["files"]
    for heart in files:
        path = folder / heart["file"]
        if not path.is_file() or sha256_of(path) != heart["sha256"]:
            raise InputError(f"each file of a data set must be as its manifest says, found {heart['file']} changed; generate it again")
    return len(files)
