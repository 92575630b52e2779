"""A data set as a background job: what is refused before it starts, and what its process calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from echo3d.cohort.executor import check_workers, open_executor
from echo3d.dataset.generate import check_start, generate
from echo3d.dataset.manifest import summary
from echo3d.dataset.order import job_spec
from echo3d.dataset.spec import DatasetSpec, spec_from_json
from echo3d.jobs.launcher import start
from echo3d.jobs.worker import Job


def start_dataset(spec: DatasetSpec, out: Path, jobs: Path, *, workers: int | None = None, force: bool = False) -> Path:
    """Start the job that makes a data set and return its folder; what can be refused is refused before.

    Parameters
    ----------
    spec, out, workers, force : see :func:`echo3d.dataset.order.job_spec`
    jobs : folder of the jobs

    Raises
    ------
    InputError
        If a given heart or the output folder will not do, or no process can be started.
    """
    check_workers(workers)
    check_start(spec, out, force=force)
    return start(jobs, job_spec(spec, out, workers=workers, force=force))


def run(job: Job) -> dict[str, Any]:
    """Make the data set that the job asks for, or complete it."""
    wanted = job.arguments
    spec, out = spec_from_json(wanted["dataset"]), Path(wanted["out"])
    job.say(f"{spec.count} hearts, stage {spec.stage}, seed {spec.seed}")
    with open_executor(workers=wanted.get("workers")) as executor:
        manifest = generate(
            spec,
            out,
            executor,
            force=bool(wanted.get("force")),
            step=lambda done, total: job.progress(done, total, f"{done} of {total} hearts"),
        )
    return summary(manifest) | {"out": out.name}
