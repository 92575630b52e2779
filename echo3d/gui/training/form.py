"""The fields of a recipe as a form: the important ones at once, the rest folded, the paper's values beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QToolButton, QVBoxLayout, QWidget

from echo3d.gui.training.editors import editor_of
from echo3d.gui.training.schema import OWN, Field
from echo3d.gui.widgets import label, text_button
from echo3d.runs import in_words


class Form(QWidget):
    """Asks for the fields of one recipe; ``edited`` is sent when a person changes one.

    Parameters
    ----------
    fields : of the recipe; those that the page asks for elsewhere are left out
    """

    edited = Signal()

    def __init__(self, fields: Sequence[Field], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields = tuple(field for field in fields if field.name not in OWN)
        self.editors: dict[str, Any] = {}
        self.papers: dict[str, QToolButton] = {}
        basic = [field for field in self.fields if field.basic] or list(self.fields[:4])
        rest = [field for field in self.fields if field not in basic]
        self.more = text_button("More", "Show the other fields of this recipe", self._fold, kind="fold", picture="")
        self.more.setCheckable(True)
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more.setArrowType(Qt.ArrowType.RightArrow)
        self.more.setText(f"{len(rest)} more fields")
        self.more.setVisible(bool(rest))
        self._rest = self._grid(rest)
        self._rest.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for part in (self._grid(basic), self.more, self._rest):
            layout.addWidget(part)

    def _grid(self, fields: Sequence[Field]) -> QWidget:
        made = QWidget()
        grid = QGridLayout(made)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        for line, field in enumerate(fields):
            self._add(grid, 3 * line, field)
        return made

    def _add(self, grid: QGridLayout, line: int, field: Field) -> None:
        editor = self.editors[field.name] = editor_of(field)
        editor.edited.connect(partial(self._edit, field))
        name = label(field.title)
        name.setToolTip(editor.toolTip())
        wide = field.kind in ("path", "text", "many")
        grid.addWidget(name, line, 0, 1, 2 if wide else 1)
        if wide:
            grid.addWidget(editor, line + 1, 0, 1, 2)
        else:
            editor.setFixedWidth(_WIDTH)
            grid.addWidget(editor, line, 1)
        meaning = label(field.meaning, "faint", wrap=True)
        meaning.setContentsMargins(0, 0, 0, 7)
        if field.published is None:
            grid.addWidget(meaning, line + 2, 0, 1, 2)
            return
        paper = text_button(f"paper: {in_words(field.published)}", "Take the paper's value", partial(self._take, field), kind="link")
        self.papers[field.name] = paper
        grid.addWidget(meaning, line + 2, 0)
        grid.addWidget(paper, line + 2, 1, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        self._mark(field)

    def _fold(self) -> None:
        self._rest.setVisible(self.more.isChecked())
        self.more.setArrowType(Qt.ArrowType.DownArrow if self.more.isChecked() else Qt.ArrowType.RightArrow)

    def _edit(self, field: Field) -> None:
        self._mark(field)
        self.edited.emit()

    def _take(self, field: Field) -> None:
        self.editors[field.name].show_value(field.published)
        self._edit(field)

    def _mark(self, field: Field) -> None:
        """Offer the paper's value where another is entered."""
        if field.name in self.papers:
            same = self.editors[field.name].value() == field.published
            self.papers[field.name].setEnabled(not same)

    def values(self) -> dict[str, Any]:
        """Return what is entered, by name."""
        return {name: editor.value() for name, editor in self.editors.items()}

    def show_values(self, values: Mapping[str, Any]) -> None:
        """Show values; fields that are not named get their default."""
        for field in self.fields:
            self.editors[field.name].show_value(values.get(field.name, field.default))
            self._mark(field)


_WIDTH = 112
