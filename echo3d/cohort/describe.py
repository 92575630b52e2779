"""The page of a cohort: what is in it, how normal its normal hearts are, what it looks like, and how it holds against a real beat."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.beat import FAMILIES, BeatDraw
from echo3d.anatomy.groups import GROUPS
from echo3d.anatomy.measure import Measures
from echo3d.anatomy.population import REFERENCES, Row, population_table
from echo3d.anatomy.solve import goals_of
from echo3d.anatomy.timing import Moment, moments
from echo3d.cohort.against import Fit, fit_all
from echo3d.cohort.figures import COLOURS, Axes, Picture, curves, dots, histogram
from echo3d.cohort.generate import read_cohort
from echo3d.cohort.page import Section, html_image, html_page, html_table
from echo3d.cohort.series import SURFACES, read_series
from echo3d.cohort.sheets import heart_sheet, mode_sheet, one_of_each, view_sheet
from echo3d.progress import Progress, silent
from echo3d.results import write_whole

HISTOGRAMS = (
    ("lv_edv_ml", "LV EDV, ml", (50.0, 360.0), 1.0),
    ("ef", "LV ejection fraction, %", (5.0, 80.0), 100.0),
    ("rv_edv_ml", "RV EDV, ml", (50.0, 310.0), 1.0),
    ("la_max_ml", "LA at its largest, ml", (15.0, 190.0), 1.0),
    ("ra_max_ml", "RA at its largest, ml", (20.0, 210.0), 1.0),
    ("lv_mass_g", "LV muscle, g", (50.0, 430.0), 1.0),
    ("wall_max_mm", "Thickest LV segment, mm", (4.0, 23.0), 1.0),
    ("tapse_mm", "TAPSE, mm", (-5.0, 35.0), 1.0),
)
"""Measure, title, ends and factor of each histogram."""


def describe(folder: Path, out: Path, *, against: Path | None = None, force: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Write page.html and page.json about a cohort into a new folder and return what page.json says.

    Parameters
    ----------
    folder : a cohort
    out : folder to make
    against : folder with the surfaces of a real beat to hold the motion against
    force : whether an earlier page may be replaced
    progress : hears how far it is

    Raises
    ------
    InputError
        If the cohort or the real beat cannot be read, or the folder may not be written.
    """
    about, lines = read_cohort(folder)
    table = population_table(_normal(lines))
    fits = (
        [] if against is None else fit_all(read_series(against).from_diastole(), progress=lambda share, text: progress(0.4 * share, text))
    )
    facts = _facts(about, lines, table, fits)
    progress(0.5, "Drawing the page")
    sections = [
        _summary(about),
        _population(table),
        _histograms(lines),
        _motion(lines),
        *(_against(fits) if fits else ()),
        *_sheets(lines, progress),
    ]
    page = html_page("A cohort of hearts", sections)

    def write(place: Path) -> None:
        (place / "page.html").write_text(page, encoding="utf-8")
        (place / "page.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")

    write_whole(out, write, force=force)
    progress(1.0, "Done")
    return facts


def _fits(against: Path, progress: Progress) -> list[Fit]:
    """Return the fits of a real beat, which is read from a folder."""
    return fit_all(read_series(against).from_diastole(), progress=lambda share, text: progress(0.4 * share, text))


def _normal(lines: Sequence[dict[str, Any]]) -> list[tuple[str, Measures]]:
    return [(line["record"]["body"]["sex"], Measures(**line["measures"])) for line in lines if line["record"]["group"] == "normal"]


