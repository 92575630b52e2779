"""The networks that the application knows beside the shipped ones: a run of the user's own becomes one, or is handed on as one file."""

from __future__ import annotations

import json
import pkgutil
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from echo3d.anatomy.template import load_template
from echo3d.core.modelcard import ModelCard
from echo3d.errors import InputError, ModelError
from echo3d.io.cards import installed, read_card, told, weights_that_are
from echo3d.jobs.registry import list_jobs
from echo3d.jobs.spec import State
from echo3d.paths import user_jobs, user_models
from echo3d.progress import Progress, silent
from echo3d.settings import load_settings
from echo3d.trainings import CONFIG, JOB, RUN, kind_of

USABLE = ("s2mnet", "accurate")
"""Kinds of runs that hearts are computed with."""

PLAIN, REFINED = "s2mnet", "refined s2mnet"
"""Kinds of their weights: a network's, and those that refine another's answers."""

EXPORTED = (RUN, "recipe.json", "log.jsonl")
"""Files of a run that are handed on as they are."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True)
class Model:
    """A network that is installed.

    Parameters
    ----------
    name : for ``--model``
    own : whether the user added it
    card : what is known of it, None where its card is damaged
    """

    name: str
    own: bool
    card: ModelCard | None

    @property
    def computes_hearts(self) -> bool:
        """Whether ``--model`` may name it."""
        return self.card is not None and not misfit(self.card)

    @property
    def lean(self) -> bool:
        """Whether an accurate network can be made of it."""
        return self.computes_hearts and self.card is not None and self.card.kind == PLAIN


def list_models() -> list[Model]:
    """Return the installed networks, the shipped ones first; without torch."""
    return [Model(path.stem, own, _told(path)) for own in (False, True) for path in installed(own=own)]


def _told(path: Path) -> ModelCard | None:
    try:
        return told(path)
    except ModelError:
        return None


def misfit(card: ModelCard) -> str:
    """Return in a sentence why no hearts can be computed with weights here, nothing where they can.

    They are of another kind, displace another template than the installed one, or refine a network that is not installed.
    """
    if card.kind not in (PLAIN, REFINED):
        return f"hearts are computed with weights of the kind {PLAIN} or {REFINED}, found {card.kind[:40]}; name others"
    template = load_template()
    if card.template_sha256 != template.sha256:
        return f"weights must displace the installed template, {card.name[:40]} displaces another; choose weights made for {template.name}"
    if card.kind == REFINED:
        try:
            weights_that_are(str(card.config.get("network_sha256")), str(card.config.get("network")))
        except ModelError as exc:
            return str(exc)
    return ""


def add_model(source: Path, *, name: str | None = None, progress: Progress = silent) -> ModelCard:
    """Put a network among the user's models and return its card.

    Parameters
    ----------
    source : the folder of a run, an exported .zip, or a .safetensors file with its card beside it
    name : for ``--model``; what the folder or file is called where None
    progress : hears how far the measuring is

    Raises
    ------
    InputError
        If there is no network, it is of a kind that hearts are not computed with, or the name is taken or no plain word.
    ModelError
        If its files are damaged, it displaces another template, or it refines a network that is not installed.
    """
    chosen = _free(name or re.sub(r"[^A-Za-z0-9_.-]+", "-", source.stem).strip("-._"))
    with _network(source, chosen, progress) as (tensors, card):
        if sentence := misfit(card):
            raise ModelError(sentence)
        return _installed(tensors, replace(card, name=chosen))


def _free(name: str) -> str:
    """Return a name that no network has."""
    if not _NAME.fullmatch(name):
        raise InputError(f"a model's name must be up to 40 letters, digits, dots, dashes or underscores, found {name[:40]!r}; use --name")
    if name in [path.stem for path in installed()]:
        raise InputError(f"a model's name must be new, found {name} taken; choose another with --name, or remove that model first")
    return name


def _installed(tensors: dict[str, Any], card: ModelCard) -> ModelCard:
    """Write weights and card, whole or not at all, and see that they answer."""
    from echo3d.io.weights import write_weights
    from echo3d.reconstruction.reconstruct import load_model

    final = user_models() / f"{card.name}.safetensors"
    part = user_models() / f".{card.name}.safetensors"
    write_weights(part, tensors, card)
    for suffix in (".json", ".safetensors"):
        part.with_suffix(suffix).replace(final.with_suffix(suffix))
    try:
        return load_model(card.name, "cpu").card
    except (RuntimeError, KeyError, ValueError, TypeError) as exc:
        _deleted(final)
        raise ModelError(f"weights must fit their card, those of {card.name} do not ({type(exc).__name__}); export them again") from exc


@contextmanager
def _network(source: Path, name: str, progress: Progress) -> Iterator[tuple[dict[str, Any], ModelCard]]:
    """Yield tensors and card of a source."""
    if source.is_dir():
        kind = kind_of(source)
        if kind not in USABLE:
            raise InputError(
                f"hearts are computed with a run of {' or '.join(USABLE)}, found one of {kind[:40]}; hand it on with echo3d models export, "
                "or compare it with echo3d evaluate"
            )
        yield _exported(source, name, progress)
        return
    with tempfile.TemporaryDirectory() as place:
        path = source if source.suffix == ".safetensors" else _unpacked(source, Path(place))
        if not path.is_file():
            raise InputError("a model must be a run's folder, an exported .zip or a .safetensors file, found none; name one of these")
        card = read_card(path)
        if card.kind not in (PLAIN, REFINED):
            raise InputError(misfit(card))
        from echo3d.io.weights import read_weights

        yield read_weights(path), card


def _unpacked(source: Path, place: Path) -> Path:
    """Return the weights' file of an exported zip, unpacked with its card; nothing else is."""
    try:
        with zipfile.ZipFile(source) as archive:
            names = [name for name in archive.namelist() if name.endswith(".safetensors") and "/" not in name and "\\" not in name]
            if len(names) != 1:
                raise InputError(f"an exported model must hold one .safetensors file, found {len(names)}; export it again")
            for name in (names[0], f"{Path(names[0]).stem}.json"):
                (place / Path(name).name).write_bytes(archive.read(name))
            return place / Path(names[0]).name
    except (OSError, KeyError, zipfile.BadZipFile) as exc:
        raise InputError(
            f"a model must be a run's folder, an exported .zip or a .safetensors file, found none ({type(exc).__name__}); name one of these"
        ) from exc


