"""Make a data set heart by heart; killed at any moment it keeps what it has, and the same call completes it bit for bit."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from echo3d.cohort.executor import run_all
from echo3d.dataset.files import heart_name, is_whole, packed, write_whole
from echo3d.dataset.folder import HEARTS, LOCK, MANIFEST, PLAN, check_folder, read_json
from echo3d.dataset.hearts import Member, members
from echo3d.dataset.manifest import as_bytes, manifest_of, plan_of
from echo3d.dataset.sample import make_heart
from echo3d.dataset.spec import DatasetSpec
from echo3d.errors import InputError
from echo3d.jobs.lock import held

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LOCK_WAIT_S = 3.0

Step = Callable[[int, int], None]
"""Hears how many hearts are there, and how many there will be; what it raises stops the work."""


def generate(
    spec: DatasetSpec, out: Path, executor: Executor, *, force: bool = False, step: Step = lambda done, total: None
) -> dict[str, Any]:
    """Make a data set, or complete one that was begun, and return what manifest.json says.

    The folder is visible from the start; manifest.json comes last, whole, and makes it a data set.

    Parameters
    ----------
    spec : what is wanted
    out : folder to make, or one with an unfinished data set of the same spec
    executor : where the work runs; the same spec gives the same bytes on any
    force : whether another data set in that folder may be replaced
    step : see ``Step``

    Raises
    ------
    InputError
        If the folder may not be written, another process writes it, the disk is full, or a heart cannot be made.
    """
    given = members(spec)
    plan = plan_of(spec, given)
    with _alone(out):
        if not _same(out, plan):
            check_folder(out, force=force)
            _begin(out, plan)
        found = read_json(out / MANIFEST)
        return found if found is not None else _complete(spec, given, out, (executor, step))


def check_start(spec: DatasetSpec, out: Path, *, force: bool = False) -> None:
    """Refuse what :func:`generate` would refuse before its first heart.

    Raises
    ------
    InputError
        If a given heart is not there or the folder will not do.
    """
    if not _same(out, plan_of(spec, members(spec))):
        check_folder(out, force=force)


def _same(out: Path, plan: dict[str, Any]) -> bool:
    """Return whether a folder was begun by the same plan."""
    return read_json(out / PLAN) == plan


def _begin(out: Path, plan: dict[str, Any]) -> None:
    """Clear the folder and write the plan."""
    (out / MANIFEST).unlink(missing_ok=True)
    (out / PLAN).unlink(missing_ok=True)
    shutil.rmtree(out / HEARTS, ignore_errors=True)
    with _room("nothing"):
        (out / HEARTS).mkdir(exist_ok=True)
        write_whole(out / PLAN, as_bytes(plan))


def _complete(spec: DatasetSpec, given: tuple[Member, ...], out: Path, work: tuple[Executor, Step]) -> dict[str, Any]:
    """Make the hearts that are missing, then the manifest."""
    executor, step = work
    missing = [index for index in range(spec.count) if not is_whole(out / heart_name(index))]
    done = spec.count - len(missing)
    step(done, spec.count)
    tasks = [(spec, given[index % len(given)] if given else None, index) for index in missing]
    with contextlib.closing(run_all(executor, _made, tasks)) as results:
        for number, content in results:
            with _room(f"{done} of {spec.count} hearts"):
                write_whole(out / heart_name(missing[number]), content)
            done += 1
            step(done, spec.count)
    manifest = manifest_of(out, spec, given)
    with _room("all hearts but no manifest"):
        write_whole(out / MANIFEST, as_bytes(manifest))
    (out / LOCK).unlink(missing_ok=True)
    return manifest


def _made(spec: DatasetSpec, given: Member | None, index: int) -> bytes:
    """Return the bytes of a heart's file; what the worker processes run."""
    return packed(make_heart(spec, given, index))


@contextlib.contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the folder against another process that writes it."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        check_folder(out, force=False)
    with _room("nothing"):
        out.mkdir(parents=True, exist_ok=True)
        (out / LOCK).touch()
    with held(out / LOCK, wait_s=_LOCK_WAIT_S) as mine:
        if not mine:
            raise InputError("a data set must be written by one process, found another at work; wait for it or cancel its job")
        yield


@contextlib.contextmanager
def _room(there: str) -> Iterator[None]:
    """Turn a full disk or a forbidden place into one sentence."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise InputError(
                f"the disk must have room for the data set, found it full with {there} written; make room, then resume the job or give "
                "the same command again: what is written stays"
            ) from exc
        raise InputError(
            f"the output folder must be writable, found {(exc.strerror or type(exc).__name__).lower()}; choose another place"
        ) from exc