def _facts(about: dict[str, Any], lines: Sequence[dict[str, Any]], table: Sequence[Row], fits: Sequence[Fit]) -> dict[str, Any]:
    """Return the figures of the page."""
    ef, gls = (np.array([line["measures"][name] for line in lines]) for name in ("ef", "gls"))
    ranges = {name: [float(f([line["measures"][name] for line in lines])) for f in (min, max)] for name, *_ in HISTOGRAMS}
    return {
        "hearts": about["hearts"],
        "groups": about["groups"],
        "rejected": about["rejected"],
        "rejected_by_reason": about["rejected_by_reason"],
        "population": [
            {"name": r.name, "sex": r.sex, "n": r.count, "mean": r.mean, "sd": r.sd, "reference": list(r.reference), "z": r.z}
            for r in table
        ],
        "largest_z": max((abs(row.z) for row in table), default=None),
        "ef_gls_correlation": float(np.corrcoef(ef, gls)[0, 1]) if len(lines) > 2 else None,
        "ranges": ranges,
        "against": [fit.summary() for fit in fits],
    }


def _summary(about: dict[str, Any]) -> Section:
    """Return what the cohort holds and what was rejected."""
    rows = [
        (GROUPS[key].title, about["groups"].get(key, 0), about["rejected_by_group"].get(key, 0))
        for key in GROUPS
        if about["groups"].get(key)
    ]
    reasons = ", ".join(f"{count} {reason}" for reason, count in about["rejected_by_reason"].items()) or "none"
    text = (
        f"<p>{about['hearts']} hearts, {about['phases']} phases each, seed {about['spec']['seed']}. "
        f"{about['rejected']} draws were rejected and drawn again: {reasons}.</p>"
    )
    return "What is in it", text + html_table(("Group", "hearts", "draws rejected"), rows)


def _population(table: Sequence[Row]) -> Section:
    """Return the table of normal hearts against the references."""
    rows = []
    for row in table:
        reference = REFERENCES[row.name]
        z = f"<b>{row.z:+.2f}</b>" if abs(row.z) > 1 else f"{row.z:+.2f}"
        ours, theirs = f"{row.mean:.1f} &plusmn; {row.sd:.1f}", f"{row.reference[0]:g} &plusmn; {row.reference[1]:g}"
        rows.append(
            (f"{reference.title}, {reference.unit}", "men" if row.sex == "m" else "women", row.count, ours, theirs, z, reference.source)
        )
    note = (
        "<p>Volumes are held against cardiac MR, muscle and walls against CT, annuli against MR, the aortic root against echo. "
        "z is the distance of the means in the reference's standard deviations.</p>"
    )
    return "Normal men and women against published means", note + html_table(("", "", "n", "this cohort", "reference", "z", "source"), rows)


def _histograms(lines: Sequence[dict[str, Any]]) -> Section:
    """Return stacked histograms by group."""
    colours = dict(zip(GROUPS, COLOURS, strict=True))
    legend = " ".join(f"<span style='color:rgb{colours[key]}'>&#9632; {html.escape(GROUPS[key].title)}</span>" for key in GROUPS)
    pictures = []
    for name, title, ends, factor in HISTOGRAMS:
        groups = {key: np.array([factor * line["measures"][name] for line in lines if line["record"]["group"] == key]) for key in GROUPS}
        pictures.append(histogram(Axes(title, ends, (0, 1)), groups, colours))
    return "Volumes, function and walls by group", f"<p>{legend}</p>" + "".join(map(html_image, pictures))


def _motion(lines: Sequence[dict[str, Any]]) -> Section:
    """Return strain against ejection fraction, and volume curves of one beat per family."""
    families = dict(zip(FAMILIES, COLOURS, strict=False))
    found = {family: _ef_and_gls([line for line in lines if line["record"]["beat"]["family"] == family]) for family in FAMILIES}
    pictures = [dots(Axes("Longitudinal strain follows EF", (5, 80), (-30, 0), "EF, %", "GLS, %"), found, families)]
    for family in FAMILIES:
        line = next((one for one in lines if one["record"]["beat"]["family"] == family and one["record"]["group"] == "normal"), None)
        if line is not None:
            pictures.append(_volume_curves(family, line))
    legend = " ".join(f"<span style='color:rgb{colour}'>&#9632; {name}</span>" for name, colour in families.items())
    return "Motion", f"<p>Dots by law of motion: {legend}</p>" + "".join(map(html_image, pictures))


