"""Pages that carry everything they show: HTML with tables and pictures in one file."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from echo3d.clinical.shown import NOTICE
from echo3d.cohort.figures import Picture

Section = tuple[str, str]
"""Title and HTML content."""


def html_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return an HTML table; cells are taken as they are."""
    lines = ["".join(f"<th>{cell}</th>" for cell in head), *("".join(f"<td>{cell}</td>" for cell in row) for row in rows)]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def html_image(picture: Picture) -> str:
    """Return a picture as an element that carries it."""
    store = BytesIO()
    Image.fromarray(picture).save(store, "PNG", optimize=True)
    return f"<img src='data:image/png;base64,{base64.b64encode(store.getvalue()).decode()}' alt=''>"


_STYLE = (
    "body{font:14px/1.45 system-ui,sans-serif;color:#222831;max-width:1180px;margin:24px auto;padding:0 16px}"
    "h1{font-size:22px}h2{font-size:16px;margin-top:28px;border-bottom:1px solid #d8dce2}table{border-collapse:collapse;margin:8px 0}"
    "td,th{padding:2px 10px;border-bottom:1px solid #e6e9ee;text-align:left;font-variant-numeric:tabular-nums}"
    "th{color:#6e7681;font-weight:600}"
    "img{margin:4px;max-width:100%}.notice{background:#a8361f;color:#fff;padding:4px 10px;border-radius:3px}"
)


def html_page(title: str, sections: Sequence[Section]) -> str:
    """Return the whole page."""
    body = "".join(f"<h2>{html.escape(name)}</h2>{content}" for name, content in sections)
    head = f"<meta charset='utf-8'><title>{html.escape(title)}</title><style>{_STYLE}</style>"
    top = f"<h1>{html.escape(title)}</h1><p class='notice'>{html.escape(NOTICE)}</p>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{top}{body}</body></html>\n"
