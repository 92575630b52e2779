"""Draw the program's icon, and write it in the sizes and formats that desktops ask for: a heart in the fan of a probe.

Run it by itself to write the files into a folder: ``python packaging/icon.py FOLDER``.
"""

from __future__ import annotations

import math
import os
import sys
from io import BytesIO
from pathlib import Path

SIDES = (16, 24, 32, 48, 64, 128, 256, 512)
_TILE, _FAN, _RIM, _HEART, _TRACE = "#10171f", "#24435a", "#5fb3c8", "#e0524d", "#fff4f0"
_HALF_ANGLE, _DEPTH, _TIP = 33.0, 194.0, (128.0, 28.0)
_OUTLINE = "M128 208C88 178 76 150 76 130 76 110 90 98 106 98c10 0 18 5 22 13 4-8 12-13 22-13 16 0 30 12 30 32 0 20-12 48-52 78z"


def drawing() -> str:
    """Return the icon as SVG, 256 units a side.

    >>> drawing().startswith("<svg") and drawing().endswith("</svg>")
    True
    """
    reach, drop = _DEPTH * math.sin(math.radians(_HALF_ANGLE)), _DEPTH * math.cos(math.radians(_HALF_ANGLE))
    x, y = _TIP
    fan = f"M{x:g} {y:g}L{x - reach:.1f} {y + drop:.1f}A{_DEPTH:g} {_DEPTH:g} 0 0 0 {x + reach:.1f} {y + drop:.1f}z"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 256">'
        f'<rect x="8" y="8" width="240" height="240" rx="52" fill="{_TILE}"/>'
        f'<path d="{fan}" fill="{_FAN}" stroke="{_RIM}" stroke-width="6" stroke-linejoin="round"/>'
        f'<path d="{_OUTLINE}" fill="{_HEART}"/>'
        f'<path d="M88 144h22l9-20 16 44 11-24h24" fill="none" stroke="{_TRACE}" stroke-width="8" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
        "</svg>"
    )


def picture(side: int) -> bytes:
    """Return the icon as PNG, ``side`` pixels a side."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    application = QGuiApplication.instance() or QGuiApplication(["icon"])
    image = QImage(side, side, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(drawing().encode())).render(painter)
    painter.end()
    del application
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data.data())


def write(folder: Path) -> None:
    """Write SVG, PNG in all sizes, ICO for Windows and ICNS for macOS into a folder, made if needed."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "echo3d.svg").write_text(drawing() + "\n", encoding="utf-8")
    for side in SIDES:
        (folder / f"echo3d-{side}.png").write_bytes(picture(side))
    large = Image.open(BytesIO(picture(1024)))
    large.save(folder / "echo3d.ico", sizes=[(side, side) for side in SIDES if side <= 256])
    large.save(folder / "echo3d.icns")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
