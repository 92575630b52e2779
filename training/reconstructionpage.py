"""The report on reconstruction as files: report.json, pictures, and one page that shows both."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from echo3d.cohort.page import Section, html_image, html_page, html_table
from echo3d.reconstruction.uncertainty import VOLUMES
from training.bars import coverage, judged
from training.contestants import true_points
from training.heartmeasures import QUANTITIES, correlation
from training.overlayscore import Seen
from training.overlaysheet import overlay_sheet
from training.published import MSE_CASES_CM2, MSE_CM2, NOISE_CM2, TABLE3
from training.reconstructionfigures import box_plot, case_sheet, strain_plot

if TYPE_CHECKING:
    from training.reconstructionreport import Measured, Request, Test

MAIN = {
    "mse_cm2": "MSE, cm²",
    "mse_cm2_sd": "± SD",
    "points_mm": "points, mm",
    "surface_mm": "surface, mm",
    "surface_p95_mm": "95th percentile, mm",
    "lv_endo_mm": "LV endocardium, mm",
    "lv_pc": "LV, %",
    "rv_pc": "RV, %",
    "la_pc": "LA, %",
    "ra_pc": "RA, %",
    "ef_points": "EF, points",
    "ef_points_bias": "EF bias, points",
    "r_ef_gls": "r(EF, GLS)",
}
VOXELS = {
    "iou_median": "IoU, metric grid, median",
    "iou": "mean",
    "iou_own_median": "IoU, own box, median",
    "iou_own": "mean",
    "consent": "filled from probability",
    "dice_tissue": "Dice of tissue",
    "dice_lv_muscle": "LV muscle",
    "dice_rv_muscle": "RV muscle",
    "dice_lv": "LV",
    "dice_rv": "RV",
    "dice_la": "LA",
    "dice_ra": "RA",
}
PAPER_WAY = {
    "lv_pc": "LV by closed surface, %",
    "lv_pc_bias": "bias",
    "lv_hull_pc": "LV by Delaunay, %",
    "lv_hull_pc_bias": "bias",
    "ef_points": "EF by closed surface, points",
    "ef_points_bias": "bias",
    "ef_hull_points": "EF by Delaunay, points",
    "ef_hull_points_bias": "bias",
}
PLANES = {
    "probe_mm": "fan's tip, mm",
    "centre_mm": "middle of the fan, mm",
    "offset_mm": "along the normal, mm",
    "normal_deg": "normal, degrees",
    "beam_deg": "beam, degrees",
    "turn_deg": "whole turn, degrees",
    "overlay_heart": "overlay IoU, heart",
    "overlay_lv": "overlay IoU, LV",
}
COST = {"latency_ms": "time, ms", "processor_ms": "processor time in one thread, ms", "peak_mb": "memory beside Python and torch, MB"}
BY_GROUP = {key: MAIN[key] for key in ("points_mm", "surface_mm", "lv_endo_mm", "lv_pc", "rv_pc", "ef_points", "ef_points_bias")}


def write_report(out: Path, request: Request, test: Test, found: Sequence[Measured]) -> dict[str, Any]:
    """Write report.json, pictures and report.html into a folder; return what the first holds."""
    from training.reconstructionreport import entry_of

    entries = {one.contestant.name: entry_of(one, test) for one in found}
    figures = {
        "schema": 1,
        "command": request.command,
        "patients": len(test.records),
        "patients_with_surfaces": len(test.some),
        "styles": list(test.styles),
        "bars": judged(entries),
        "contestants": entries,
        "table3": _table3(found, test),
        "cases": _cases(found, test),
    }
    figures = rounded(figures)
    (out / "report.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    pictures = draw(found, test)
    for name, picture in pictures.items():
        Image.fromarray(picture).save(out / f"{name}.png")
    (out / "report.html").write_text(html_page("Hearts from echo pictures, measured", sections(figures, pictures)), encoding="utf-8")
    return figures


def rounded(value: Any) -> Any:
    """Return figures with four digits that count; what is no number becomes None.

    >>> rounded({"a": [1.23456, float("nan"), 7]})
    {'a': [1.235, None, 7]}
    """
    if isinstance(value, Mapping):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return value


def _table3(found: Sequence[Measured], test: Test) -> dict[str, Any]:
    """Return the paper's pairs beside those of test hearts, GLS measured on the true heart and EF on the answer."""
    printed = np.array(TABLE3)
    own = {one.contestant.name: one.tables[6]["ef"] for one in found if one.contestant.kind == "network"}
    pairs = {name: np.stack([test.gls, ef], axis=1).tolist() for name, ef in own.items()}
    r = {name: correlation(test.gls, ef) for name, ef in own.items()}
    true = next((one.tables[6]["ef_true"] for one in found if "ef_true" in one.tables[6]), np.zeros(0))
    told = {"printed": [list(pair) for pair in TABLE3], "printed_r": correlation(*printed.T)}
    return told | {"pairs": pairs, "r": r, "true_r": correlation(test.gls, true) if len(true) else None}


