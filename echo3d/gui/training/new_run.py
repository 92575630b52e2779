"""The left side of the workspace: what is to be trained on what, where and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QFrame, QScrollArea, QWidget

from echo3d.gui import theme
from echo3d.gui.position.order_fields import TextField
from echo3d.gui.tasks import Tasks
from echo3d.gui.training.budget_part import BudgetPart
from echo3d.gui.training.data_part import DataPart
from echo3d.gui.training.devices import Device
from echo3d.gui.training.form import Form
from echo3d.gui.training.recipes import Recipe, recipes_of
from echo3d.gui.training.schema import fields_of, offering, settings_of, values_of
from echo3d.gui.widgets import card, column, for_command, label, row, rule, section, text_button

PHASES = 2
"""Phases of hearts that a data set must have for each principal field that is sought in it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A run that is to be begun.

    Parameters
    ----------
    kind : what is trained
    settings : how
    out : folder of the run
    """

    kind: str
    settings: dict[str, Any]
    out: Path


def lean_networks() -> list[str]:
    """Return the names of the networks that an accurate one can be made of, the user's own included."""
    from echo3d.models import list_models

    return [model.name for model in list_models() if model.lean]


class NewRun(QWidget):
    """Asks for a run; ``edited`` is sent when a person changes anything.

    Parameters
    ----------
    tasks : threads that look into folders
    """

    edited = Signal()
    command = Signal(str)
    recipe_chosen = Signal()

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.schemas: dict[str, Any] = {}
        self.recipes: tuple[Recipe, ...] = ()
        self.form: Form | None = None
        self.data: DataPart | None = None
        self.budget: BudgetPart | None = None
        self._known: tuple[str, ...] = ()
        self._devices: tuple[Device, ...] = ()
        self._carried: Mapping[str, Any] = {}
        self._folder = Path()
        self.recipe = QComboBox()
        self.recipe.setAccessibleName("Recipe")
        self.recipe.activated.connect(lambda _: self._choose())
        self.sentence = label("Asking the background process what can be trained …", "muted", wrap=True)
        self.name = TextField("Name of the run, which is its folder's")
        self.name.entered.connect(lambda _: self.edited.emit())
        self.place = label("", "faint")
        self.estimated, self.problem = label("", "muted", wrap=True), label("", "", wrap=True)
        self._build()

    def _build(self) -> None:
        self._parts = QWidget()
        self._inside = column(spacing=14)
        self._parts.setLayout(self._inside)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        holder = QWidget()
        holder.setLayout(column(section("NEW RUN"), self.recipe, self.sentence, self._parts, 1, margins=(14, 12, 12, 12), spacing=8))
        area.setWidget(holder)
        self.estimate = for_command(
            text_button("Estimate", "Measure a few steps in the background: time and memory", lambda: self.command.emit("estimate_run")),
            "estimate_run",
        )
        self.estimate.setObjectName("small")
        tip = "Begin this run as a background job; it goes on when the window is closed (Ctrl+Return)"
        self.start = for_command(text_button("Start", tip, lambda: self.command.emit("start_run"), kind="primary"), "start_run")
        where = text_button("…", "Choose where the folders of runs lie", self._ask_folder, kind="small")
        name = row(label("Name"), self.name, where, spacing=8)
        name.setStretch(1, 1)
        for said in (self.estimated, self.problem):
            said.hide()
        foot = column(
            name,
            self.place,
            self.estimated,
            self.problem,
            row(self.estimate, 1, self.start, spacing=8),
            margins=(14, 10, 14, 12),
            spacing=6,
        )
        whole = column(area, rule(upright=False), foot, spacing=0)
        whole.setStretch(0, 1)
        frame = card(whole)
        self.setLayout(column(frame))

    # -- what may be chosen ----------------------------------------------------------------------------------------------------------------

    def show_schemas(self, schemas: dict[str, Any]) -> None:
        """Offer the recipes."""
        self.schemas, self.recipes = schemas, recipes_of(schemas)
        self.recipe.clear()
        for one in self.recipes:
            self.recipe.addItem(one.title, one.key)
        self._choose()

    def show_problem_with_schemas(self, sentence: str) -> None:
        """Say why nothing can be trained."""
        self.sentence.setText(sentence[:1].upper() + sentence[1:])

    def offer_data(self, known: Sequence[str], choose: str = "") -> None:
        """Offer data sets, the newest first; choose one that was just made."""
        self._known = tuple(known)
        if self.data is not None:
            self.data.offer(known)
            if choose and self.data.data is not None and self.data.data.path != choose:
                self.data.data.show_path(choose)

    def offer_devices(self, devices: Sequence[Device]) -> None:
        """Offer places to train at."""
        self._devices = tuple(devices)
        if self.budget is not None:
            self.budget.offer(devices)

    def _choose(self) -> None:
        """Show the fields of another recipe."""
        self._carried = {}
        self.say("")
        self._show_recipe()
        self.recipe_chosen.emit()
        self.edited.emit()

    @property
    def chosen(self) -> Recipe | None:
        """The recipe that is chosen."""
        at = self.recipe.currentIndex()
        return self.recipes[at] if 0 <= at < len(self.recipes) else None

    def _show_recipe(self) -> None:
        one = self.chosen
        if one is None:
            return
        self.sentence.setText(one.sentence)
        fields = offering(fields_of(self.schemas[one.kind]), lean_networks())
        while (taken := self._inside.takeAt(0)) is not None:
            gone = taken.widget()
            if gone is not None:
                gone.hide()
                gone.deleteLater()
        self.data = DataPart(fields, self._tasks, self._known)
        self.budget = BudgetPart(fields)
        self.form = Form([field for field in fields if field.name not in one.preset])
        self.budget.offer(self._devices)
        self.data.make_wanted.connect(lambda: self.command.emit("make_samples"))
        for part in (self.data, self.budget, self.form):
            part.edited.connect(self._edited)
        for shown in (self.data, self.budget, section("SETTINGS", above=4), self.form):
            self._inside.addWidget(shown)

    def _edited(self) -> None:
        """Hear of a change; ask for no more principal fields than the hearts of the data set span."""
        found = None if self.data is None or self.data.data is None else self.data.data.found
        editor = None if self.form is None else self.form.editors.get("principal")
        if found is not None and found.slices and editor is not None and editor.value() > max(1, found.slices // PHASES):
            editor.show_value(max(1, found.slices // PHASES))
            self.say(f"Principal fields were set to {editor.value()}, as many as the hearts of this data set span.")
        self.edited.emit()

    # -- what is chosen --------------------------------------------------------------------------------------------------------------------

    def fill(self, kind: str, settings: Mapping[str, Any]) -> None:
        """Show the settings of a run that is to be begun once more."""
        fitting = [one for one in self.recipes if one.kind == kind and one.preset.items() <= settings.items()]
        if not fitting:
            return
        self.recipe.setCurrentIndex(self.recipes.index(fitting[0]))
        self._show_recipe()
        self._carried = dict(settings)
        values = values_of(settings)
        for part in (self.data, self.budget, self.form):
            if part is not None:
                part.show_values(values)
        self.recipe_chosen.emit()
        self.edited.emit()

    def propose(self, out: Path) -> None:
        """Propose a folder for the run."""
        self._folder = out.parent
        self.name.show_text(out.name)
        self._say_place()

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Where the folders of runs lie", str(self._folder))
        if name:
            self._folder = Path(name)
            self._say_place()
            self.edited.emit()

    def _say_place(self) -> None:
        self.place.setText(f"in the folder {self._folder.name}")
        self.place.setToolTip(str(self._folder))

    def wish(self) -> Wish | None:
        """Return what is asked for, None where nothing is."""
        one = self.chosen
        if one is None or self.form is None or self.data is None or self.budget is None:
            return None
        values = {**self.form.values(), **self.data.values(), **self.budget.values(), **one.preset}
        return Wish(one.kind, settings_of(self.schemas[one.kind], values, self._carried), self._folder / self.name.text().strip())

    @property
    def why_not(self) -> str:
        """Why the run cannot be begun, empty where it can."""
        name = self.name.text().strip()
        if self.data is None:
            return "The recipes are still being asked for."
        if not name or Path(name).name != name or name.startswith("."):
            return "Give the run a name that will do for a folder."
        return self.data.problem

    @property
    def slot(self) -> str:
        """The devices that the run needs for itself, as far as it names them."""
        wish = self.wish()
        return str(wish.settings.get("device", "cpu")) if wish is not None else ""

    def show_busy(self, busy: bool) -> None:
        """Say whether the run will begin at once or wait for its device."""
        self.start.setText("Add to queue" if busy else "Start")

    def say(self, sentence: str, *, wrong: bool = False) -> None:
        """Say what was estimated, or what will not do."""
        shown, other = (self.problem, self.estimated) if wrong else (self.estimated, self.problem)
        other.hide()
        shown.setText(sentence)
        shown.setStyleSheet(f"color: {theme.WARN};" if wrong else "")
        shown.setVisible(bool(sentence))
