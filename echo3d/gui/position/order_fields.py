"""Fields of the dialog for data sets: texts that tell a person's entry from what is shown, with room for a sentence beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QLineEdit, QWidget

from echo3d.gui import theme
from echo3d.gui.widgets import label
from echo3d.positioning.orders import Ends


class TextField(QLineEdit):
    """A text; ``entered`` is sent with each change by a person, never when it is shown.

    Parameters
    ----------
    name : for tool tip and screen readers
    hint : shown while it is empty
    """

    entered = Signal(str)

    def __init__(self, name: str, hint: str = "", *, width: int = 0) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setPlaceholderText(hint)
        if width:
            self.setFixedWidth(width)
            self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._wrong = False
        self.textEdited.connect(self.entered)

    def show_text(self, text: str, *, wrong: bool = False) -> None:
        """Show a text, and whether it will do."""
        if text != self.text():
            self.setText(text)
        if wrong != self._wrong:
            self._wrong = wrong
            self.setStyleSheet(f"border-color: {theme.ERROR};" if wrong else "")


def problem_label() -> QLabel:
    """Return a label for a sentence on what will not do; hidden while there is none."""
    made = label("", wrap=True)
    made.setStyleSheet(f"color: {theme.ERROR}; font-size: 11px;")
    made.hide()
    return made


def show_problem(where: QLabel, sentence: str) -> None:
    """Show a sentence, or nothing."""
    where.setText(sentence)
    where.setVisible(bool(sentence))


class RangeTable(QWidget):
    """Ranges by name, each with a switch; ``edited`` is sent with all of them when a person changes one.

    Parameters
    ----------
    names : per name its title, unit and a sentence on it
    """

    edited = Signal(object)

    def __init__(self, names: Mapping[str, tuple[str, str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = names
        self._shown: dict[str, Ends] = {}
        self.switches: dict[str, QCheckBox] = {}
        self.ends: dict[str, tuple[TextField, TextField]] = {}
        self.problem = problem_label()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        for line, (name, (title, unit, tip)) in enumerate(names.items()):
            switch = QCheckBox(title)
            switch.setToolTip(tip)
            switch.toggled.connect(lambda on, name=name: self._edit(name, on=on))
            ends = (TextField(f"{title}, from", width=62), TextField(f"{title}, to", width=62))
            for end, key in zip(ends, ("low", "high"), strict=True):
                end.entered.connect(lambda text, name=name, key=key: self._edit(name, **{key: text}))
            for at, part in enumerate((switch, ends[0], label("to", "muted"), ends[1], label(unit, "muted"))):
                grid.addWidget(part, line, at)
            self.switches[name], self.ends[name] = switch, ends
        grid.addWidget(self.problem, len(names), 0, 1, 5)

    def _edit(self, name: str, **fields: object) -> None:
        now = self._shown.get(name)
        if now is not None:
            changed = Ends(**({"on": now.on, "low": now.low, "high": now.high} | fields))  # type: ignore[arg-type]
            if changed != now:
                self.edited.emit(self._shown | {name: changed})

    def show_ranges(self, ranges: Mapping[str, Ends], problems: Mapping[str, str]) -> None:
        """Show the ranges, and the first problem that one of them has."""
        self._shown = dict(ranges)
        for name, ends in ranges.items():
            self.switches[name].setChecked(ends.on)
            for field, text in zip(self.ends[name], (ends.low, ends.high), strict=True):
                field.setEnabled(ends.on)
                field.show_text(text, wrong=name in problems)
        first = next((name for name in ranges if name in problems), None)
        show_problem(self.problem, "" if first is None else f"{self._names[first][0]}: {_lower(problems[first])}")


class Choices(QWidget):
    """Switches of which some are on; ``edited`` is sent with the keys of those.

    Parameters
    ----------
    choices : key and title of each
    across : how many stand side by side
    """

    edited = Signal(object)

    def __init__(self, choices: Sequence[tuple[object, str]], across: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.switches: dict[object, QCheckBox] = {}
        self._showing = False
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        for at, (key, title) in enumerate(choices):
            switch = QCheckBox(title)
            switch.toggled.connect(self._edit)
            grid.addWidget(switch, at // across, at % across)
            self.switches[key] = switch
        grid.setColumnStretch(across, 1)

    def _edit(self) -> None:
        if not self._showing:
            self.edited.emit(tuple(key for key, switch in self.switches.items() if switch.isChecked()))

    def show_choices(self, chosen: Sequence[object]) -> None:
        """Show which are on."""
        self._showing = True
        for key, switch in self.switches.items():
            switch.setChecked(key in chosen)
        self._showing = False


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
