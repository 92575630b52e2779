"""The commands about background jobs: ``echo3d jobs ...``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from echo3d.cli_words import AsJson
from echo3d.errors import InputError
from echo3d.jobs.registry import Status
from echo3d.jobs.words import duration

JobsDir = Annotated[
    Path | None,
    typer.Option("--jobs-dir", envvar="ECHO3D_JOBS_DIR", readable=False, help="Folder of the jobs; the user's own where not given."),
]
Name = Annotated[str, typer.Argument(help="A job's name as jobs list shows it, or enough of its beginning.")]

jobs = typer.Typer(name="jobs", help="Background jobs: what they do, how far they are; stop them, go on with them.", rich_markup_mode=None)


@jobs.callback()
def _group() -> None:
    """Background jobs: what they do, how far they are; stop them, go on with them."""


def jobs_folder(named: Path | None) -> Path:
    """Return the folder of jobs that the user means.

    Raises
    ------
    InputError
        If it is none or cannot be made.
    """
    from echo3d.paths import user_jobs

    try:
        if named is None:
            return user_jobs()
        named.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise InputError(f"the folder of jobs must be writable, found none ({type(exc).__name__}); choose another --jobs-dir") from exc
    return named


@jobs.command("list")
def list_(*, jobs_dir: JobsDir = None, as_json: AsJson = False) -> dict[str, Any]:
    """List all jobs, the newest last."""
    found = _looked(jobs_folder(jobs_dir))
    if not as_json:
        for status in found:
            print(_line(status))
        if not found:
            print("There are no jobs.")
    return {"jobs": [_answer(status) for status in found]}


def _looked(folder: Path) -> list[Status]:
    """Return how all jobs stand, after starting those that waited for a device that is free now."""
    from echo3d.jobs.queue import advance
    from echo3d.jobs.registry import list_jobs

    found = list_jobs(folder)
    return list_jobs(folder) if advance(folder, found) else found


@jobs.command()
def queue(*, jobs_dir: JobsDir = None, as_json: AsJson = False) -> dict[str, Any]:
    """Show by device which job works on it and which wait for it; those whose devices are free start."""
    from echo3d.jobs.queue import by_device

    slots = by_device(_looked(jobs_folder(jobs_dir)))
    if not as_json:
        for device, (works, waiting) in slots.items():
            print(f"{device}: {works or 'free'}")
            for place, name in enumerate(waiting, start=1):
                print(f"  {place}. {name}")
        if not slots:
            print("No job works on a device of its own or waits for one.")
    return {"slots": {device: {"works": works, "waits": waiting} for device, (works, waiting) in slots.items()}}


@jobs.command()
def show(name: Name, *, jobs_dir: JobsDir = None, as_json: AsJson = False) -> dict[str, Any]:
    """Show how a job stands, with the last lines of its log."""
    from echo3d.jobs.registry import find_job, watch
    from echo3d.jobs.store import log_tail, read_answer

    folder = find_job(jobs_folder(jobs_dir), name)
    status = watch(folder)
    answer = _answer(status) | {"log": log_tail(folder), "answer": read_answer(folder)}
    if not as_json:
        print(_line(status))
        for line in filter(None, [status.message, status.sentence]):
            print(f"- {line}")
        for line in answer["log"]:
            print(f"  {line}")
    return answer


@jobs.command()
def cancel(name: Name, *, jobs_dir: JobsDir = None, as_json: AsJson = False) -> dict[str, Any]:
    """Stop a job; what it wrote stays. It is given 15 seconds to end by itself."""
    from echo3d.jobs.launcher import cancel as stop
    from echo3d.jobs.registry import find_job

    status = stop(find_job(jobs_folder(jobs_dir), name))
    return _told(status, as_json)


@jobs.command()
def resume(name: Name, *, jobs_dir: JobsDir = None, as_json: AsJson = False) -> dict[str, Any]:
    """Go on with a job that was interrupted or cancelled, or that failed, when its device is free."""
    from echo3d.jobs.queue import resume as go_on
    from echo3d.jobs.registry import find_job, watch

    folder = find_job(jobs_folder(jobs_dir), name)
    go_on(folder)
    return _told(watch(folder), as_json)


@jobs.command()
def delete(
    name: Name,
    *,
    files: Annotated[bool, typer.Option("--files", help="Delete the folder of a training run with it, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    jobs_dir: JobsDir = None,
    as_json: AsJson = False,
) -> dict[str, Any]:
    """Delete a job that has ended; what it made elsewhere, such as a data set, stays, but for the run that --files names."""
    from echo3d.jobs.registry import find_job
    from echo3d.jobs.removal import delete_job, ended

    folder = find_job(jobs_folder(jobs_dir), name)
    out = _run_of(folder) if files else None
    if out is not None and not yes:
        _asked(f"Delete the folder {out.name} with its weights and log?", as_json=as_json)
    if out is not None:
        from echo3d.trainings import delete_run

        ended(folder)
        delete_run(out)
    delete_job(folder)
    if not as_json:
        print(f"The job {folder.name} was deleted" + (f", and the folder {out.name}." if out else "."))
    return {"deleted": folder.name, "files": out.name if out else None}


def _asked(question: str, *, as_json: bool) -> None:
    """Go on only if somebody says yes."""
    if as_json:
        raise InputError("with --json nobody is asked, so that deleting files must be confirmed beforehand, found no --yes; add it")
    if not typer.confirm(question, err=True):
        raise typer.Abort


def _run_of(folder: Path) -> Path:
    """Return the folder of the run that a job trains.

    Raises
    ------
    InputError
        If it trains none.
    """
    from echo3d.jobs.store import read_spec
    from echo3d.trainings import JOB

    spec = read_spec(folder)
    if spec.target != JOB:
        raise InputError(f"--files goes with a training, found a job of the kind {spec.kind}; leave it out")
    return Path(spec.arguments["out"])


@jobs.command()
def duplicate(
    name: Name,
    *,
    out: Annotated[Path, typer.Option("--out", readable=False, help="Folder of the new run.")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting with another value: minutes=20. Repeat for more.")] = None,
    jobs_dir: JobsDir = None,
    as_json: AsJson = False,
) -> dict[str, Any]:
    """Train again with other settings; it starts when its device is free."""
    from echo3d.jobs.queue import enqueue
    from echo3d.jobs.registry import find_job, watch
    from echo3d.jobs.store import read_spec
    from echo3d.trainings import check_out, job_spec
    from echo3d.trainings import duplicate as changed

    folder = jobs_folder(jobs_dir)
    kind, settings = changed(read_spec(find_job(folder, name)), _changes(set_ or ()))
    check_out(kind, out, settings, resume=False)
    return _told(watch(enqueue(folder, job_spec(kind, settings, out))), as_json)


def _changes(words: Sequence[str]) -> dict[str, str]:
    """Return the values of ``field=value`` words by field."""
    pairs = [word.partition("=") for word in words]
    if wrong := [name for name, equals, _ in pairs if not equals or not name]:
        raise InputError(f"--set must look like minutes=20, found {wrong[0][:40]!r}; write it that way")
    return {name: value for name, _, value in pairs}


@jobs.command(hidden=True)
def run(folder: Annotated[Path, typer.Argument(readable=False)]) -> dict[str, Any]:
    """Do the job of a folder in this process; what starts jobs calls this."""
    from echo3d.jobs.worker import run as work
    from echo3d.jobs.worker import step_back

    step_back()
    return {"ok": work(folder)}


@jobs.command(hidden=True)
def torchrun(count: int, place: Annotated[Path, typer.Argument(readable=False)]) -> dict[str, Any]:
    """Start the processes that learn together; what trains on several devices calls this."""
    from echo3d.ranks import torchrun as start

    start(count, place)
    return {"ok": True}


@jobs.command(hidden=True)
def rank(place: Annotated[Path, typer.Argument(readable=False)]) -> dict[str, Any]:
    """Be one of the processes that learn together; torchrun calls this."""
    from echo3d.ranks import rank as work

    work(place)
    return {"ok": True}


def _told(status: Status, as_json: bool) -> dict[str, Any]:
    """Print one line about a job and return the same as an object."""
    if not as_json:
        print(_line(status))
    return _answer(status)


def _answer(status: Status) -> dict[str, Any]:
    """Return what is known of a job as plain JSON values."""
    return {
        "name": status.name,
        "title": status.spec.title if status.spec else "",
        "kind": status.spec.kind if status.spec else "",
        "slot": status.spec.slot if status.spec else "",
        "state": status.state.value,
        "done": status.done,
        "total": status.total,
        "message": status.message,
        "rate_per_s": None if status.rate is None else round(status.rate, 4),
        "remaining_s": None if status.remaining_s is None else round(status.remaining_s, 1),
        "sentence": status.sentence,
    }


def _line(status: Status) -> str:
    """Return one line about a job for people."""
    title = status.spec.title if status.spec else "damaged"
    parts = [f"{status.state:11} {status.name}  {title}"]
    if status.total:
        parts.append(f"{status.done} of {status.total}")
    if status.state.alive and status.rate:
        parts.append(f"{60 * status.rate:.1f} a minute")
    if status.remaining_s is not None:
        parts.append(f"{duration(status.remaining_s)} to go")
    return ", ".join(parts)
