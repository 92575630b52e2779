"""The parts of the dialog for data sets: which hearts, which poses and probes, which pictures and where to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QRadioButton,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from echo3d.anatomy.groups import GROUPS
from echo3d.core.views import View
from echo3d.gui.position.order_fields import Choices, RangeTable, TextField, problem_label, show_problem
from echo3d.gui.widgets import column, label, row, section, text_button
from echo3d.positioning.orders import Checked, Order, pixel_words

RECORDS = "Hearts (*.json *.vtp *.vtk *.vtu *.stl *.ply *.obj *.glb *.npz);;All files (*)"
POSE = {
    "x": ("Δx, left", "mm", "Of the heart against the probes, to the patient's left"),
    "y": ("Δy, back", "mm", "Of the heart against the probes, to the back"),
    "z": ("Δz, head", "mm", "Of the heart against the probes, to the head"),
    "rx": ("θx, about x", "°", "Turn of the heart about x"),
    "ry": ("θy, about y", "°", "Turn of the heart about y"),
    "rz": ("θz, about z", "°", "Turn of the heart about z"),
    "scale": ("Scale", "×", "Size of the heart over its own"),
}
PROBE = {
    "tilt": ("Tilt", "°", "Out of the plane"),
    "rotate": ("Rotate", "°", "About the central beam"),
    "angulate": ("Angulate", "°", "Within the plane"),
    "slide_lateral": ("Slide across", "mm", "Over the skin, within the plane"),
    "slide_elevation": ("Slide up", "mm", "Over the skin, out of the plane"),
    "standoff": ("Stand-off", "mm", "Further from the heart, nearer where negative"),
    "depth": ("Depth", "mm", "Length of the beams"),
    "half_angle": ("Half angle", "°", "Half of the fan's opening"),
    "level": ("Short-axis level", "", "0 for Table 1's short-axis planes, 1 for the heights at which sonographers cut"),
}


_STAGES = (
    ("labels", "Labels only"),
    ("binary", "Binary: tissue white on black"),
    ("pseudo", "Pseudo: the paper's images"),
    ("echo", "Echo: speckle of an ultrasound machine"),
    ("cyclegan", "CycleGAN: pseudo images in a trained style"),
)


_BODIES = (("No body", ""), ("Each heart's own person", "torso"))
_FREE = "Each heart's probes stand where Table 1 has them."
_HELD = "Probes stand on the skin, each at its best window nearby, so that stand-off has no say; lungs leave each heart room."


class HeartsPart(QWidget):
    """Which hearts, and how many; ``edited`` is sent with the fields of the order that a person changes."""

    edited = Signal(object)

    def __init__(self, known: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draw, self.give = QRadioButton("Draw new ones"), QRadioButton("Use given ones")
        self.draw.setToolTip("Hearts of these groups, each different; the seed tells which")
        self.give.setToolTip("Hearts of a cohort's folder or of files, in turn")
        self.give.toggled.connect(lambda on: self.edited.emit({"given": on}))
        self.shares: dict[str, TextField] = {}
        self.list = QListWidget()
        self._order = Order()
        self.problems = {name: problem_label() for name in ("shares", "hearts", "count", "seed", "hands")}
        self._pages = QStackedWidget()
        self._pages.addWidget(self._groups())
        self._pages.addWidget(self._files(known))
        self.fields = {
            "count": TextField("Hearts; given ones come again in turn where there are fewer", width=84),
            "hands": TextField("Placements of each heart: every one has its own pose and its own six probes", width=84),
            "seed": TextField("The same seed gives the same data set", width=84),
        }
        numbers = QGridLayout()
        numbers.setVerticalSpacing(4)
        numbers.setColumnStretch(0, 1)
        for line, (name, title) in enumerate((("count", "Number of hearts"), ("hands", "Placements per heart"), ("seed", "Seed"))):
            field = self.fields[name]
            field.entered.connect(lambda text, name=name: self.edited.emit({name: text}))
            numbers.addWidget(label(title), 2 * line, 0)
            numbers.addWidget(field, 2 * line, 1)
            numbers.addWidget(self.problems[name], 2 * line + 1, 0, 1, 2)
        head = label("HEARTS", "section")
        self.setLayout(column(head, numbers, row(self.draw, self.give, 1, spacing=14), self._pages, 1, spacing=8))

    def _groups(self) -> QWidget:
        made, grid = QWidget(), QGridLayout()
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        for line, (key, group) in enumerate(GROUPS.items()):
            field = TextField(f"Share of {group.title}", width=84)
            field.entered.connect(lambda text, key=key: self.edited.emit({"shares": {**self._order.shares, key: text}}))
            grid.addWidget(label(group.title), line, 0)
            grid.addWidget(field, line, 1)
            self.shares[key] = field
        head = row(label("Group", "muted"), 1, label("Share", "muted"))
        made.setLayout(column(head, grid, self.problems["shares"], 1, spacing=4))
        return made

    def _files(self, known: Sequence[tuple[str, str]]) -> QWidget:
        made = QWidget()
        add = text_button("Add", "Add a cohort's folder or files", lambda: None, kind="small")
        menu = QMenu(add)
        self._entry(menu, "Folder of a cohort…", self._ask_folder)
        self._entry(menu, "Files…", self._ask_files)
        self._entry(menu, "The template (ED only)", lambda: self._add(["template"]))
        if known:
            menu.addSection("Opened lately")
        for title, path in known:
            self._entry(menu, title, partial(self._add, [path]))
        add.setMenu(menu)
        add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        remove = text_button("Remove", "Take the chosen one off the list", self._remove, kind="small")
        self.list.setTextElideMode(Qt.TextElideMode.ElideLeft)
        self.list.setMinimumHeight(120)
        made.setLayout(column(self.list, row(add, remove, 1, spacing=4), self.problems["hearts"], 1, spacing=4))
        return made

    def _entry(self, menu: QMenu, title: str, do: Callable[[], object]) -> None:
        menu.addAction(title).triggered.connect(lambda *_: do())

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder of a cohort")
        self._add([name] if name else [])

    def _ask_files(self) -> None:
        self._add(QFileDialog.getOpenFileNames(self, "Records, meshes or label volumes of hearts", "", RECORDS)[0])

    def _add(self, names: Sequence[str]) -> None:
        if names:
            self.edited.emit({"hearts": tuple(dict.fromkeys((*self._order.hearts, *names)))})

    def _remove(self) -> None:
        at = self.list.currentRow()
        if at >= 0:
            self.edited.emit({"hearts": (*self._order.hearts[:at], *self._order.hearts[at + 1 :])})

    def show_order(self, order: Order, found: Checked) -> None:
        """Show an order's hearts."""
        if order.hearts != tuple(self.list.item(at).toolTip() for at in range(self.list.count())):
            self.list.clear()
            for name in order.hearts:
                entry = QListWidgetItem(Path(name).name)
                entry.setToolTip(name)
                self.list.addItem(entry)
        self._order = order
        (self.give if order.given else self.draw).setChecked(True)
        self._pages.setCurrentIndex(int(order.given))
        for key, field in self.shares.items():
            field.show_text(order.shares.get(key, ""), wrong="shares" in found.problems)
        for name, field in self.fields.items():
            field.show_text(getattr(order, name), wrong=name in found.problems)
        for name, where in self.problems.items():
            show_problem(where, found.problems.get(name, ""))


