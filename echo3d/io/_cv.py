"""The single place that imports OpenCV.

The OpenCV wheels carry their own Qt and point two Qt variables at it when imported, which would mislead PySide6;
the variables are put back here. Import it as ``from echo3d.io._cv import cv2`` and use none of its windows.

Source: our choice, because of opencv-python issue 736.
"""

from __future__ import annotations

import os

_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


_before = {name: os.environ.get(name) for name in _QT_VARIABLES}
import cv2  # noqa: E402 - the import must come after the variables are saved

_restore(_before)

__all__ = ["cv2"]