def _ef_and_gls(lines: Sequence[dict[str, Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ejection fraction and strain of hearts, per cent."""
    ef, gls = (np.array([100 * line["measures"][name] for line in lines]) for name in ("ef", "gls"))
    return ef, gls


def _volume_curves(family: str, line: dict[str, Any]) -> Picture:
    """Return LV, RV, LA and RA volumes of one heart over its beat, as its law meets them."""
    plain = line["record"]["beat"] | {"segments": tuple(line["record"]["beat"]["segments"])}
    beat, measures = BeatDraw(**plain), line["measures"]
    course = [*moments(beat, 100), Moment(0, 0, 0, 0, 0, 0)]
    goals = [goals_of(beat, moment) for moment in course]
    time = np.linspace(0, 60_000 / beat.heart_rate, len(course))
    ends = {"LV": measures["lv_edv_ml"], "RV": measures["rv_edv_ml"]}
    atria = {"LA": measures["la_max_ml"] * (1 - beat.la_emptying), "RA": measures["ra_max_ml"] * (1 - beat.ra_emptying)}
    series: dict[str, NDArray[np.float64]] = {
        "LV": ends["LV"] * np.array([g[0][0] for g in goals]),
        "RV": ends["RV"] * np.array([g[1][0] for g in goals]),
        "LA": atria["LA"] * np.array([g[2][0] for g in goals]),
        "RA": atria["RA"] * np.array([g[2][1] for g in goals]),
    }
    top = 1.15 * max(float(v.max()) for v in series.values())
    axes = Axes(f"One normal beat: {family}, EF {100 * beat.ef:.0f} %", (0, float(time[-1])), (0, top), "ms", "ml")
    return curves(axes, [(name, time, values) for name, values in series.items()])


def _against(fits: Sequence[Fit]) -> list[Section]:
    """Return the table and the curves of the fits to a real beat."""
    names = [title.replace("_ENDOCARDIAL", " inner").replace("EPICARDIAL", "outer") for title in SURFACES]
    rows = []
    for fit in fits:
        facts = fit.summary()
        parts = [f"{value:.2f}" for value in facts["by_surface_mm"].values()]
        numbers = [facts[name] for name in ("lv_rmse_ml", "distance_mm", "distance_ed_mm", "distance_worst_phase_mm")]
        rows.append((facts["family"], *(f"{v:.2f}" for v in numbers), *parts, f"{facts['gls_percent']:.1f}", f"{facts['swing_mm']:.1f}"))
    head = ("law", "LV volume RMSE, ml", "distance, mm", "at ED", "worst phase", *names, "GLS, %", "swing, mm")
    best, phases = fits[0], np.arange(len(fits[0].lv_ml))
    volume = Axes(f"LV volume, {best.record.beat.family}", (0, float(phases[-1])), (0, 1.15 * float(best.target_ml.max())), "phase", "ml")
    pictures = [curves(volume, [("real heart", phases, best.target_ml), ("fitted", phases, best.lv_ml)])]
    top = 1.2 * max(float(fit.distance_mm.mean(axis=1).max()) for fit in fits)
    axes = Axes("Surface distance over the beat", (0, float(phases[-1])), (0, top), "phase", "mm")
    pictures.append(curves(axes, [(fit.record.beat.family, phases, fit.distance_mm.mean(axis=1)) for fit in fits]))
    note = "<p>Place, shape and growth are fitted at end-diastole, motion at end-systole; the phases between follow from the record.</p>"
    return [("Against a real beat", note + html_table(head, rows) + "".join(map(html_image, pictures)))]


def _sheets(lines: Sequence[dict[str, Any]], progress: Progress) -> list[Section]:
    """Return the sheets of pictures."""
    hearts = one_of_each(lines)
    progress(0.6, "Drawing hearts")
    sections = [("One heart of each group", html_image(heart_sheet(hearts)))]
    progress(0.75, "Cutting views")
    sections += [(f"Their six views at {phase}", html_image(view_sheet(hearts, phase))) for phase in ("ED", "ES")]
    progress(0.9, "Drawing modes")
    return [*sections, ("Modes of shape", html_image(mode_sheet()))]
