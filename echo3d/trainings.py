"""Training as a command and as a job: recipes by name, their settings from a file, and a folder that a run can be gone on with in.

The programs that train lie in the package ``training``, which is named here by strings alone.
"""

from __future__ import annotations

import json
import pkgutil
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from echo3d import __version__, ranks
from echo3d.errors import InputError, ModelError
from echo3d.io.mapping import json_or_toml
from echo3d.jobs.devices import slot_of
from echo3d.jobs.spec import JobSpec
from echo3d.progress import Progress, silent

if TYPE_CHECKING:
    from echo3d.jobs.worker import Job

RECIPES: Mapping[str, str] = {
    "pointpwc": "training.pointpwc",
    "s2mnet": "training.lean",
    "accurate": "training.accurate",
    "secondlook": "training.secondlook",
    "throughheart": "training.throughheart",
    "quick": "training.quick",
    "cyclegan": "training.cyclegan",
    "sliceplane": "training.sliceplane",
    "pix2vox": "training.voxelnets",
    "s2mnet-paper": "training.s2mnet_paper",
}
"""The module of each kind; it has ``Settings``, a pydantic model, and ``run(settings, out, resume=, progress=)``."""

CONFIG = "config.json"
"""File in a run's folder that says how it is trained."""

RUN = "run.json"
"""File in a run's folder that says what is trained, and by which version."""

PLACES = ("data", "slices", "val", "cal", "clips", "begin", "encoder", "base")
"""Settings that name a folder or a file."""

JOB = "echo3d.trainings:run_job"


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


def schema(kind: str | None = None) -> dict[str, dict[str, Any]]:
    """Return by kind the JSON schema of its settings, with ``published``: what the paper, or the published source, gives for a field.

    Parameters
    ----------
    kind : one kind only; all where None

    Raises
    ------
    InputError
        If there is no such kind.
    """
    return {name: _schema_of(name) for name in ([kind] if kind else RECIPES)}


def _schema_of(kind: str) -> dict[str, Any]:
    described: dict[str, Any] = _part(kind, "Settings").model_json_schema()
    published = {name: one["published"] for name, one in described["properties"].items() if "published" in one}
    return described | {"title": kind, "published": published}


def read_settings(kind: str, path: Path | None) -> BaseModel:
    """Return the settings of a training from a JSON or TOML file, the defaults where none is given; folders are named from the root on.

    Raises
    ------
    InputError
        If there is no such kind, or the file or a value in it will not do.
    """
    settings = _settings(kind, {} if path is None else _content(path))
    return type(settings).model_validate(absolute(settings.model_dump(mode="json")))