def _exported(run: Path, name: str, progress: Progress) -> tuple[dict[str, Any], ModelCard]:
    """Return tensors and card of a finished run."""
    try:
        export = pkgutil.resolve_name("training.exports:exported")
    except ModuleNotFoundError as exc:
        raise ModelError(
            f"a run becomes a model by the package {exc.name}, which is not installed here; install echo3d from sources"
        ) from exc
    tensors, card = export(kind_of(run), run, name, progress)
    return tensors, card


def remove_model(name: str) -> None:
    """Delete one of the user's models.

    Raises
    ------
    InputError
        If there is none of that name, it is in use, or it may not be deleted.
    """
    mine = {path.stem: path for path in installed(own=True)}
    if name not in mine:
        raise InputError(
            f"a model must be one's own to be removed ({', '.join(mine) or 'there is none'}), found {name[:40]!r}; name another"
        )
    if sentence := in_use(name):
        raise InputError(sentence)
    try:
        _deleted(mine[name])
    except OSError as exc:
        raise InputError(f"the folder of models must be writable, found {type(exc).__name__}; remove the model by hand") from exc


def _deleted(path: Path) -> None:
    path.unlink()
    path.with_suffix(".json").unlink(missing_ok=True)


def in_use(name: str) -> str:
    """Return in a sentence what one of the user's models is needed for, nothing where it may go.

    Another refines its answers, the window computes with it, or a training that has not ended begins with it.
    """
    if refining := refined_by(name):
        return f"a model that another refines must stay, found {refining[0]} made of {name}; remove {refining[0]} first"
    if load_settings().model == name:
        return f"a model that hearts are computed with must stay, found {name} chosen in the window; choose another network there first"
    learning = [
        status.name
        for status in list_jobs(user_jobs())
        if status.spec is not None
        and status.spec.target == JOB
        and (status.state.alive or status.state is State.QUEUED)
        and (status.spec.arguments.get("settings") or {}).get("model") == name
    ]
    if learning:
        return f"a model that a training begins with must stay, found {learning[0]} at it; wait for its end or cancel it first"
    return ""


def refined_by(name: str) -> list[str]:
    """Return the installed models that refine the answers of another, unless that lies here under a second name too."""
    cards = {path.stem: card for path in installed() if (card := _told(path)) is not None}
    sha256 = cards[name].sha256 if name in cards else ""
    if not sha256 or any(card.sha256 == sha256 for other, card in cards.items() if other != name):
        return []
    return [other for other, card in cards.items() if card.kind == REFINED and card.config.get("network_sha256") == sha256]


def export_run(run: Path, out: Path, *, progress: Progress = silent) -> list[str]:
    """Write a finished run of any kind into one zip, and return the names in it: weights, card, settings, log, and curves as CSV and PNG.

    Folders that the settings name are left out, because they belong to one machine.

    Raises
    ------
    InputError
        If the folder holds no finished run, or ``out`` exists or cannot be written.
    """
    from echo3d.curves import picture_of, read_log, write_csv
    from echo3d.io.images import write_png
    from echo3d.io.weights import write_weights

    if out.exists():
        raise InputError("an export must be a new file, found it there; choose another name")
    with tempfile.TemporaryDirectory() as made:
        place, name = Path(made), re.sub(r"[^A-Za-z0-9_.-]+", "-", run.resolve().name)
        tensors, card = _exported(run, name, progress)
        write_weights(place / f"{name}.safetensors", tensors, card)
        rows = read_log(run)
        write_csv(place / "curves.csv", rows)
        write_png(place / "curves.png", picture_of(rows))
        settings = json.loads((run / CONFIG).read_text(encoding="utf-8"))
        (place / CONFIG).write_text(json.dumps(without_paths(settings), indent=1) + "\n", encoding="utf-8")
        for file in EXPORTED:
            if (run / file).is_file():
                (place / file).write_bytes((run / file).read_bytes())
        return _zipped(place, out)


def without_paths(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings in which folders and files are only said to have been given.

    >>> without_paths({"data": "/home/jane/samples", "steps": 5, "device": "cpu"})
    {'data': 'given', 'steps': 5, 'device': 'cpu'}
    """
    return {name: "given" if isinstance(value, str) and ("/" in value or "\\" in value) else value for name, value in settings.items()}


def _zipped(place: Path, out: Path) -> list[str]:
    """Write the files of a folder into a zip that appears whole."""
    part = out.with_name(f".{out.name}")
    names = sorted(path.name for path in place.iterdir())
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.write(place / name, name)
        part.replace(out)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise InputError(f"an export must lie in a folder that can be written, found {type(exc).__name__}; choose another place") from exc
    return names
