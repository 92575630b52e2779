"""The commands about data sets to train on: ``echo3d dataset ...``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from echo3d.cli_cohort import Scheduler, Workers, shares
from echo3d.cli_jobs import JobsDir, jobs_folder
from echo3d.cli_words import AsJson, Force, terminal_progress
from echo3d.errors import InputError, StoppedError
from echo3d.jobs.words import duration

dataset = typer.Typer(name="dataset", help="Data sets to train on.", add_completion=False, rich_markup_mode=None)

Out = Annotated[Path, typer.Option("--out", readable=False, help="Folder to make, or to complete; manifest.json in it comes last.")]
Count = Annotated[int, typer.Option("--count", help="How many hearts.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything that is drawn.")]
Hearts = Annotated[
    list[str] | None,
    typer.Option("--heart", help="A cohort folder, record, mesh or the word template. Repeat for more; drawn where not given."),
]
Groups = Annotated[str | None, typer.Option("--groups", help="Shares of the groups of drawn hearts: normal=0.5,dcm=0.5.")]
Families = Annotated[str | None, typer.Option("--families", help="Laws of motion, with commas; all where not given.")]
Stage = Annotated[str, typer.Option("--stage", help="What pictures show: labels, binary, pseudo, echo or cyclegan.")]
Hands = Annotated[int, typer.Option("--hands", help="Poses and sets of six probes for each heart.")]
Phases = Annotated[str, typer.Option("--phases", help="ed, es or both, with a comma.")]
Views = Annotated[str | None, typer.Option("--views", help="Views, with commas; all six where not given.")]
Size = Annotated[int, typer.Option("--size", help="Pixels of a side.")]
PixelMm = Annotated[float, typer.Option("--pixel-mm", help="Side of a pixel; 0 lets a picture show 179.2 mm.")]
Pose = Annotated[
    list[str] | None,
    typer.Option("--pose", help="Range of a pose number: x=-5:5 (x y z mm, rx ry rz degrees, scale). Repeat for more."),
]
Probe = Annotated[
    list[str] | None,
    typer.Option(
        "--probe",
        help="Range of a probe number: tilt=-5:5 (tilt rotate angulate half_angle degrees, slide_lateral slide_elevation standoff depth "
        "mm, level 0 to 1). Repeat for more; a careful hand where not given.",
    ),
]

Body = Annotated[
    str | None,
    typer.Option(
        "--body",
        help="The body that every heart stands in: torso for each heart's own person, m:178:80, or a mesh file. It holds the probes on its "
        "skin and shades echo pictures; none where not given.",
    ),
]


@dataset.callback()
def _group() -> None:
    """Data sets to train on."""


@dataset.command()
def generate(
    *,
    out: Out,
    count: Count,
    seed: Seed = 0,
    heart: Hearts = None,
    groups: Groups = None,
    families: Families = None,
    stage: Stage = "echo",
    hands: Hands = 1,
    phases: Phases = "ed,es",
    views: Views = None,
    size: Size = 112,
    pixel_mm: PixelMm = 0.0,
    pose: Pose = None,
    probe: Probe = None,
    body: Body = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    job: Annotated[bool, typer.Option("--job", help="Start it as a background job and return.")] = False,
    jobs_dir: JobsDir = None,
    as_json: AsJson = False,
    force: Force = False,
) -> dict[str, Any]:
    """Make a data set; the same command completes one that was stopped, bit for bit."""
    words = _words(locals())
    if not job:
        return _in_front(words, out, (workers, scheduler), force=force, as_json=as_json)
    if scheduler is not None:
        raise InputError("a job must run on this machine, found --scheduler beside --job; leave one of them out")
    return _as_job(words, out, jobs_folder(jobs_dir), {"workers": workers, "force": force}, as_json=as_json)


@dataset.command()
def estimate(
    *,
    count: Count,
    seed: Seed = 0,
    heart: Hearts = None,
    groups: Groups = None,
    families: Families = None,
    stage: Stage = "echo",
    hands: Hands = 1,
    phases: Phases = "ed,es",
    views: Views = None,
    size: Size = 112,
    pixel_mm: PixelMm = 0.0,
    pose: Pose = None,
    probe: Probe = None,
    body: Body = None,
    workers: Workers = None,
    out: Annotated[Path | None, typer.Option("--out", readable=False, help="Where it is to go: is there room?")] = None,
    as_json: AsJson = False,
) -> dict[str, Any]:
    """Say how long a data set will take and how large it will be, by making its first hearts and throwing them away."""
    from dataclasses import asdict

    from echo3d.dataset.estimate import estimate as measure

    found = measure(_spec(_words(locals())), workers=workers, out=out)
    if not as_json:
        print(f"{found.samples} samples: about {duration(found.seconds)} on {found.workers} processes, {found.bytes / 1e6:.0f} MB.")
        print(f"Measured on {found.timed} hearts of it: {found.heart_s:.2f} s and {found.heart_bytes / 1e6:.2f} MB each.")
        if not found.fits:
            print(f"There is not enough room: {(found.free_bytes or 0) / 1e6:.0f} MB are free.")
    return asdict(found) | {"fits": found.fits}


_OF_THE_SPEC = (
    "count", "seed", "heart", "groups", "families", "stage", "hands", "phases", "views", "size", "pixel_mm", "pose", "probe", "body",
)  # fmt: skip


def _words(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the user said of the data set itself."""
    return {name: given[name] for name in _OF_THE_SPEC}


