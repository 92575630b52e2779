"""How networks trained with one style of pictures read the others, and real clips: the report of ``echo3d evaluate style``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from echo3d.anatomy.template import load_template
from echo3d.cohort.figures import sheet
from echo3d.cohort.page import Section, html_image, html_page, html_table
from echo3d.core.modelcard import ModelCard
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.progress import Progress, silent
from echo3d.reconstruction.reconstruct import S2MModel, load_model
from training.data import Shards
from training.evaluate import SUBSETS, answers, reader_of, table_row, trained
from training.realclips import ClipAnswer, overlay_sheet, read_clip
from training.styles import STYLES, UNSEEN

MARGIN = 1.2
"""How much worse than the best network of one style the mixture may be on that style's own test pictures."""

_FIGURES = (
    ("surface_mm", "Surface distance, mm"),
    ("lv_endo_mm", "LV endocardium, mm"),
    ("lv_pc", "LV volume, %"),
    ("ef_mae", "EF, points"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is evaluated.

    Parameters
    ----------
    networks : folders of runs of ``training.styleproof``, or names of shipped weights
    data : folder of test samples with pictures of ``training.styles``
    clips : real clips by the view that they show
    hearts : most patients of the test samples
    command : what made the report
    """

    networks: tuple[str, ...]
    data: Path
    clips: tuple[tuple[View, Path], ...] = ()
    hearts: int = 120
    command: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Rival:
    """A network with its name and the styles that it was trained with."""

    name: str
    styles: tuple[str, ...]
    model: S2MModel


def evaluate(request: Request, out: Path, *, progress: Progress = silent) -> dict[str, Any]:
    """Write the report into a folder and return its figures.

    Raises
    ------
    InputError
        If a network, the test samples or a clip cannot be read.
    """
    rivals = [_rival(name) for name in request.networks]
    if len({rival.name for rival in rivals}) < len(rivals):
        raise InputError("networks to compare must have names of their own, found two alike; leave one out or name it in its recipe.json")
    styles = drawn_styles(request.data)
    rows = matrix(rivals, request, styles, progress)
    progress(0.8, "Reading real clips")
    clips = [(view, *read_clip(path, view, [rival.model for rival in rivals])) for view, path in request.clips]
    figures = {
        "schema": 1,
        "command": request.command,
        "patients": request.hearts,
        "networks": {rival.name: list(rival.styles) for rival in rivals},
        "matrix": rows,
        "verdicts": verdicts(rivals, rows),
        "clips": [{"view": view.key} | _told(rivals, found) for view, _, found in clips],
    }
    pictures = {"styles": style_sheet(request.data, styles)}
    for number, (view, clip, found) in enumerate(clips, start=1):
        pictures[f"clip{number}_{view.key}"] = overlay_sheet(clip, [(rival.name, one) for rival, one in zip(rivals, found, strict=True)])
    _write(out, figures, pictures)
    progress(1.0, "Done")
    return figures


def drawn_styles(data: Path) -> tuple[str, ...]:
    """Return the styles that every shard of a folder has pictures in.

    Raises
    ------
    InputError
        If there are none.
    """
    shards = {path.name for path in data.glob("*.npz")}
    found = tuple(style for style in (*STYLES, *UNSEEN) if shards and shards <= {path.name for path in (data / style).glob("*.npz")})
    if not found:
        raise InputError("--data must hold samples with pictures, found none; draw them with training.samples and training.styles")
    return found


def _rival(name: str) -> Rival:
    """Return the network of a run's folder, or shipped weights by their name."""
    run = Path(name)
    if not (run / "network.pt").is_file():
        model = load_model(name, "cpu")
        return Rival(name, tuple(model.card.trained.get("styles", ("speckle",))), model)
    network, state = trained(run)
    recipe = json.loads((run / "recipe.json").read_text()) if (run / "recipe.json").is_file() else {"name": run.name, "styles": []}
    template = load_template()
    card = ModelCard(
        recipe["name"], "s2mnet", {"samples": state["samples"]}, template.sha256, (state["config"]["raster"],) * 2, state["config"]
    )
    return Rival(
        recipe["name"], tuple(recipe["styles"]), S2MModel(network, card, template, np.zeros((7, len(template.points))), torch.device("cpu"))
    )


def matrix(rivals: Sequence[Rival], request: Request, styles: Sequence[str], progress: Progress) -> dict[str, dict[str, dict[str, float]]]:
    """Return the errors of every network on test pictures of every style."""
    rows: dict[str, dict[str, dict[str, float]]] = {rival.name: {} for rival in rivals}
    for number, style in enumerate(styles):
        shards = Shards(request.data, 2 * request.hearts, styles=(style,))
        shards.refresh()
        samples = {key: values[: 2 * request.hearts] for key, values in shards.all().items()}
        for rank, rival in enumerate(rivals):
            progress(0.8 * (number + rank / len(rivals)) / len(styles), f"{rival.name} on {style}")
            points = answers(reader_of(rival.model), samples, SUBSETS[6])["points"]
            rows[rival.name][style] = table_row(points, samples, np.random.default_rng(0))
    return rows


def verdicts(rivals: Sequence[Rival], rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[dict[str, Any]]:
    """Return for the mixture, style by style, how it stands to the others.

    On a style that single networks were trained with: its error over the best one's, ``seen``. Against those that never saw the style:
    its error over the best of theirs, ``unseen``.
    """
    mixed = max(rivals, key=lambda rival: (rival.name == "mixture", len(rival.styles)))
    found = []
    for style in rows[mixed.name]:
        for figure in ("surface_mm", "ef_mae"):
            own = rows[mixed.name][style][figure]
            singles = [rival for rival in rivals if rival is not mixed and len(rival.styles) == 1]
            groups = {"seen": [r for r in singles if style in r.styles], "unseen": [r for r in singles if style not in r.styles]}
            line: dict[str, Any] = {"style": style, "figure": figure, "mixture": own}
            for name, group in groups.items():
                if group:
                    best = min(group, key=lambda rival: rows[rival.name][style][figure])
                    line[name] = {
                        "best": best.name,
                        "value": rows[best.name][style][figure],
                        "ratio": round(own / rows[best.name][style][figure], 3),
                    }
            found.append(line)
    return found


def style_sheet(data: Path, styles: Sequence[str]) -> NDArray[np.uint8]:
    """Return the paper's Table 2 as a picture: six views of one heart at end-diastole, a row for each style."""
    path = min(data.glob("*.npz"))
    rows = []
    for style in styles:
        with np.load(path.parent / style / path.name, allow_pickle=False) as file:
            echo = file["echo"][0]
        rows.append((style, [(view.key, np.repeat(_large(echo[view])[..., None], 3, axis=2)) for view in View]))
    return sheet(rows)


def _large(picture: NDArray[np.uint8], size: int = 168) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC))


def _told(rivals: Sequence[Rival], found: Sequence[ClipAnswer]) -> dict[str, Any]:
    """Return what a clip says of each network."""
    return {"networks": {rival.name: one.figures() for rival, one in zip(rivals, found, strict=True)}}


def _write(out: Path, figures: Mapping[str, Any], pictures: Mapping[str, NDArray[np.uint8]]) -> None:
    """Write figures, pictures and the page that shows both."""
    (out / "matrix.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    for name, picture in pictures.items():
        Image.fromarray(picture).save(out / f"{name}.png")
    sections: list[Section] = [("What made this page", f"<p><code>{figures['command']}</code></p>")]
    sections.append(("The styles: six views of one heart", html_image(pictures["styles"])))
    sections += [(f"{title}: trained with (row), tested on (column)", _matrix_table(figures["matrix"], key)) for key, title in _FIGURES]
    sections.append(("The mixture against networks of one style", _verdict_table(figures["verdicts"])))
    for number, clip in enumerate(figures["clips"], start=1):
        table = _clip_table(clip["networks"])
        sections.append((f"Real clip {number}, read as {clip['view']}", table + html_image(pictures[f"clip{number}_{clip['view']}"])))
    (out / "report.html").write_text(html_page("What each style of pictures teaches", sections), encoding="utf-8")


def _matrix_table(rows: Mapping[str, Mapping[str, Mapping[str, float]]], figure: str) -> str:
    styles = list(next(iter(rows.values())))
    return html_table(("", *styles), [(name, *(f"{row[style][figure]:.2f}" for style in styles)) for name, row in rows.items()])


def _verdict_table(lines: Sequence[Mapping[str, Any]]) -> str:
    def cell(one: Mapping[str, Any] | None) -> str:
        return f"{one['ratio']:.2f} ({one['best']}, {one['value']:.2f})" if one else ""

    head = ("style", "figure", "mixture", "over the best that saw it", "over the best that did not")
    rows = [(x["style"], x["figure"], f"{x['mixture']:.2f}", cell(x.get("seen")), cell(x.get("unseen"))) for x in lines]
    return html_table(head, rows)


def _clip_table(networks: Mapping[str, Mapping[str, float]]) -> str:
    keys = list(dict.fromkeys(key for figures in networks.values() for key in figures))
    return html_table(("", *keys), [(name, *(f"{row[key]:.3g}" if key in row else "" for key in keys)) for name, row in networks.items()])
