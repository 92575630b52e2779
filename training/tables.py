"""Print the card's measured errors as the Markdown table of the README.

python -m training.tables resources/weights/lean.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

COLUMNS = {
    "points_mm": "points, mm",
    "points_ed_mm": "ED only",
    "points_es_mm": "ES only",
    "surface_mm": "surface, mm",
    "lv_endo_mm": "LV endocardium, mm",
    "lv_pc": "LV, %",
    "rv_pc": "RV, %",
    "la_pc": "LA, %",
    "ra_pc": "RA, %",
    "ef_mae": "EF error, points",
    "ef_bias": "EF bias, points",
    "lv_ml": "LV, ml",
    "lv_ed_bias_pc": "LV bias at ED, %",
    "lv_es_bias_pc": "LV bias at ES, %",
    "probe_mm": "probe, mm",
    "centre_mm": "half way down the beam, mm",
    "normal_deg": "normal, degrees",
    "beam_deg": "beam, degrees",
    "covered_pc": "in their 90 % intervals, %",
    "covered_least_pc": "the least quantity, %",
}


def markdown(rows: dict[str, dict[str, float]]) -> str:
    """Return the rows as a Markdown table of the figures that all of them have.

    >>> print(markdown({"6 views": {"points_mm": 2.7, "ef_mae": 2.0}, "4 views": {"points_mm": 3.1, "ef_mae": 2.3, "lv_pc": 5.0}}))
    | | points, mm | EF error, points |
    | --- | --- | --- |
    | 6 views | 2.70 | 2.00 |
    | 4 views | 3.10 | 2.30 |
    """
    columns = {key: title for key, title in COLUMNS.items() if all(key in row for row in rows.values())}
    head = "| | " + " | ".join(columns.values()) + " |\n" + "| --- " * (len(columns) + 1) + "|\n"
    names = {name: f"{name} ({row['patients']})" if "patients" in row else name for name, row in rows.items()}
    return head + "\n".join(f"| {names[name]} | " + " | ".join(f"{row[key]:.2f}" for key in columns) + " |" for name, row in rows.items())


def main() -> None:
    """Print the tables of a card."""
    metrics = json.loads(Path(sys.argv[1]).read_text())["metrics"]
    for key in ("synthetic", "styles", "groups", "out_of_span"):
        if key in metrics:
            print(f"{key}\n\n{markdown(metrics[key])}\n")


if __name__ == "__main__":
    main()
