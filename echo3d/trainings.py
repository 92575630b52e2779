"""Training as a command and as a job: recipes by name, their settings from a file, and a folder that a run can be gone on with in.

The programs that train lie in the package ``training``, which is named here by strings alone.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from echo3d.errors import InputError, ModelError
from echo3d.io.mapping import json_or_toml
from echo3d.jobs.spec import JobSpec
from echo3d.progress import Progress, silent

if TYPE_CHECKING:
    from echo3d.jobs.worker import Job

RECIPES: Mapping[str, str] = {
    "pointpwc": "training.pointpwc",
    "s2mnet": "training.lean",
    "secondlook": "training.secondlook",
    "cyclegan": "training.cyclegan",
    "sliceplane": "training.sliceplane",
    "pix2vox": "training.voxelnets",
    "s2mnet-paper": "training.s2mnet_paper",
}
"""The module of each kind; it has ``Settings``, a pydantic model, and ``run(settings, out, resume=, progress=)``."""

CONFIG = "config.json"
"""File in a run's folder that says how it is trained."""


def default_settings(kind: str) -> dict[str, dict[str, Any]]:
    """Return each setting of a kind with its default and what it means.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    fields = _part(kind, "Settings").model_fields
    return {name: {"default": _plain(field.default), "meaning": field.description} for name, field in fields.items()}


def _plain(value: Any) -> Any:
    """Return a default as JSON can say it."""
    return str(value) if isinstance(value, Path) else value


def read_settings(kind: str, path: Path | None) -> BaseModel:
    """Return the settings of a training from a JSON or TOML file; the defaults where none is given.

    Raises
    ------
    InputError
        If there is no such kind, or the file or a value in it will not do.
    """
    return _settings(kind, {} if path is None else _content(path))


def train(kind: str, settings: BaseModel, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train, and return what was measured.

    Parameters
    ----------
    kind : a name of ``RECIPES``
    settings : of that kind
    out : folder of the run; a run that was broken off is gone on with where ``resume`` says so
    progress : hears how far it is

    Raises
    ------
    InputError
        If the folder holds something else, or another run, or one that is to be left alone.
    """
    _check(out, settings, resume=resume)
    answer: dict[str, Any] = _part(kind, "run")(settings, out, resume=resume, progress=progress)
    return answer


def begun(kind: str, out: Path) -> BaseModel:
    """Return the settings that the run in a folder was begun with.

    Raises
    ------
    InputError
        If there is no run.
    """
    if not (out / CONFIG).is_file():
        raise InputError(f"--resume goes on with a run, found no {CONFIG} in that folder; leave --resume out to begin one")
    return _settings(kind, _content(out / CONFIG))


def job_spec(kind: str, settings: BaseModel, out: Path) -> JobSpec:
    """Return the job that trains, or goes on with it."""
    wanted = {"kind": kind, "settings": settings.model_dump(mode="json"), "out": str(out.resolve())}
    return JobSpec("train", f"Train {kind} into {out.name}", "echo3d.trainings:run_job", wanted)


def run_job(job: Job) -> dict[str, Any]:
    """Train as the job asks; go on where an earlier process of it was."""
    kind, out = job.arguments["kind"], Path(job.arguments["out"])
    settings = _settings(kind, job.arguments["settings"])
    steps = 1000
    answer = train(
        kind, settings, out, resume=(out / CONFIG).is_file(), progress=lambda share, said: job.progress(int(share * steps), steps, said)
    )
    return answer | {"out": out.name}


def _part(kind: str, name: str) -> Any:
    """Return the settings' model or the function of a kind."""
    if kind not in RECIPES:
        raise InputError(f"echo3d train must be told one of {', '.join(RECIPES)}, found {kind[:40]!r}; choose one of these")
    try:
        return pkgutil.resolve_name(f"{RECIPES[kind]}:{name}")
    except ModuleNotFoundError as exc:
        raise ModelError(f"training needs the package {exc.name}, which is not installed here; install echo3d from its sources") from exc


def _settings(kind: str, content: Mapping[str, Any]) -> BaseModel:
    """Return content as settings, or say in a sentence what is wrong with it."""
    try:
        settings: BaseModel = _part(kind, "Settings").model_validate(content)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(
            f"a setting must be one that echo3d train {kind} --defaults lists, within its bounds, found {name[:60]!r} "
            f"({first['msg'].rstrip('.').lower()}); correct it"
        ) from exc
    return settings


def _content(path: Path) -> dict[str, Any]:
    """Return what a JSON or TOML file holds."""
    try:
        content = json_or_toml(path)
    except (OSError, ValueError) as exc:
        raise InputError(
            f"settings must be a JSON or TOML file, found none ({type(exc).__name__}); write one such as minutes = 40"
        ) from exc
    if not isinstance(content, dict):
        raise InputError("settings must be names with values, found a list or a number; write a file such as minutes = 40")
    return content


def _check(out: Path, settings: BaseModel, *, resume: bool) -> None:
    """Refuse a folder that this run has no business in; make it and write down what is wanted."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        found = sorted(path.name for path in out.iterdir())
        if resume and CONFIG in found:
            if _content(out / CONFIG) != settings.model_dump(mode="json"):
                raise InputError(
                    "a run goes on with the settings it was begun with, found others; leave --config out or choose another folder"
                )
        elif found:
            raise InputError("the folder of a run must be new or empty, found files in it; choose another, or go on with --resume")
        else:
            (out / CONFIG).write_text(settings.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as exc:
        raise InputError(f"the folder of a run must be writable, found {type(exc).__name__}; choose another place") from exc
