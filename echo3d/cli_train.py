"""The command ``echo3d train``: networks learn, here and now or as a background job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from echo3d.cli_jobs import JobsDir, jobs_folder
from echo3d.cli_words import AsJson, terminal_progress
from echo3d.errors import InputError, StoppedError


def train(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="s2mnet (its part: quick), accurate (its parts: secondlook, throughheart), sliceplane, pointpwc, cyclegan, pix2vox "
            "or s2mnet-paper."
        ),
    ] = None,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", readable=False, help="Folder of the run: checkpoints, log, weights and card.")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", readable=False, help="JSON or TOML file of settings; see --defaults.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
    defaults: Annotated[bool, typer.Option("--defaults", help="Print the settings, their defaults and what they mean.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the settings of KIND, or of all kinds, as JSON schema.")] = False,
    trial: Annotated[bool, typer.Option("--trial", help="Measure a few steps: time, memory, and what the whole of it takes.")] = False,
    slurm: Annotated[
        Path | None, typer.Option("--slurm", readable=False, help="Write a batch script for a SLURM cluster into this file instead.")
    ] = None,
    job: Annotated[bool, typer.Option("--job", help="Start it as a background job, when its device is free, and return.")] = False,
    jobs_dir: JobsDir = None,
    as_json: AsJson = False,
) -> dict[str, Any]:
    """Train a network; a run that was broken off goes on to the same next step."""
    from echo3d.trainings import RECIPES, begun, default_settings, read_settings

    if schema:
        return _schema(kind, as_json=as_json)
    if kind is None:
        raise InputError(f"echo3d train must be told one of {', '.join(RECIPES)}, found none; name what is to learn")
    if defaults:
        return _shown(default_settings(kind), as_json=as_json)
    if trial:
        return _trial(kind, read_settings(kind, config), as_json=as_json)
    if out is None:
        raise InputError("a run must have a folder, found none; say --out DIR")
    if slurm is not None:
        return _slurm(kind, (config, out, slurm), as_json=as_json)
    settings = begun(kind, out) if resume and config is None else read_settings(kind, config)
    if job:
        from echo3d.jobs.queue import enqueue, waits
        from echo3d.jobs.registry import watch
        from echo3d.trainings import check_out, job_spec

        check_out(kind, out, settings, resume=resume)

        folder = enqueue(jobs_folder(jobs_dir), job_spec(kind, settings, out))
        waiting = waits(watch(folder))
        if not as_json:
            does = "waits for its device" if waiting else f"trains into {out.name}"
            print(f"The job {folder.name} {does}; see echo3d jobs show {folder.name}.")
        return {"job": folder.name, "out": out.name, "waits": waiting}
    return _in_front(kind, settings, out, resume=resume, as_json=as_json)


def _schema(kind: str | None, *, as_json: bool) -> dict[str, Any]:
    """Print the JSON schema of one kind's settings, or of all kinds', and return it."""
    from echo3d.trainings import schema as described

    answer = described(kind)
    if not as_json:
        print(json.dumps(answer, indent=1))
    return answer


def _trial(kind: str, settings: Any, *, as_json: bool) -> dict[str, Any]:
    """Measure a few steps here and now."""
    from echo3d.trial import measure, told

    answer = measure(kind, settings, progress=terminal_progress(as_json))
    if not as_json:
        for line in told(answer):
            print(line)
    return answer


def _slurm(kind: str, places: tuple[Path | None, Path, Path], *, as_json: bool) -> dict[str, Any]:
    """Write a batch script that trains, with one process for each device of the settings."""
    from echo3d.ranks import processes_of, slurm_script
    from echo3d.trainings import read_settings

    config, out, script = places
    processes = processes_of(read_settings(kind, config).model_dump(mode="json"))
    part = script.with_name(f".{script.name}.part")
    try:
        part.write_text(slurm_script(kind, config, out, processes), encoding="utf-8", newline="\n")
        part.replace(script)
    except OSError as exc:
        raise InputError(f"a batch script needs a folder that can be written, found {type(exc).__name__}; choose another file") from exc
    if not as_json:
        print(f"{script.name} trains with {processes} processes a machine; look at its partition and time, then sbatch {script.name}.")
    return {"script": script.name, "processes": processes}


def _shown(settings: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
    """Print settings for people and return them."""
    if not as_json:
        for name, one in settings.items():
            print(f"{name} = {json.dumps(one['default'])}   {one['meaning']}")
    return settings


def _in_front(kind: str, settings: Any, out: Path, *, resume: bool, as_json: bool) -> dict[str, Any]:
    """Train here and now."""
    from echo3d.trainings import train as run

    try:
        answer = run(kind, settings, out, resume=resume, progress=terminal_progress(as_json))
    except KeyboardInterrupt as exc:
        raise StoppedError("stopped before the end; the last checkpoint stays, and --resume goes on from there") from exc
    if not as_json:
        print(", ".join(f"{key} {value}" for key, value in answer.items()))
        print(f"Weights, card and log lie in the folder {out.name}.")
    return answer | {"out": out.name}
