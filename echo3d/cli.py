"""The command line: each command reads its words, calls one function, prints one result.

Exit codes: 0 done, 2 wrong use or bad input (one sentence), 3 failed inside (one sentence, details in the log). With ``--json`` standard
output holds exactly one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from echo3d import __version__
from echo3d.cli_cohort import cohort
from echo3d.cli_dataset import dataset
from echo3d.cli_doctor import doctor, draw
from echo3d.cli_evaluate import evaluate
from echo3d.cli_jobs import jobs
from echo3d.cli_models import models
from echo3d.cli_register import register
from echo3d.cli_train import train
from echo3d.cli_words import (
    AsJson,
    Device,
    Force,
    InBody,
    Out,
    named_view,
    print_windows,
    reads_hearts,
    terminal_progress,
    view_pairs,
    with_files,
)
from echo3d.core.modelcard import USUAL_MODEL
from echo3d.core.views import View
from echo3d.errors import Echo3dError, InputError, StoppedError

DONE, WRONG, FAILED, STOPPED = 0, 2, 3, 130
_NOTICE = "Research use only, not for clinical diagnosis."

app = typer.Typer(
    name="echo3d",
    help=f"From 2D echo views to a beating 3D four-chamber heart. {_NOTICE} Without a command the window opens.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(cohort)
app.add_typer(dataset)
app.add_typer(jobs)
app.add_typer(models)
app.command()(register)
app.command()(train)
app.command()(evaluate)
app.command()(doctor)
app.command(hidden=True)(draw)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; never a traceback."""
    words = list(sys.argv[1:] if words is None else words)
    with _quiet(), _answers("--json" in words) as stdout:
        code, answer = _run(words, stdout)
        if answer is not None:
            stdout.write(json.dumps(answer) + "\n")
            stdout.flush()
    return code


def _run(words: list[str], stdout: Any) -> tuple[int, dict[str, Any] | None]:
    """Return exit code and, with ``--json``, the object to print."""
    as_json = "--json" in words
    try:
        answer = app(args=words, prog_name="echo3d", standalone_mode=False)
    except typer.TyperException as exc:
        return _failure(WRONG, f"{_without_paths(exc.format_message(), words).rstrip('.')}; see echo3d --help", as_json)
    except InputError as exc:
        return _failure(WRONG, str(exc), as_json)
    except StoppedError as exc:
        return _failure(STOPPED, str(exc), as_json)
    except (KeyboardInterrupt, typer.Abort):
        return _failure(STOPPED, "stopped before the end; nothing was written", as_json)
    except Exception as exc:  # the last border before the user
        return _failure(FAILED, _inside(exc), as_json)
    if not isinstance(answer, dict):
        return answer or DONE, None
    return DONE if answer.get("ok", True) else FAILED, answer if as_json else None


def _without_paths(sentence: str, words: Sequence[str]) -> str:
    """Return the sentence with every path that the user typed replaced by the word PATH.

    >>> _without_paths("Got unexpected extra argument (/home/jane/a.dcm)", ["doctor", "/home/jane/a.dcm"])
    'Got unexpected extra argument (PATH)'
    """
    typed = {part for word in words for part in word.split("=") if os.sep in part}
    for part in sorted(typed, key=len, reverse=True):
        sentence = sentence.replace(part, "PATH")
    return sentence


def _inside(exc: Exception) -> str:
    """Log an unforeseen failure and return the sentence for it."""
    from echo3d.logs import log_failure

    log_failure(exc)
    if isinstance(exc, Echo3dError):
        return str(exc)
    return f"something failed inside ({type(exc).__name__}); echo3d.log in the log folder says where, please report it"


def _failure(code: int, sentence: str, as_json: bool) -> tuple[int, dict[str, Any] | None]:
    """Say what was wrong in one sentence on standard error, and as JSON where that is wanted."""
    sentence = " ".join(sentence.split())
    print(f"echo3d: {sentence}", file=sys.stderr)
    return code, {"error": sentence, "exit_code": code} if as_json else None