def _spec(words: Mapping[str, Any]) -> Any:
    """Return the spec that the user's words mean."""
    from echo3d.anatomy.beat import FAMILIES
    from echo3d.anatomy.groups import MIXTURE
    from echo3d.dataset.spec import DatasetSpec, views_of

    return DatasetSpec(
        **{name: words[name] for name in ("count", "seed", "stage", "hands", "size", "pixel_mm")},
        hearts=tuple(words["heart"] or ()),
        mixture=MIXTURE if words["groups"] is None else shares(words["groups"]),
        families=FAMILIES if words["families"] is None else _names(words["families"]),
        phases=_names(words["phases"]),
        views=views_of(_names(words["views"])),
        pose=ranges("--pose", words["pose"]),
        probe=ranges("--probe", words["probe"]),
        body=words["body"] or "",
    )


def _names(words: str | None) -> tuple[str, ...]:
    """Return the names of a list with commas."""
    return tuple(name.strip() for name in (words or "").split(",") if name.strip())


def ranges(option: str, words: list[str] | None) -> dict[str, tuple[float, float]]:
    """Return the ranges of ``name=low:high`` words; ``name=value`` holds the number still.

    Raises
    ------
    InputError
        If a word looks otherwise.

    >>> ranges("--pose", ["x=-5:5", "scale=1.1"])
    {'x': (-5.0, 5.0), 'scale': (1.1, 1.1)}
    """
    found: dict[str, tuple[float, float]] = {}
    for word in words or ():
        name, _, ends = word.partition("=")
        low, colon, high = ends.partition(":")
        try:
            found[name.strip()] = (float(low), float(high if colon else low))
        except ValueError as exc:
            raise InputError(f"{option} must look like x=-5:5, found {word[:40]!r}; write it that way") from exc
    return found


def _in_front(words: Mapping[str, Any], out: Path, where: tuple[int | None, str | None], *, force: bool, as_json: bool) -> dict[str, Any]:
    """Make the data set here and now."""
    from echo3d.cohort.executor import open_executor
    from echo3d.dataset.generate import generate as make
    from echo3d.dataset.manifest import summary

    progress = terminal_progress(as_json)
    try:
        with open_executor(workers=where[0], scheduler=where[1]) as executor:
            manifest = make(
                _spec(words),
                out,
                executor,
                force=force,
                step=lambda done, total: progress(done / total, f"{done} of {total} hearts"),
            )
    except KeyboardInterrupt as exc:
        raise StoppedError("stopped before the end; the hearts that are written stay, and the same command goes on from there") from exc
    answer = summary(manifest) | {"out": out.name}
    if not as_json:
        parts = " and ".join(f"{n} for {side}" for side, n in answer["split"].items())
        print(f"{answer['hearts']} hearts ({parts}), {answer['samples']} samples, {answer['bytes'] / 1e6:.0f} MB.")
        print(f"The data set lies in the folder {out.name}: manifest.json and one file per heart.")
    return answer


def _as_job(words: Mapping[str, Any], out: Path, jobs: Path, options: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
    """Start the job that makes the data set; what can be refused is refused before."""
    from echo3d.dataset.job import start_dataset

    folder = start_dataset(_spec(words), out, jobs, **options)
    if not as_json:
        print(f"The job {folder.name} makes the data set {out.name}; see echo3d jobs show {folder.name}.")
    return {"job": folder.name, "out": out.name}
