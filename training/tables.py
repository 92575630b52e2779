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
}


def markdown(rows: dict[str, dict[str, float]]) -> str:
    """Return the rows as a Markdown table.

    >>> markdown({"6 views": dict.fromkeys(COLUMNS, 1.0)}).splitlines()[-1]
    '| 6 views | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 |'
    """
    head = "| | " + " | ".join(COLUMNS.values()) + " |\n" + "| --- " * (len(COLUMNS) + 1) + "|\n"
    names = {name: f"{name} ({row['patients']})" if "patients" in row else name for name, row in rows.items()}
    return head + "\n".join(f"| {names[name]} | " + " | ".join(f"{row[key]:.2f}" for key in COLUMNS) + " |" for name, row in rows.items())


def main() -> None:
    """Print the tables of a card."""
    metrics = json.loads(Path(sys.argv[1]).read_text())["metrics"]
    for key in ("synthetic", "groups", "out_of_span"):
        print(f"{key}\n\n{markdown(metrics[key])}\n")


if __name__ == "__main__":
    main()