def _cases(found: Sequence[Measured], test: Test) -> dict[str, list[dict[str, Any]]]:
    """Return for each network which hearts it answers best and worst."""
    told: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        if one.contestant.kind == "network":
            error = one.tables[6]["mse_cm2"].ravel()
            told[one.contestant.name] = [
                {
                    "patient": row // 2,
                    "phase": ("ED", "ES")[row % 2],
                    "group": test.records[row // 2]["group"],
                    "mse_cm2": float(error[row]),
                }
                for row in one.extremes
            ]
    return told


def draw(found: Sequence[Measured], test: Test) -> dict[str, NDArray[np.uint8]]:
    """Return the pictures by their names."""
    ours = [one.contestant.name for one in found if one.contestant.kind == "network"]
    pictures = {}
    for name, key, title in (("figure3_metric", "iou", "IoU, common metric grid"), ("figure3_own", "iou_own", "IoU, each heart's own box")):
        overlaps = {one.contestant.name: one.tables[6][key][np.isfinite(one.tables[6][key])] for one in found if key in one.tables[6]}
        pictures[name] = box_plot(title, overlaps, ours)
    first = next((one for one in found if one.extremes), None)
    if first is not None:
        truth, error = true_points(test.samples).numpy(), first.tables[6]["mse_cm2"].ravel()
        named = zip(("lowest", "highest"), first.extremes.items(), strict=False)
        cases = [(f"{word} MSE\n{error[row]:.3g} cm2", truth[row], said) for word, (row, said) in named]
        pictures["figure4"] = case_sheet(cases)
        if first.said[6][0].points is not None and first.said[6][0].planes is not None:
            pictures["figure5"] = overlays(first, test)
    if ours:
        ef = {one.contestant.name: one.tables[6]["ef"] for one in found if one.contestant.kind == "network"}
        pictures["table3"] = strain_plot(test.gls, ef)
    return pictures


def overlays(one: Measured, test: Test) -> NDArray[np.uint8]:
    """Return Figure 5: a heart at end-diastole, cut at the planes that a contestant predicts; one seen in speckle where there is one."""
    styles = [test.styles[patient % len(test.styles)] for patient in test.some]
    place = 2 * (styles.index("speckle") if "speckle" in styles else 0)
    row, said = int(test.rows[place]), one.said[6][place]
    part = {key: test.samples[key][row : row + 1].numpy() for key in ("echo", "labels", "fans", "sectors")}
    true = true_points(test.samples)[row : row + 1].double().numpy()
    points = {"true": true, "found": np.asarray(said.points, dtype=float)[None]}
    planes = {"true": part["sectors"], "found": np.asarray(said.planes)[None]}
    return overlay_sheet(Seen(part["echo"], part["labels"], part["fans"].astype(float), points, planes), 0)


def sections(figures: Mapping[str, Any], pictures: Mapping[str, NDArray[np.uint8]]) -> list[Section]:
    """Return the page's parts."""
    entries = figures["contestants"]
    six = {name: entry["views"]["6"] for name, entry in entries.items()}
    networks = {name: entry for name, entry in entries.items() if entry["kind"] == "network"}
    overlap = html_image(pictures["figure3_metric"]) + html_image(pictures["figure3_own"])
    parts: list[Section] = [
        ("What made this page", _preamble(figures)),
        ("What is to be reached", _bars(figures["bars"])),
        ("Everyone, six views", _table(six, MAIN) + _paper_words()),
        (
            "Figure 3: overlap of voxels at 128³",
            overlap + _voxel_words(),
        ),
        ("Overlap, means over hearts", _table(six, VOXELS)),
    ]
    if "figure4" in pictures:
        parts.append(("Figure 4: the best and the worst heart of the first network", html_image(pictures["figure4"]) + _case_words()))
    if "figure5" in pictures:
        parts.append(("Figure 5: cuts of the predicted heart at the predicted planes", html_image(pictures["figure5"]) + _overlay_words()))
    if "table3" in pictures:
        parts.append(("Table 3: EF against longitudinal strain", html_image(pictures["table3"]) + _strain_words(figures["table3"])))
    parts.append(("Volumes by closed surface and as in the paper", _table(six, PAPER_WAY) + _hull_words()))
    parts.append(("Planes and overlays, means over views", _table({name: entry["views"]["6"] for name, entry in networks.items()}, PLANES)))
    parts += [("90 % intervals", _intervals(networks)), ("Which pictures are trusted: AUROC", _trust(networks))]
    for name, entry in networks.items():
        by_number = {f"{number} views": row for number, row in entry["views"].items()}
        parts.append((f"{name} by number of views", _table(by_number, MAIN)))
        groups = {f"{group} ({row['patients']})": row for group, row in (entry["groups"] | entry["laws"]).items()}
        parts.append((f"{name} by group and by law of motion, six views", _table(groups, BY_GROUP)))
    return [*parts, ("Cost: one moment's six views, best of twenty; by the clock with two threads", _costs(entries))]


def number_of(value: float | None) -> str:
    """Return a figure as it is shown.

    >>> number_of(0.01842), number_of(2.345), number_of(None)
    ('0.0184', '2.35', '')
    """
    if value is None:
        return ""
    if abs(value) < 1:
        return f"{value:.3g}" if abs(value) > 1e-4 else "0"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def _table(rows: Mapping[str, Mapping[str, float]], columns: Mapping[str, str]) -> str:
    """Return the rows that have any of the columns, and the columns that any row has."""
    shown = {key: title for key, title in columns.items() if any(row.get(key) is not None for row in rows.values())}
    kept = [
        (name, *(number_of(row.get(key)) for key in shown)) for name, row in rows.items() if any(row.get(key) is not None for key in shown)
    ]
    return html_table(("", *shown.values()), kept)


def _preamble(figures: Mapping[str, Any]) -> str:
    return (
        f"<p><code>{figures['command']}</code></p><p>{figures['patients']} drawn patients, end-diastole and end-systole, that nothing was "
        f"trained on; pictures of the styles {', '.join(figures['styles'])} in turn. Surfaces, voxels, overlays and trust on "
        f"{figures['patients_with_surfaces']} of them. <b>template</b>: the template as answer. <b>noise</b>: even random numbers over the "
        "range of the true coordinates. <b>stranger</b>: another patient's true heart. <b>swapped</b>: the network's answer to the next "
        "patient's pictures. <b>similarity</b>: the template turned, moved and scaled onto the truth, which no network is told.</p>"
    )


def _bars(lines: Sequence[Mapping[str, Any]]) -> str:
    names = list(lines[0]["networks"])

    def cell(one: Mapping[str, Any]) -> str:
        return "not measured" if one["met"] is None else f"{number_of(one['value'])} {'<b>met</b>' if one['met'] else 'not met'}"

    return html_table(("", "to reach", *names), [(x["figure"], x["bar"], *(cell(x["networks"][name]) for name in names)) for x in lines])


def _paper_words() -> str:
    return (
        f"<p>The paper prints a mean squared error of {MSE_CM2[0]:g} ± {MSE_CM2[1]:g} (least {MSE_CASES_CM2[0]:g}, most "
        f"{MSE_CASES_CM2[1]:g}; random guesses {NOISE_CM2:g}); read as cm² over single coordinates, from its own hearts, which are drawn "
        "from one shape model.</p>"
    )


def _voxel_words() -> str:
    return (
        "<p>Tissue of all tags but the aorta. Metric grid: one cube of 204.8 mm for all hearts, 1.6 mm a voxel, hearts aligned to the "
        "template; size and place count. Own box: the voxels of that grid, cut to the box that just holds them and stretched to 128³, "
        "answer and truth each by its own box, as E-Pix2Vox++ does; size and aspect do not count. Rivals that answer in probabilities are "
        "taken at the threshold that is best for each heart, as published, which flatters them. Boxes from quartile to quartile.</p>"
    )


def _case_words() -> str:
    return (
        "<p>Target red, template light blue, prediction dark blue; where both are seen their colours mix, so margins of one colour are "
        "errors.</p>"
    )


def _overlay_words() -> str:
    return (
        "<p>One of the hearts measured in full, at end-diastole, by the first network: the picture, the predicted heart cut at the "
        "predicted plane with its tissue in light blue, and the structures that the picture was drawn from.</p>"
    )


def _strain_words(table: Mapping[str, Any]) -> str:
    own = ", ".join(f"{name} {r:.3f}" for name, r in table["r"].items())
    return (
        f"<p>r of the paper's 14 pairs: {table['printed_r']:.3f} (it prints -0.82); ours: {own}; of the true EF {table['true_r']:.3f}. The "
        "paper's GLPS is measured by clinicians on real patients of one disease, ours on the true drawn heart, which has no observer's "
        "error, over a wider range of EF: the two r are not of one kind.</p>"
    )


def _hull_words() -> str:
    return (
        "<p>By Delaunay: every tenth point, those of the LV, and the volume of their Delaunay tetrahedra, which is that of their convex "
        "hull; both against the true closed surface.</p>"
    )


def _intervals(networks: Mapping[str, Mapping[str, Any]]) -> str:
    """Return how often intervals hold the truth and how wide they are, by number of views, and six views by group."""
    units = {name: f"{key.upper()} {phase.upper()}, ml" for name, (key, phase) in VOLUMES.items()} | {"sv_ml": "SV, ml", "ef": "EF, points"}
    head = ("", "all", *(f"{units[name].split(',')[0]} held, %" for name in QUANTITIES), *(f"width {units[name]}" for name in QUANTITIES))
    rows = []
    for name, entry in networks.items():
        named = {f"{name}, {number} views": row for number, row in entry["views"].items()}
        named |= {f"{name}, {group}": row for group, row in entry["groups"].items()}
        for title, row in named.items():
            if (held := coverage(row)) is not None:
                figures = [row[f"{kind}_{quantity}"] for kind in ("covered", "width") for quantity in QUANTITIES]
                rows.append((title, number_of(held), *map(number_of, figures)))
    return html_table(head, rows) if rows else "<p>No network has calibrated intervals.</p>"


def _trust(networks: Mapping[str, Mapping[str, Any]]) -> str:
    keys = {
        "wrong_view_auroc": "one of six is another view",
        "no_heart_auroc": "one of six shows no heart",
        "noise_auroc": "one of six is noise",
        "all_wrong_view_auroc": "all six are other views",
        "all_no_heart_auroc": "none shows a heart",
        "all_noise_auroc": "all are noise",
    }
    return _table({name: entry["trust"] for name, entry in networks.items()}, keys)


def _costs(entries: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (
            name,
            entry["kind"],
            f"{entry['parameters'] / 1e6:.2f}",
            number_of(entry["cost"]["latency_ms"]),
            number_of(entry["cost"]["peak_mb"]),
        )
        for name, entry in entries.items()
        if entry["cost"]
    ]
    return html_table(("", "kind", "parameters, millions", *COST.values()), rows)