def absolute(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain settings whose folders and files are named from the root on, because a job works in a folder of its own.

    >>> absolute({"data": "", "val": None, "steps": 5})
    {'data': '', 'val': None, 'steps': 5}
    """
    return {name: str(Path(value).absolute()) if name in PLACES and value else value for name, value in settings.items()}


def settings_of(kind: str, values: Mapping[str, Any]) -> BaseModel:
    """Return the settings of a kind with these values, the defaults for the others.

    Raises
    ------
    InputError
        If there is no such kind, or a value will not do.
    """
    return _settings(kind, values)


def train(kind: str, settings: BaseModel, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train, in several processes where the settings name several, and return what was measured.

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
    if not ranks.apart():
        count = ranks.processes_of(plain := settings.model_dump(mode="json"))
        _check(kind, out, settings, resume=resume)
        if count > 1:
            names = {"run": f"{RECIPES[kind]}:run", "model": f"{RECIPES[kind]}:Settings"}
            return ranks.share_out(names | {"settings": plain, "out": str(out.resolve()), "resume": resume}, count, progress)
    elif ranks.first():
        _check(kind, out, settings, resume=resume)
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


def job_spec(kind: str, settings: BaseModel | Mapping[str, Any], out: Path) -> JobSpec:
    """Return the job that trains, or goes on with it; its slot is the settings' device.

    Parameters
    ----------
    kind : a name of ``RECIPES``
    settings : of that kind, or their plain JSON values, which the job itself checks
    out : folder of the run

    Raises
    ------
    InputError
        If the device is none.
    """
    plain = absolute(settings.model_dump(mode="json") if isinstance(settings, BaseModel) else settings)
    slot = slot_of(str(plain.get("device", "cpu")))
    plain |= {"device": slot} if plain.get("device") == "all" else {}
    ranks.processes_of(plain)
    wanted = {"kind": kind, "settings": plain, "out": str(out.resolve())}
    return JobSpec("train", f"Train {kind} into {out.name}", JOB, wanted, slot)


def duplicate(spec: JobSpec, changes: Mapping[str, Any]) -> tuple[str, BaseModel]:
    """Return the kind of a training job and its settings with some fields changed.

    Parameters
    ----------
    spec : of the job
    changes : values by field; text stands for what it says, such as "5" for a number

    Raises
    ------
    InputError
        If it is no training, or a field or a value is refused.
    """
    if spec.target != JOB:
        raise InputError(f"a job must be a training to be duplicated with other settings, found {spec.kind}; choose a training")
    kind = str(spec.arguments["kind"])
    return kind, _settings(kind, spec.arguments["settings"] | {name: _said(value) for name, value in changes.items()})


def _said(value: Any) -> Any:
    """Return what a word of the command line says: JSON where it is some, the text itself otherwise.

    >>> _said("5"), _said("null"), _said("cuda:0"), _said("[1]")
    (5, None, 'cuda:0', [1])
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _about(kind: str) -> dict[str, str]:
    """Return what ``run.json`` says."""
    from echo3d.anatomy.template import load_template

    return {"kind": kind, "echo3d": __version__, "template_sha256": load_template().sha256}


def kind_of(out: Path) -> str:
    """Return what the run in a folder trains.

    Raises
    ------
    InputError
        If the folder does not say.
    """
    try:
        kind = _content(out / RUN)["kind"]
    except (InputError, KeyError) as exc:
        raise InputError(f"the folder of a run must say in {RUN} what it trains, found nothing; name a folder of echo3d train") from exc
    return str(kind)


def delete_run(out: Path) -> None:
    """Delete the folder of a run with all that is in it.

    Raises
    ------
    InputError
        If the folder holds no run, or may not be deleted.
    """
    if not out.exists():
        return
    if not (out / CONFIG).is_file() or not (out / RUN).is_file():
        raise InputError(f"a folder must hold {CONFIG} and {RUN} to be deleted as a run, found others; delete it by hand")
    try:
        shutil.rmtree(out)
    except OSError as exc:
        raise InputError(f"the folder of a run must be writable to delete it, found {type(exc).__name__}; delete it by hand") from exc


def run_job(job: Job) -> dict[str, Any]:
    """Train as the job asks; go on where an earlier process of it was."""
    kind, out = job.arguments["kind"], Path(job.arguments["out"])
    settings = _settings(kind, job.arguments["settings"])
    steps = 1000
    job.progress(0, 0, "Reading what is learned from")  # how far it is will be known with the first step
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


def check_out(kind: str, out: Path, settings: BaseModel, *, resume: bool) -> None:
    """Refuse a folder that a run has no business in; nothing is written.

    Raises
    ------
    InputError
        If it holds something else, or a run that was begun with other settings, or cannot be read.
    """
    try:
        found = [path.name for path in out.iterdir() if not path.name.startswith(".")] if out.exists() else []
    except OSError as exc:
        raise InputError(f"the folder of a run must be readable, found {type(exc).__name__}; choose another place") from exc
    if resume and CONFIG in found:
        if _settings(kind, _content(out / CONFIG)) != settings:  # an older version may have had fewer
            raise InputError("a run goes on with the settings it was begun with, found others; leave --config out or choose another folder")
    elif found:
        raise InputError("the folder of a run must be new or empty, found files in it; choose another, or go on with --resume")


def _check(kind: str, out: Path, settings: BaseModel, *, resume: bool) -> None:
    """Refuse a folder that this run has no business in; make it and write down what is wanted, each file whole or not at all."""
    check_out(kind, out, settings, resume=resume)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in ((CONFIG, settings.model_dump_json(indent=1)), (RUN, json.dumps(_about(kind), indent=1))):
            if not (out / name).is_file():
                (out / f".{name}").write_text(text + "\n", encoding="utf-8")
                (out / f".{name}").replace(out / name)
    except OSError as exc:
        raise InputError(f"the folder of a run must be writable, found {type(exc).__name__}; choose another place") from exc
