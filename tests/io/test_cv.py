"""OpenCV is imported in one place, which puts the Qt variables back."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_qt_variables_survive_the_import():
    code = (
        "import os, echo3d.io._cv as cv; "
        "print(os.environ.get('QT_QPA_PLATFORM_PLUGIN_PATH'), os.environ.get('QT_QPA_FONTDIR'), hasattr(cv.cv2, 'imdecode'))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QT_QPA")} | {"QT_QPA_FONTDIR": "mine"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment, check=True)
    assert run.stdout.split() == ["None", "mine", "True"]


def test_no_other_module_imports_it():
    importing = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "echo3d").rglob("*.py")
        if re.search(r"^\s*(import cv2|from cv2)", path.read_text(encoding="utf-8"), re.M)
    }
    assert importing == {"echo3d/io/_cv.py"}


def test_one_opencv_is_installed():
    names = {dist.name.lower() for dist in importlib.metadata.distributions() if dist.name.lower().startswith("opencv")}
    assert names == {"opencv-python"}
