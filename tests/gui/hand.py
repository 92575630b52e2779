"""A hand on mouse and keyboard: real X events, sent by xdotool from a process of its own to what stands at a place of the screen."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QTabWidget, QWidget

STEP_MS = 60


class Hand:
    """Points, clicks, drags and types.

    Parameters
    ----------
    qtbot : of pytest-qt; runs the window's events while xdotool works
    """

    def __init__(self, qtbot) -> None:
        if shutil.which("xdotool") is None or QGuiApplication.platformName() != "xcb":
            pytest.skip("xdotool and an X display are needed to move a real mouse")
        self._qtbot = qtbot

    def do(self, *words: object) -> None:
        """Have xdotool do something, then let the window answer."""
        with subprocess.Popen(["xdotool", *map(str, words)], env=os.environ) as work:
            self._qtbot.waitUntil(lambda: work.poll() is not None, timeout=10_000)
        assert work.returncode == 0, words
        self._qtbot.wait(STEP_MS)

    def place(self, widget: QWidget, at: QPoint | None = None) -> tuple[int, int]:
        """Return where a widget's middle, or a point in it, stands on the screen, in pixels of the screen."""
        assert widget.isVisible(), f"nobody can see {widget.accessibleName() or widget.objectName() or widget}"
        point = widget.mapToGlobal(widget.rect().center() if at is None else at)
        ratio = widget.devicePixelRatioF()
        return round(point.x() * ratio), round(point.y() * ratio)

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click on a widget that can be seen and used, and that nothing covers."""
        assert widget.isEnabled(), f"{widget.accessibleName() or widget.toolTip()} is grey"
        self.do("mousemove", *self.place(widget, at), "sleep", 0.05, "click", 1)

    def press(self, inside: QWidget, text: str) -> None:
        """Click on the button with a text."""
        found = [one for one in inside.findChildren(QAbstractButton) if one.text() == text and one.isVisible()]
        assert len(found) == 1, f"{len(found)} buttons say {text}"
        self.click(found[0])

    def turn_to(self, tabs: QTabWidget, title: str) -> None:
        """Click on a tab."""
        bar = tabs.tabBar()
        at = next(number for number in range(bar.count()) if bar.tabText(number) == title)
        self.click(bar, bar.tabRect(at).center())

    def enter(self, field: QWidget, text: str) -> None:
        """Click into a field, replace its text and press Return."""
        self.click(field)
        self.keys("ctrl+a")
        self.type(text)
        self.keys("Return")

    def type(self, text: str) -> None:
        """Type a text."""
        self.do("type", "--delay", 15, "--", text)

    def keys(self, *names: str) -> None:
        """Press keys one after the other."""
        self.do("key", "--delay", 30, *names)

    def drag(self, start: tuple[int, int], by: tuple[int, int]) -> None:
        """Take hold of a place of the screen, move in steps, and let go."""
        self.do("mousemove", *start, "sleep", 0.1, "mousedown", 1)
        for step in range(1, 6):
            self.do("mousemove", start[0] + by[0] * step // 5, start[1] + by[1] * step // 5)
        self.do("mouseup", 1)

    def hold(self, window: QWidget) -> None:
        """Give a window the keyboard, where no window manager does."""
        self.do("windowfocus", int(window.window().winId()))
