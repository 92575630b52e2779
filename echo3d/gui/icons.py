"""Line icons, drawn for echo3d on a 24 x 24 grid and coloured when asked for."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QAction, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication

from echo3d.gui import theme
from echo3d.gui.tokens import SCHEMES

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
    "bell": '<path d="M6 16v-5a6 6 0 0 1 12 0v5l2 2H4z"/><path d="M10 20.500a2.200 2.200 0 0 0 4 0"/>',
    "command": '<path d="M5 7l4.500 5L5 17"/><path d="M12 17h7"/>',
    "keyboard": '<path d="M3 7h18v10H3z"/><path d="M6.500 10.500h.3M10 10.500h.3M13.500 10.500h.3M17 10.500h.3M8 14h8"/>',
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


def pixmap(name: str, colour: str, side: int = 16, ratio: float = 2.0) -> QPixmap:
    """Return an icon as a picture of ``side`` logical pixels."""
    picture = QPixmap(round(side * ratio), round(side * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    paint_icon(painter, QRectF(picture.rect()), name, colour)
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def paint_icon(painter: QPainter, area: QRectF, name: str, colour: str) -> None:
    """Paint an icon."""
    QSvgRenderer(QByteArray(svg(name, colour))).render(painter, area)


def icon(name: str, tint: str = "text") -> QIcon:
    """Return an icon for buttons and menus in one of the theme's colours, fainter where disabled."""
    shown = theme.tokens()
    return _icon(name, getattr(shown, tint), shown.disabled)


@lru_cache(maxsize=128)
def _icon(name: str, colour: str, faint: str) -> QIcon:
    result = QIcon()
    for ratio in (1.0, 2.0):
        result.addPixmap(pixmap(name, colour, 16, ratio), QIcon.Mode.Normal)
        result.addPixmap(pixmap(name, faint, 16, ratio), QIcon.Mode.Disabled)
    return result


def retint_icons() -> None:
    """Give every button and action its icon in the colours of the theme that is shown; other icons stay."""
    names = {_icon(name, shown.text, shown.disabled).cacheKey(): name for name in _DRAWINGS for shown in SCHEMES.values()}
    widgets = QApplication.allWidgets()
    holders: list[QAbstractButton | QAction] = [widget for widget in widgets if isinstance(widget, QAbstractButton)]
    holders += [action for widget in widgets for action in widget.actions()]
    for holder in holders:
        name = names.get(holder.icon().cacheKey())
        if name is not None:
            holder.setIcon(icon(name))