@contextlib.contextmanager
def _answers(as_json: bool) -> Iterator[Any]:
    """Yield where answers go; with ``--json`` whatever a library prints meanwhile goes to standard error, from C code too."""
    if not as_json:
        yield sys.stdout
        return
    with contextlib.ExitStack() as stack:
        sys.stdout.flush()
        kept = os.dup(1)
        stack.callback(os.close, kept)
        os.dup2(2, 1)
        stack.callback(os.dup2, kept, 1)
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield stack.enter_context(os.fdopen(os.dup(kept), "w", encoding="utf-8"))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep libraries from writing to the terminal; they quote what files say, and files carry names."""
    for name in ("pydicom", "libav"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _version(asked: bool) -> None:
    if asked:
        print(f"echo3d {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Hold the options of the program itself."""


@app.command()
def demo(*, out: Out, as_json: AsJson = False, force: Force = False, device: Device = "auto") -> dict[str, Any]:
    """Reconstruct the embedded synthetic patient."""
    from echo3d.pipeline import demo_truth, run_demo

    result = run_demo(out, force=force, device=device, progress=terminal_progress(as_json))
    truth = demo_truth()
    known = {name: truth[name] for name in ("edv_ml", "esv_ml", "ef")}
    answer = _result_answer(result, out) | {"truth": known}
    if not as_json:
        _print_result(answer)
        print(f"Truth of this synthetic patient: EF {100 * known['ef']:.0f} %, EDV {known['edv_ml']:.0f} ml, ESV {known['esv_ml']:.0f} ml.")
    return answer


@app.command()
def reconstruct(
    *,
    out: Out,
    study: Annotated[list[Path] | None, typer.Argument(help="A folder, zip, DICOMDIR or files.", readable=False)] = None,
    view: Annotated[list[str] | None, typer.Option("--view", help="The file of a view: a4c=FILE. Repeat for more.")] = None,
    ed: Annotated[list[str] | None, typer.Option("--ed", help="End-diastolic frame of a view, from 0: a4c=3.")] = None,
    es: Annotated[list[str] | None, typer.Option("--es", help="End-systolic frame of a view, from 0: a4c=12.")] = None,
    model: Annotated[
        str, typer.Option("--model", help="Name of the weights: accurate, lean, or one of your own; see echo3d models list.")
    ] = USUAL_MODEL,
    device: Device = "auto",
    as_json: AsJson = False,
    force: Force = False,
) -> dict[str, Any]:
    """Make a beating heart, its volumes and its ejection fraction of a patient's echo study."""
    views = {name: Path(value) for name, value in view_pairs("--view", view, "a4c=FILE").items()}
    if not study and not views:
        raise InputError("a study must be given as a folder, zip, DICOMDIR or files, found none; name one, or files with --view a4c=FILE")
    from echo3d.pipeline import Request, run_reconstruct

    request = Request(tuple(study or ()), views, _frames("--ed", ed), _frames("--es", es), model, device)
    result = run_reconstruct(request, out, force=force, progress=terminal_progress(as_json))
    answer = _result_answer(result, out)
    if not as_json:
        _print_result(answer)
    return answer


