"""The commands about many hearts: ``echo3d cohort ...``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from echo3d.cli_words import AsJson, Force, Out, reads_hearts, terminal_progress, with_files
from echo3d.errors import InputError

Workers = Annotated[int | None, typer.Option("--workers", help="Processes on this machine; all processors where not given.")]
Scheduler = Annotated[str | None, typer.Option("--scheduler", help="Address of a Dask scheduler to run on instead.")]

cohort = typer.Typer(name="cohort", help="Cohorts of hearts.", add_completion=False, rich_markup_mode=None)


@cohort.callback()
def _group() -> None:
    """Cohorts of hearts."""


@cohort.command("import")
@reads_hearts
def import_(
    path: Annotated[Path, typer.Argument(help="A mesh file (VTP, VTU, VTK, PLY, OBJ, STL, GLB) or a folder of them.", readable=False)],
    *,
    out: Out,
    reading: dict[str, Any],
    register: Annotated[
        bool, typer.Option("--register", help="Lay the template onto each heart as well; goes on where it stopped.")
    ] = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
    force: Force = False,
) -> dict[str, Any]:
    """Read hearts of other programs: a surface in mm and LPS and a label volume of each, and cohort.json about all."""
    from echo3d.hearts import Source
    from echo3d.imports import import_cohort

    source = Source(path, **reading)
    if register:
        return _import_registered(source, out, (workers, scheduler), as_json)
    content = import_cohort(source, out, force=force, progress=terminal_progress(as_json))
    if not as_json:
        for heart in content["hearts"]:
            _print_heart(heart)
        print(f"{len(content['hearts'])} hearts lie in the folder {out.name}: surfaces, label volumes and cohort.json.")
    return with_files(content, out)


def _import_registered(source: Any, out: Path, where: tuple[int | None, str | None], as_json: bool) -> dict[str, Any]:
    """Import and register, and say how well that went."""
    from echo3d.cohort.executor import open_executor
    from echo3d.registered import import_registered
    from echo3d.registration.register import RegisterConfig

    with open_executor(workers=where[0], scheduler=where[1]) as executor:
        content = import_registered(source, out, RegisterConfig(), executor, progress=terminal_progress(as_json))
    if not as_json:
        print((out / "quality.md").read_text(encoding="utf-8"))
        print(f"Worst first; each heart lies in a folder of its own in {out.name}.")
    return with_files(content, out)


def _print_heart(heart: dict[str, Any]) -> None:
    """Print one heart for people."""
    volumes = ", ".join(f"{key.upper()} {value:.0f} ml" for key, value in heart["volumes_ml"].items())
    print(f"{heart['name']}: {volumes}" + ("" if heart["size_known"] else " (size not in the file, so these are no measurements)"))
    for sentence in heart["assumed"]:
        print(f"- {sentence}")
    if heart["missing"]:
        print(f"- not in the file: {', '.join(name.lower().replace('_', ' ') for name in heart['missing'])}")


@cohort.command()
def generate(
    *,
    out: Out,
    count: Annotated[int, typer.Option("--count", help="How many hearts.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of everything that is drawn.")] = 0,
    groups: Annotated[str | None, typer.Option("--groups", help="Shares of the groups: normal=0.5,dcm=0.5.")] = None,
    families: Annotated[str | None, typer.Option("--families", help="Laws of motion, with commas; all where not given.")] = None,
    beats: Annotated[bool, typer.Option("--beats", help="Keep 25 phases of every heart instead of two.")] = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
    force: Force = False,
) -> dict[str, Any]:
    """Draw a cohort of sound hearts with their records."""
    from echo3d.anatomy.beat import FAMILIES
    from echo3d.anatomy.groups import MIXTURE
    from echo3d.cohort.executor import open_executor
    from echo3d.cohort.generate import generate as make
    from echo3d.cohort.spec import CohortSpec
    from echo3d.results import check_out

    names = FAMILIES if families is None else tuple(name.strip() for name in families.split(",") if name.strip())
    spec = CohortSpec(count, seed, MIXTURE if groups is None else shares(groups), names, beats)
    check_out(out, force=force)
    with open_executor(workers=workers, scheduler=scheduler) as executor:
        about = make(spec, out, executor, force=force, progress=terminal_progress(as_json))
    if not as_json:
        print(f"{about['hearts']} hearts: " + ", ".join(f"{n} {group}" for group, n in sorted(about["groups"].items())) + ".")
        reasons = ", ".join(f"{n} {reason}" for reason, n in about["rejected_by_reason"].items()) or "none"
        print(f"{about['rejected']} draws were rejected and drawn again: {reasons}.")
        print(f"The cohort lies in the folder {out.name}.")
    return about | {"out": out.name}


def shares(words: str) -> dict[str, float]:
    """Return the shares of ``group=share`` words; a group without a share counts one."""
    shares: dict[str, float] = {}
    for word in words.split(","):
        name, _, value = word.strip().partition("=")
        try:
            shares[name] = float(value or 1.0)
        except ValueError as exc:
            raise InputError(f"--groups must look like normal=0.5,dcm=0.5, found {value!r} as a share; write a number") from exc
    return shares


@cohort.command()
def describe(
    *,
    folder: Annotated[Path, typer.Argument(help="A cohort made by echo3d cohort generate.", readable=False)],
    out: Out,
    against: Annotated[
        Path | None, typer.Option("--against", readable=False, help="Folder with the surfaces of a real beat to fit to.")
    ] = None,
    as_json: AsJson = False,
    force: Force = False,
) -> dict[str, Any]:
    """Write a page about a cohort: population table, histograms, motion, hearts and views."""
    from echo3d.cohort.describe import describe as write_page
    from echo3d.results import check_out

    check_out(out, force=force)
    facts = write_page(folder, out, against=against, force=force, progress=terminal_progress(as_json))
    if not as_json:
        if facts["largest_z"] is not None:
            print(f"Normal hearts: the mean farthest from its reference lies {facts['largest_z']:.2f} standard deviations off.")
        for fit in facts["against"]:
            print(
                f"{fit['family']}: LV volume RMSE {fit['lv_rmse_ml']:.1f} ml, surface distance {fit['distance_mm']:.2f} mm over the beat."
            )
        print(f"The page lies in the folder {out.name}: page.html, page.json.")
    return facts | {"out": out.name}
