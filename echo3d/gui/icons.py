"""Line icons, drawn for echo3d on a 24 x 24 grid and coloured when asked for."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from echo3d.gui.theme import FAINT, TEXT

_HEART = (
    "M12 20C5 15 3 11.500 3 8.800 3 6 5.200 4 7.600 4c1.900 0 3.500 1 4.400 2.700"
    "C12.900 5 14.500 4 16.400 4 18.800 4 21 6 21 8.800c0 2.700-2 6.200-9 11.200z"
)

_DRAWINGS = {
    "play": '<path d="M7 4.5v15l12-7.5z" fill="{c}"/>',
    "pause": '<path d="M7 5v14M17 5v14" stroke-width="3.4"/>',
    "next": '<path d="M5 5v14l9-7z" fill="{c}"/><path d="M18 5v14"/>',
    "previous": '<path d="M19 5v14l-9-7z" fill="{c}"/><path d="M6 5v14"/>',
    "open": '<path d="M3 19V6a1 1 0 0 1 1-1h5l2 3h8a1 1 0 0 1 1 1v2"/><path d="M3 19l3-8h16l-3 8z"/>',
    "export": '<path d="M12 15V4M8 8l4-4 4 4"/><path d="M4 14v5a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-5"/>',
    "camera": '<path d="M4 8h3l2-3h6l2 3h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1z"/>'
    '<circle cx="12" cy="13" r="3.5"/>',
    "layers": '<path d="M12 4l9 5-9 5-9-5z"/><path d="M3 14l9 5 9-5"/>',
    "outline": f'<path d="{_HEART}"/>',
    "fill": f'<path fill="{{c}}" d="{_HEART}"/>',
    "tag": '<path d="M3 4h8l10 10-7 7L3 11z"/><circle cx="7.500" cy="8.500" r="1" fill="{c}"/>',
    "reset": '<path d="M4 12a8 8 0 1 0 2.500-5.800"/><path d="M4 4v4.500h4.500"/>',
    "list": '<path d="M9 6h12M9 12h12M9 18h12"/><path d="M4 6h.5M4 12h.5M4 18h.5" stroke-width="2.600"/>',
    "warning": '<path d="M12 4L2.500 20h19z"/><path d="M12 10v5M12 17.500v.3"/>',
    "close": '<path d="M6 6l12 12M18 6L6 18"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v6M12 7.500v.3"/>',
    "check": '<path d="M5 12.500l4.500 4.500L19 7.500"/>',
    "drop": '<path d="M12 4v11M7.500 10.500L12 15l4.500-4.500"/><path d="M4 20h16"/>',
    "heart": f'<path d="{_HEART}"/><path d="M3.500 11h4l2-3.500 3 6 2-2.500h6"/>',
}


def svg(name: str, colour: str) -> bytes:
    """Return the SVG text of an icon.

    >>> svg("close", "#fff").startswith(b"<svg")
    True
    """
    body = _DRAWINGS[name].replace("{c}", colour)
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke-linecap="round" stroke-linejoin="round"'
    return f'{head} stroke="{colour}" stroke-width="1.8">{body}</svg>'.encode()


def pixmap(name: str, colour: str = TEXT, side: int = 16, ratio: float = 2.0) -> QPixmap:
    """Return an icon as a picture of ``side`` logical pixels."""
    picture = QPixmap(round(side * ratio), round(side * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg(name, colour))).render(painter)
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


@lru_cache(maxsize=64)
def icon(name: str, colour: str = TEXT) -> QIcon:
    """Return an icon for buttons and menus, fainter where disabled."""
    result = QIcon()
    for ratio in (1.0, 2.0):
        result.addPixmap(pixmap(name, colour, 16, ratio), QIcon.Mode.Normal)
        result.addPixmap(pixmap(name, FAINT, 16, ratio), QIcon.Mode.Disabled)
    return result