@app.command()
def simulate(
    *,
    out: Out,
    heart: Annotated[
        Path | None, typer.Argument(help="A heart record such as truth.json; without it one is drawn.", readable=False)
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of everything that is drawn.")] = 0,
    ef: Annotated[float | None, typer.Option("--ef", help="Ejection fraction, 0.08 to 0.80; drawn where not given.")] = None,
    pathology: Annotated[
        str | None, typer.Option("--pathology", help="none, dcm, hcm, rv or another group of the cohort; drawn where not given.")
    ] = None,
    views: Annotated[str, typer.Option("--views", help="Views to write, with commas.")] = "a4c,a2c,a3c,psax_basal,psax_mid,psax_apical",
    body: InBody = None,
    style: Annotated[str, typer.Option("--style", help="What pictures show: binary, pseudo, speckle or cyclegan.")] = "speckle",
    screen: Annotated[
        bool, typer.Option("--screen", help="Show a scanner's whole screen: text, depth ticks and ECG round the fan.")
    ] = False,
    as_json: AsJson = False,
    force: Force = False,
) -> dict[str, Any]:
    """Write the echo study of a synthetic patient, with its truth beside it."""
    from echo3d.simulate import Simulation, read_record, simulate_study

    wanted = tuple(named_view("--views", name) for name in views.split(",") if name.strip())
    spec = Simulation(seed, ef, pathology, wanted, None if heart is None else read_record(heart), body=body, style=style, screen=screen)
    truth = simulate_study(spec, out, force=force, progress=terminal_progress(as_json))
    kept = {name: truth[name] for name in ("seed", "style", "edv_ml", "esv_ml", "ef", "volumes_ml", "ed_frame", "es_frame")}
    kept |= {name: truth[name] for name in ("body", "windows", "warnings") if name in truth}
    answer = with_files(kept, out)
    if not as_json:
        print(f"EF {100 * truth['ef']:.1f} %, EDV {truth['edv_ml']:.0f} ml, ESV {truth['esv_ml']:.0f} ml.")
        for sentence in (*truth.get("body", {}).get("assumed", ()), *truth.get("warnings", ())):
            print(f"- {sentence}")
        print_windows(truth.get("windows", {}))
        print(f"The study lies in the folder {out.name}: {', '.join(answer['files'])}.")
    return answer


@app.command("slice")
@reads_hearts
def slice_(
    heart: Annotated[Path, typer.Argument(help="The word template, a record, a label volume, or any mesh file.", readable=False)],
    *,
    out: Out,
    pose: Annotated[Path | None, typer.Option("--pose", readable=False, help="JSON: translation (mm), rotation (degrees), scale.")] = None,
    size: Annotated[int, typer.Option("--size", help="Pixels of a side.")] = 256,
    body: InBody = None,
    depth_mm: Annotated[
        float | None, typer.Option("--depth-mm", help="Length of the beams; 160, in a body as deep as the heart lies.")
    ] = None,
    reading: dict[str, Any],
    as_json: AsJson = False,
    force: Force = False,
) -> dict[str, Any]:
    """Cut the six standard label views of a heart: per view a picture and its tags, and sectors.json."""
    from echo3d.core.pose import identity_pose
    from echo3d.hearts import Source
    from echo3d.slices import SliceSpec, read_pose, slice_heart

    spec = SliceSpec(size, depth_mm, identity_pose() if pose is None else read_pose(pose), body=body)
    content = slice_heart(Source(heart, **reading), spec, out, force=force, progress=terminal_progress(as_json))
    if not as_json:
        for sentence in (*content["assumed"], *content.get("body", {}).get("assumed", ()), *content.get("warnings", ())):
            print(f"- {sentence}")
        if content["missing"]:
            print(f"- not in this heart: {', '.join(name.lower().replace('_', ' ') for name in content['missing'])}")
        if body is not None:
            print_windows({name: view["probe"] for name, view in content["views"].items()})
        print(f"Six views lie in the folder {out.name}: pictures, tags and sectors.json.")
    return with_files(content, out)


def _frames(option: str, words: Sequence[str] | None) -> dict[View, int]:
    """Return the frame numbers of ``view=number`` words by view."""
    frames: dict[View, int] = {}
    for view, value in view_pairs(option, words, "a4c=3").items():
        if not value.isdecimal():
            raise InputError(f"{option} must give a frame number from 0 on, found {value!r} for {view.key}; write it like a4c=3")
        frames[view] = int(value)
    return frames


def _result_answer(result: Any, out: Path) -> dict[str, Any]:
    """Return the content of result.json with the files beside it."""
    from echo3d.results import summary

    files = sorted(file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file())
    return summary(result) | {"out": out.name, "files": files}


def _print_result(answer: dict[str, Any]) -> None:
    """Print a result for people."""
    for title, name, factor, unit in (
        ("EF", "ef", 100, "%"),
        ("EDV", "edv_ml", 1, "ml"),
        ("ESV", "esv_ml", 1, "ml"),
        ("SV", "sv_ml", 1, "ml"),
    ):
        value, pair = answer[name], answer["interval90"].get(name)
        spread = "" if pair is None else f"   90 % interval {factor * pair[0]:.0f} to {factor * pair[1]:.0f} {unit}"
        print(f"{title:4}" + ("withheld" if value is None else f"{factor * value:5.0f} {unit}{spread}"))
    for warning in answer["warnings"]:
        print(f"- {warning}")
    print(f"The result lies in the folder {answer['out']}: report.pdf, heart_ed.vtp, heart_es.vtp, overlays, result.json. {_NOTICE}")
