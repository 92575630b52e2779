"""The numbers: EF, EDV, ESV and SV with intervals, the four chambers at both phases, and what is to be said about them."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from echo3d.clinical.shown import Shown, interval_name, shown
from echo3d.core.structures import CHAMBER_KEYS, colour
from echo3d.gui.metric import KINDS, Metric, Reading
from echo3d.gui.widgets import Sign, card, column, for_window, label, row
from echo3d.session import Session

_CHAMBERS = {"lv": "Left ventricle", "rv": "Right ventricle", "la": "Left atrium", "ra": "Right atrium"}


class ResultsPanel(QWidget):
    """Shows the numbers of a session's result."""

    phase_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._metrics = {name: Metric(name, large=name == "ef") for name in KINDS}
        for metric in self._metrics.values():
            metric.pressed.connect(self.phase_wanted)
        self._table = ChamberTable()
        self._table.phase_wanted.connect(self.phase_wanted)
        self._notes = Notes()
        self._shown: tuple[object, object] = (self, None)
        top = row(*self._metrics.values(), spacing=8)
        for position, share in enumerate((4, 3, 3, 3)):
            top.setStretch(position, share)
        tables = row(card(column(self._table, margins=(12, 10, 12, 10))), self._notes, spacing=8)
        tables.setStretch(0, 5)
        tables.setStretch(1, 6)
        layout = column(top, tables, spacing=8)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def show_session(self, session: Session) -> None:
        """Show the numbers of the result, or dashes."""
        if (session.study, session.result) == self._shown:
            return
        self._shown = (session.study, session.result)
        values = shown(session.result) if session.result is not None else None
        for name, metric in self._metrics.items():
            metric.show_reading(_reading(values, name), withheld=values is not None)
        self._table.show_volumes(values.volumes_ml if values else None, values.interval90 if values else {})
        self._notes.show_session(session)


def _reading(values: Shown | None, name: str) -> Reading:
    """Return a quantity in the unit it is shown in."""
    value = getattr(values, name) if values else None
    if values is None or value is None:
        return Reading()
    scale = 100.0 if name == "ef" else 1.0
    interval = values.interval90.get(name)
    return Reading(scale * value, (scale * interval[0], scale * interval[1]) if interval else None)


class ChamberTable(QWidget):
    """The volume of each chamber at end-diastole and end-systole; a click on a column goes there."""

    phase_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 1)
        grid.addWidget(label("CHAMBER VOLUMES, ml", "section"), 0, 0)
        for place, (text, kind) in enumerate((("ED", "head_ed"), ("ES", "head_es"), ("change", "head")), start=1):
            grid.addWidget(label(text, kind), 0, place, Qt.AlignmentFlag.AlignRight)
        self._cells: dict[tuple[str, str], QLabel] = {}
        for line, (key, title) in enumerate(_CHAMBERS.items(), start=1):
            grid.addWidget(_chamber_name(key, title), line, 0)
            for place, what in enumerate(("ed", "es", "change"), start=1):
                cell = label("–", "muted" if what == "change" else "")
                cell.setMinimumWidth(48 if what == "change" else 66)
                cell.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                grid.addWidget(cell, line, place)
                self._cells[key, what] = cell
        for line in range(1, len(_CHAMBERS) + 1):
            grid.setRowStretch(line, 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the frame of the volume under the pointer."""
        for (_, what), cell in self._cells.items():
            if what != "change" and cell.geometry().contains(event.position().toPoint()):
                self.phase_wanted.emit(what)

    def show_volumes(self, volumes: dict[str, dict[str, float]] | None, interval90: Mapping[str, tuple[float, float]]) -> None:
        """Show volumes with half their 90 % intervals, or dashes."""
        for (key, what), cell in self._cells.items():
            pair = (volumes or {}).get(key)
            half = _half(interval90.get(interval_name(key, what)))
            if pair is None:
                cell.setText("–")
            elif what == "change":
                cell.setText(f"{100 * (pair['es'] / pair['ed'] - 1):+.0f} %" if pair["ed"] > 0 else "–")
            else:
                cell.setText(f"{pair[what]:.0f}" if half is None else f"{pair[what]:.0f} ± {half:.0f}")


def _half(interval: tuple[float, float] | None) -> float | None:
    """Return half the width of an interval."""
    return None if interval is None else (interval[1] - interval[0]) / 2


def _chamber_name(key: str, title: str) -> QWidget:
    """Return a chamber's name after a spot of its colour."""
    spot = QLabel()
    spot.setFixedSize(9, 9)
    red, green, blue = colour(CHAMBER_KEYS[key])
    spot.setStyleSheet(f"background: rgb({min(red + 50, 255)}, {min(green + 50, 255)}, {min(blue + 50, 255)}); border-radius: 4px;")
    holder = QWidget()
    holder.setLayout(row(spot, label(title), 1, spacing=7))
    return holder


class Notes(QFrame):
    """What the result rests on, and its warnings."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._facts = label("", "muted", wrap=True)
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 6, 0)
        self._list.setSpacing(7)
        inner = QWidget()
        inner.setLayout(self._list)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inner)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        layout = column(label("BASIS AND WARNINGS", "section"), self._facts, area, margins=(12, 10, 6, 8), spacing=6)
        layout.setStretch(2, 1)
        self.setLayout(layout)

    def show_session(self, session: Session) -> None:
        """Show the facts and the warnings of the result, or of the study while there is none."""
        self._facts.setText(" · ".join(_facts(session)))
        warnings = session.result.warnings if session.result else session.study.warnings if session.study else ()
        while (item := self._list.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for text in warnings:
            self._list.addWidget(_note(for_window(text)))
        if session.result is not None and not warnings:
            self._list.addWidget(_note("No warnings.", picture="check", tint="ed"))
        self._list.addStretch(1)


def _facts(session: Session) -> list[str]:
    """Return what a result rests on, in a few words each."""
    result = session.result
    if result is None:
        return []
    count = len(result.clips)
    return [facts_views(count), "calibrated" if result.calibrated else "uncalibrated", f"model {result.model}"]


def facts_views(count: int) -> str:
    """Return how many views were used.

    >>> facts_views(1), facts_views(6)
    ('1 of 6 views', '6 of 6 views')
    """
    return f"{count} of 6 views"


def _note(text: str, *, picture: str = "warning", tint: str = "warn") -> QWidget:
    """Return one sentence after an icon."""
    sign = Sign(picture, tint, 14)
    sentence = label(text, "", wrap=True)
    sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)
    sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    holder = QWidget()
    line = row(sign, sentence, spacing=6)
    line.setAlignment(sign, Qt.AlignmentFlag.AlignTop)
    holder.setLayout(line)
    return holder
