"""Which heart and which body: the embedded ones, drawn ones, those of files."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QSizePolicy, QSpinBox, QWidget

from echo3d.anatomy.groups import GROUPS
from echo3d.gui.position.fields import NumberField
from echo3d.gui.position.recent_list import RecentList
from echo3d.gui.widgets import column, command_button, label, row, rule, text_button
from echo3d.positioning.bodies import SEX_TITLES
from echo3d.positioning.state import Workspace


class SourcesPanel(QWidget):
    """Says which heart and body are wished for."""

    draw_wanted = Signal(str, int)
    body_wanted = Signal(str, float, float)
    command = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heart, self._heart_facts = _name(), label("", "faint", wrap=True)
        self._body, self._body_facts = _name(), label("", "faint", wrap=True)
        self.group, self.seed = QComboBox(), QSpinBox()
        for key, group in GROUPS.items():
            self.group.addItem(group.title, key)
        self.seed.setRange(0, 999_999)
        self.seed.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.seed.setToolTip("Number of the drawn heart; the same number gives the same heart")
        self.sex = QComboBox()
        for sex, title in SEX_TITLES.items():
            self.sex.addItem(title, sex)
        self.height_cm = NumberField("Height, 130 to 215 cm", "cm", (130, 215), 1, 0)
        self.weight_kg = NumberField("Weight, 30 to 200 kg", "kg", (30, 200), 1, 0)
        self.height_cm.show_value(175)
        self.weight_kg.show_value(75)
        self.recent = RecentList()
        line = rule(upright=False)
        self.setLayout(column(*self._hearts(), rule(upright=False), *self._bodies(), line, self.recent, 1, spacing=8))

    def _hearts(self) -> tuple:
        draw = text_button("Draw", "Draw a heart of this group", lambda: self._draw(self.seed.value()), kind="small")
        other = text_button("Another", "Draw the next heart of this group", lambda: self._draw(self.seed.value() + 1), kind="small")
        files = row(
            command_button("Template", "The embedded heart", "use_template", self.command),
            command_button("File…", "A mesh, a label volume or a record such as truth.json (Ctrl+O)", "open_heart", self.command),
            command_button("Cohort…", "A heart of a cohort's folder", "open_cohort", self.command),
            1,
            spacing=4,
        )
        return (
            label("HEART", "section"),
            self._heart,
            self._heart_facts,
            files,
            label("Draw a new one, by group and number:", "muted"),
            self.group,
            row(self.seed, draw, other, spacing=4),
        )

    def _bodies(self) -> tuple:
        build = text_button("Build", "Build this body", self._build, kind="small")
        files = row(
            command_button("File…", "A skin surface of any unit and axes (Ctrl+B)", "open_body", self.command),
            command_button("No body", "Show the heart alone", "no_body", self.command),
            1,
            spacing=4,
        )
        self.sex.activated.connect(lambda _: self._build())
        self.height_cm.entered.connect(lambda _: self._build())
        self.weight_kg.entered.connect(lambda _: self._build())
        size = row(self.height_cm, self.weight_kg, build, spacing=4)
        own = label("Build one, by sex, height and weight:", "muted")
        return label("BODY", "section"), self._body, self._body_facts, files, own, self.sex, size

    def _draw(self, seed: int) -> None:
        self.seed.setValue(seed)
        self.draw_wanted.emit(self.group.currentData(), self.seed.value())

    def _build(self) -> None:
        self.body_wanted.emit(self.sex.currentData(), self.height_cm.value(), self.weight_kg.value())

    def show_workspace(self, workspace: Workspace) -> None:
        """Show heart and body."""
        heart, body = workspace.scene.heart, workspace.scene.body
        self._heart.setText(heart.name if heart is not None else "No heart")
        self._heart_facts.setText(_sentences(heart.facts) if heart is not None else "")
        self._body.setText(body.name if body is not None else "No body")
        self._body_facts.setText(_sentences(body.facts) if body is not None else "The heart stands alone; probes touch no skin.")


def _name() -> QLabel:
    """Return a label for a name, which wraps and never makes the panel wider than it is."""
    made = label("", "title", wrap=True)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return made


def _sentences(facts: tuple[str, ...]) -> str:
    """Return facts as sentences, one a line.

    >>> _sentences(("in mm", "as LPS."))
    'In mm.\\nAs LPS.'
    """
    return "\n".join(f"{fact[:1].upper()}{fact[1:].rstrip('.')}." for fact in facts[:4])