class RangesPart(QWidget):
    """Poses and probes."""

    edited = Signal(object)
    taken = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pose, self.probe = RangeTable(POSE), RangeTable(PROBE)
        self.pose.edited.connect(lambda ranges: self.edited.emit({"pose": ranges}))
        self.probe.edited.connect(lambda ranges: self.edited.emit({"probe": ranges}))
        take = text_button("As in the workspace", "Take pose and probes from the workspace again", self.taken.emit, kind="small")
        self.left_out = label("", "faint", wrap=True)
        pose = label("What is not ticked stays as it is.", "faint")
        probe = label("What is not ticked is drawn as a careful hand does it.", "faint")
        parts = (row(label("POSE", "section"), 1, take), self.pose, pose, section("PROBES", above=8), self.probe, probe, self.left_out)
        self.setLayout(column(*parts, 1, spacing=5))

    def show_order(self, order: Order, found: Checked) -> None:
        """Show an order's ranges."""
        for what, table, ranges in (("pose", self.pose, order.pose), ("probe", self.probe, order.probe)):
            problems = {name.removeprefix(f"{what}."): text for name, text in found.problems.items() if name.startswith(f"{what}.")}
            table.show_ranges(ranges, problems)


class PicturesPart(QWidget):
    """Which pictures, and where to.

    Parameters
    ----------
    bodies : title and word of bodies beside those that are always there
    """

    edited = Signal(object)

    def __init__(self, bodies: Sequence[tuple[str, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.body = QComboBox()
        for title, word in (*_BODIES, *bodies):
            self.body.addItem(title, word)
        self.body.setToolTip("A body holds the probes on its skin, and its bones and lungs shade the echo pictures")
        self.body.activated.connect(lambda _: self.edited.emit({"body": self.body.currentData()}))
        self.stage = QComboBox()
        for key, title in _STAGES:
            self.stage.addItem(title, key)
        self.stage.activated.connect(lambda _: self.edited.emit({"stage": self.stage.currentData()}))
        self.phases = Choices((("ed", "End-diastole"), ("es", "End-systole")), 2)
        self.views = Choices(tuple((view, view.title) for view in View), 2)
        for part, name in ((self.phases, "phases"), (self.views, "views")):
            part.edited.connect(lambda chosen, name=name: self.edited.emit({name: chosen}))
        self.fields = {
            "size": TextField("Pixels of a side, 16 to 1024", width=84),
            "pixel_mm": TextField("Side of a pixel in mm, 0.05 to 10; empty for pictures of 179.2 mm", "auto", width=84),
            "workers": TextField("Processes that work on it; empty for as many as there are processors", "all", width=84),
            "out": TextField("Folder to make"),
        }
        for name, field in self.fields.items():
            field.entered.connect(lambda text, name=name: self.edited.emit({name: text}))
        self.problems = {name: problem_label() for name in ("phases", "views", *self.fields)}
        self._raster = label("", "faint")
        self._held = label("", "faint", wrap=True)
        self.setLayout(column(*self._lines(), 1, spacing=7))

    def _lines(self) -> tuple:
        choose = text_button("Choose…", "Choose where the folder is to be made", self._ask_out, kind="small")
        return (
            label("PICTURES", "section"),
            self.stage,
            self.phases,
            self.problems["phases"],
            self.views,
            self.problems["views"],
            self._line("Pixels of a side", "size"),
            self.problems["size"],
            self._line("Pixel, mm", "pixel_mm"),
            self.problems["pixel_mm"],
            self._raster,
            section("BODY", above=8),
            self.body,
            self._held,
            section("OUTPUT", above=8),
            row(self.fields["out"], choose, spacing=4),
            self.problems["out"],
            self._line("Processes", "workers"),
            self.problems["workers"],
        )

    def _line(self, title: str, name: str) -> QWidget:
        made = QWidget()
        made.setLayout(row(label(title), 1, self.fields[name]))
        return made

    def _ask_out(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Name of the data set's folder", self.fields["out"].text())
        if name:
            self.edited.emit({"out": name})

    def show_order(self, order: Order, found: Checked) -> None:
        """Show an order's pictures and output."""
        self.stage.setCurrentIndex(self.stage.findData(order.stage))
        self.body.setCurrentIndex(self.body.findData(order.body))
        self._held.setText(_HELD if order.body else _FREE)
        self.phases.show_choices(order.phases)
        self.views.show_choices(order.views)
        for name, field in self.fields.items():
            field.show_text(getattr(order, name), wrong=name in found.problems)
        for name, where in self.problems.items():
            show_problem(where, found.problems.get(name, ""))
        self._raster.setText(pixel_words(order))
