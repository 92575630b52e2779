"""A data set as a background job or a command line: all that a window's dialog needs, without what draws pictures.

``launcher.start(user_jobs(), job_spec(spec, out))`` starts it, ``registry.watch`` follows it, and ``echo3d dataset estimate --json`` with
``words_of(spec)`` tells time and size before.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from echo3d.dataset.spec import DatasetSpec, Range, absolute, spec_to_json
from echo3d.jobs.spec import JobSpec

KIND, TARGET = "dataset", "echo3d.dataset.job:run"


def job_spec(spec: DatasetSpec, out: Path, *, workers: int | None = None, force: bool = False) -> JobSpec:
    """Return the job that makes a data set.

    Parameters
    ----------
    spec : what is wanted
    out : folder to make
    workers : processes, as many as there are processors where not given
    force : whether another data set in that folder may be replaced
    """
    wanted = spec_to_json(spec) | {"hearts": list(absolute(spec.hearts))}
    if spec.body:
        wanted["body"] = absolute((spec.body,))[0]
    arguments = {"dataset": wanted, "out": str(out.absolute()), "workers": workers, "force": force}
    return JobSpec(KIND, f"Data set of {spec.count} hearts in {out.name}", TARGET, arguments)


def words_of(spec: DatasetSpec) -> list[str]:
    """Return the command line's words for a spec, behind ``echo3d dataset generate`` or ``estimate``.

    >>> words_of(DatasetSpec(3, pose={"x": (-5, 5)}))[-2:]
    ['--pose', 'x=-5.0:5.0']
    """
    words = [f"--{name}={getattr(spec, name)}" for name in ("count", "seed", "stage", "hands", "size")]
    words += [f"--pixel-mm={spec.pixel_mm!r}", f"--phases={','.join(spec.phases)}", f"--families={','.join(spec.families)}"]
    words += [f"--views={','.join(view.key for view in spec.views)}"]
    words += [f"--groups={','.join(f'{name}={share!r}' for name, share in spec.mixture.items())}"]
    words += [f"--body={absolute((spec.body,))[0]}"] if spec.body else []
    for option, values in (("--heart", absolute(spec.hearts)), ("--pose", _ranges(spec.pose)), ("--probe", _ranges(spec.probe))):
        words += [word for value in values for word in (option, value)]
    return words


def _ranges(ranges: Mapping[str, Range]) -> list[str]:
    return [f"{name}={low!r}:{high!r}" for name, (low, high) in ranges.items()]
