"""Small pieces that several panels are made of."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, SignalInstance
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QToolButton, QVBoxLayout, QWidget

from echo3d.gui import theme
from echo3d.gui.icons import icon, paint_icon


def label(text: str, kind: str = "", *, wrap: bool = False) -> QLabel:
    """Return a label in one of the style sheet's kinds."""
    made = QLabel(text)
    made.setObjectName(kind)
    made.setWordWrap(wrap)
    return made


class Sign(QWidget):
    """A picture of the icons in one of the theme's colours, which it follows.

    Parameters
    ----------
    name : of the icon
    tint : name of the colour
    side : logical pixels
    """

    def __init__(self, name: str, tint: str, side: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._tint = name, tint
        self.setFixedSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture."""
        painter = QPainter(self)
        paint_icon(painter, QRectF(self.rect()), self._name, getattr(theme.tokens(), self._tint))
        painter.end()


def for_window(sentence: str) -> str:
    """Return a sentence with the window's way out in place of the command line's.

    >>> for_window("name it with --view to be sure")
    "name it by dropping its file on that view's panel to be sure"
    """
    named = sentence.replace("with --view", "by dropping its file on that view's panel")
    return named.replace("with --mapping FILE", "in the file, or with --mapping on the command line")


def button(name: str, tip: str, pressed: Callable[[], object], *, checkable: bool = False) -> QToolButton:
    """Return a flat button with an icon and a tool tip."""
    made = QToolButton()
    made.setIcon(icon(name))
    made.setIconSize(QSize(16, 16))
    made.setToolTip(tip)
    made.setStatusTip(tip)
    made.setAccessibleName(tip)
    made.setCheckable(checkable)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    made.clicked.connect(lambda *_: pressed())
    return made


def text_button(text: str, tip: str, pressed: Callable[[], object], *, kind: str = "", picture: str = "") -> QToolButton:
    """Return a button with a word, and an icon where one is named."""
    made = QToolButton()
    made.setText(text)
    made.setObjectName(kind)
    made.setToolTip(tip)
    made.setStatusTip(tip)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    if picture:
        made.setIcon(icon(picture, "on_primary" if kind == "primary" else "text"))
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    made.clicked.connect(lambda *_: pressed())
    return made


def command_button(text: str, tip: str, name: str, wished: SignalInstance, *, picture: str = "") -> QToolButton:
    """Return a small button that wishes for a command; it is grey, with the reason, while the command cannot be done."""
    made = text_button(text, tip, lambda: wished.emit(name), kind="small", picture=picture)
    return for_command(made, name)


def for_command(made: QToolButton, name: str) -> QToolButton:
    """Mark a button as one for a command, so that ``greying`` greys it while the command cannot be done."""
    made.setProperty("command", name)
    return made


def section(text: str, *, above: int = 0) -> QLabel:
    """Return the heading of a group of fields, with pixels of air above it."""
    made = label(text, "section")
    made.setContentsMargins(0, above, 0, 0)
    return made


def rule(*, upright: bool = True) -> QFrame:
    """Return a thin line between groups."""
    made = QFrame()
    made.setObjectName("rule")
    if upright:
        made.setFixedSize(1, 20)
    else:
        made.setFixedHeight(1)
    return made


def column(*parts: QWidget | QLayout | int, margins: tuple[int, int, int, int] = (0, 0, 0, 0), spacing: int = 8) -> QVBoxLayout:
    """Return parts one below the other; a number is a stretch."""
    layout = QVBoxLayout()
    _fill(layout, parts, margins, spacing)
    return layout


def row(*parts: QWidget | QLayout | int, margins: tuple[int, int, int, int] = (0, 0, 0, 0), spacing: int = 8) -> QHBoxLayout:
    """Return parts side by side; a number is a stretch."""
    layout = QHBoxLayout()
    _fill(layout, parts, margins, spacing)
    return layout


def card(layout: QLayout) -> QFrame:
    """Return a framed surface that holds a layout."""
    made = QFrame()
    made.setObjectName("card")
    made.setLayout(layout)
    return made


def _fill(
    layout: QVBoxLayout | QHBoxLayout, parts: tuple[QWidget | QLayout | int, ...], margins: tuple[int, int, int, int], spacing: int
) -> None:
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for part in parts:
        if isinstance(part, int):
            layout.addStretch(part)
        elif isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)
