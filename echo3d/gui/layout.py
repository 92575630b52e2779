"""Place and sizes of the window and its parts, kept per set of screens, and never off them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRect, QSettings
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QSplitter

from echo3d.paths import user_config

_FIRST = (1600, 1000)
_SEEN = 80
"""Pixels of the window's upper edge that must lie on a screen, both ways, so that it can be taken hold of."""


def restore_layout(window: QMainWindow, splitters: Mapping[str, QSplitter]) -> None:
    """Give the window and its parts the place and sizes of last time on these screens, or the usual ones."""
    stored = _stored()
    stored.beginGroup(screens_key(_screens()))
    window.setGeometry(first_place(_screens(), _FIRST))
    if stored.contains("geometry"):
        window.restoreGeometry(stored.value("geometry"))
        if stored.contains("docks"):
            window.restoreState(stored.value("docks"))
        for name, splitter in splitters.items():
            if stored.contains(name):
                splitter.restoreState(stored.value(name))
    if not window.isMaximized() and not window.isFullScreen():
        window.setGeometry(on_screen(window.geometry(), _screens()))


def restore_parts(splitters: Mapping[str, QSplitter]) -> None:
    """Give parts that are built later than the window the sizes of last time on these screens."""
    stored = _stored()
    stored.beginGroup(screens_key(_screens()))
    for name, splitter in splitters.items():
        if stored.contains(name):
            splitter.restoreState(stored.value(name))


def keep_layout(window: QMainWindow, splitters: Mapping[str, QSplitter]) -> None:
    """Keep place and sizes for these screens."""
    stored = _stored()
    stored.beginGroup(screens_key(_screens()))
    stored.setValue("geometry", window.saveGeometry())
    stored.setValue("docks", window.saveState())
    for name, splitter in splitters.items():
        stored.setValue(name, splitter.saveState())
    stored.endGroup()
    stored.sync()


def reset_place(window: QMainWindow) -> None:
    """Give the window its usual place and size, and forget those kept for these screens."""
    stored = _stored()
    stored.remove(screens_key(_screens()))
    stored.sync()
    window.showNormal()
    window.setGeometry(first_place(_screens(), _FIRST))


def on_screen(place: QRect, screens: Sequence[QRect]) -> QRect:
    """Return a place for a window that can be reached: as given where its upper edge is seen, else moved to the nearest screen.

    A window larger than its screen is made to fit.

    >>> on_screen(QRect(5000, 100, 800, 600), [QRect(0, 0, 1920, 1200)]).getRect()
    (1120, 100, 800, 600)
    >>> on_screen(QRect(-100, 50, 800, 600), [QRect(0, 0, 1920, 1200)]).getRect()
    (-100, 50, 800, 600)
    """
    if not screens:
        return place
    edge = QRect(place.x(), place.y(), place.width(), _SEEN)
    seen = [screen for screen in screens if _enough(edge.intersected(screen))]
    screen = seen[0] if seen else min(screens, key=lambda one: _away(one, place))
    size = (min(place.width(), screen.width()), min(place.height(), screen.height()))
    if seen and size == (place.width(), place.height()):
        return place
    left = min(max(place.x(), screen.left()), screen.right() + 1 - size[0])
    top = min(max(place.y(), screen.top()), screen.bottom() + 1 - size[1])
    return QRect(left, top, *size)


def first_place(screens: Sequence[QRect], size: tuple[int, int]) -> QRect:
    """Return the middle of the first screen, not larger than it.

    >>> first_place([QRect(0, 0, 1280, 800)], (1600, 1000)).getRect()
    (0, 0, 1280, 800)
    """
    if not screens:
        return QRect(0, 0, *size)
    screen = screens[0]
    width, height = min(size[0], screen.width()), min(size[1], screen.height())
    return QRect(screen.x() + (screen.width() - width) // 2, screen.y() + (screen.height() - height) // 2, width, height)


def screens_key(screens: Sequence[QRect]) -> str:
    """Return a short name for a set of screens; the order in which the system names them does not matter.

    >>> one, two = QRect(0, 0, 1920, 1200), QRect(1920, 0, 1280, 800)
    >>> screens_key([one, two]) == screens_key([two, one]) != screens_key([one])
    True
    """
    told = ";".join(sorted(f"{one.width()}x{one.height()}+{one.x()}+{one.y()}" for one in screens))
    return f"screens-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _enough(part: QRect) -> bool:
    return part.width() >= _SEEN and part.height() >= _SEEN // 2


def _away(screen: QRect, place: QRect) -> int:
    gap = screen.center() - place.center()
    return gap.manhattanLength()


def _screens() -> list[QRect]:
    """Return the parts of the screens that windows may cover, the main one first."""
    return [screen.availableGeometry() for screen in QGuiApplication.screens()]


def _stored() -> QSettings:
    return QSettings(str(user_config() / "window.ini"), QSettings.Format.IniFormat)
