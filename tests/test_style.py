"""Limits of design section 8 that no linter knows: lengths of functions and files, marks left behind, imports of Qt Addons."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(p for top in ("echo3d", "training") for p in (ROOT / top).rglob("*.py"))
ESSENTIALS = {
    "QtCore",
    "QtGui",
    "QtWidgets",
    "QtOpenGL",
    "QtOpenGLWidgets",
    "QtSvg",
    "QtNetwork",
    "QtPrintSupport",
    "QtTest",
    "QtConcurrent",
}


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sizes_and_marks(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400, "a file has one subject and at most 400 lines"
    tree = ast.parse(text)
    long = [f.name for f in functions(tree) if lines(f) > 60]
    assert not long, f"functions above 60 lines: {long}"
    assert not re.search(r"\b(TODO|FIXME|XXX)\b|# noqa(?!:)|type: ignore(?!\[)", text), "marks of unfinished work"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_qt_essentials_are_imported(path: Path) -> None:
    found = set(re.findall(r"from PySide6\.(\w+)", path.read_text(encoding="utf-8")))
    assert found <= ESSENTIALS


def test_one_opencv_only() -> None:
    from importlib.metadata import distributions

    names = {d.metadata["Name"].lower() for d in distributions() if (d.metadata["Name"] or "").lower().startswith("opencv")}
    assert names == {"opencv-python"}
