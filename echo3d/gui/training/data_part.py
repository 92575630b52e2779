"""Where a recipe's samples come from: a data set with the check of what it holds, its styles, and real clips for the CycleGAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QGridLayout, QLabel, QWidget

from echo3d.gui import theme
from echo3d.gui.tasks import Tasks
from echo3d.gui.training.schema import Field
from echo3d.gui.widgets import column, label, row, section, text_button
from echo3d.samplefolders import Found, look_into, look_into_clips

_OTHER = "Choose a folder…"
_NONE = {"data": "Draw hearts for it first", "clips": "The simulator's own pictures"}
_STYLES = {
    "binary": "filled outlines",
    "pseudo": "grey by structure",
    "speckle": "simulated ultrasound",
    "cyclegan": "translated to echo",
    "flat": "flat grey",
    "textbook": "as in a drawing",
}


class FolderChoice(QWidget):
    """One folder, chosen among those known or anywhere, with a sentence on what it holds.

    Parameters
    ----------
    title : of the choice
    tasks : threads that look into folders
    look : looks into one
    none : words for no folder, where that may be chosen
    """

    edited = Signal()

    def __init__(self, title: str, tasks: Tasks, look: Any, none: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks, self._look, self._none = tasks, look, none
        self.found: Found | None = None
        self.path = ""
        self.choice = QComboBox()
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setAccessibleName(title)
        self.choice.activated.connect(self._chosen)
        self.said: QLabel = label("", "faint", wrap=True)
        self.said.hide()
        self.setLayout(column(label(title), self.choice, self.said, spacing=4))
        self._known: tuple[str, ...] = ()
        self._fill()

    def offer(self, folders: Sequence[str]) -> None:
        """Offer folders that are known."""
        kept = tuple(dict.fromkeys([*folders, *([self.path] if self.path else [])]))
        if kept != self._known:
            self._known = kept
            self._fill()
        if not self.path and not self._none and kept:
            self.show_path(kept[0])
            self.edited.emit()

    def _fill(self) -> None:
        self.choice.clear()
        if self._none:
            self.choice.addItem(self._none, "")
        elif not self.path:
            self.choice.addItem("None yet", "")
        for path in self._known:
            self.choice.addItem(_short(path), path)
        self.choice.addItem(_OTHER, None)
        self.choice.setCurrentIndex(max(0, self.choice.findData(self.path)))
        self.choice.setToolTip(self.path)

    def _chosen(self, at: int) -> None:
        path = self.choice.itemData(at)
        if path is None:
            path = QFileDialog.getExistingDirectory(self, "Choose a folder", str(Path(self.path).parent) if self.path else "")
        if path or (self._none and path == "" and self.choice.itemData(at) == ""):
            self.show_path(path)
            self.edited.emit()
        else:
            self._fill()

    def show_path(self, path: str) -> None:
        """Show a folder, and have it looked into."""
        self.path, self.found = path, None
        if path and path not in self._known:
            self._known = (*self._known, path)
        self._fill()
        self._say("Looking into it …" if path else "", wrong=False)
        if path:
            self._tasks.run(
                lambda: self._look(Path(path)), lambda found: self._looked(path, found), lambda said: self._say(said, wrong=True)
            )

    def _looked(self, path: str, found: Found) -> None:
        if path == self.path:
            self.found = found
            self._say(found.sentence, wrong=found.problem)
            self.edited.emit()

    def _say(self, sentence: str, *, wrong: bool) -> None:
        self.said.setText(sentence)
        self.said.setVisible(bool(sentence))
        self.said.setStyleSheet(f"color: {theme.WARN};" if wrong else "")


class DataPart(QWidget):
    """The data of a recipe; ``edited`` is sent when a person changes it, ``make_wanted`` when a new data set is asked for.

    Parameters
    ----------
    fields : of the recipe
    tasks : threads that look into folders
    known : folders of data sets to offer
    """

    edited = Signal()
    make_wanted = Signal()

    def __init__(self, fields: Sequence[Field], tasks: Tasks, known: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields = {field.name: field for field in fields}
        optional = _NONE["data"] if "hearts" in self._fields else ""
        self.data = FolderChoice("Data set", tasks, look_into, optional) if "data" in self._fields else None
        self.clips = (
            FolderChoice("Real clips that show the style", tasks, look_into_clips, _NONE["clips"]) if "clips" in self._fields else None
        )
        self.switches: dict[str, Any] = {}
        self._styles = QWidget()
        parts: list[Any] = [section("DATA", above=4)]
        if self.data is not None:
            make = text_button("Make a data set…", "Draw hearts, slices and pictures to learn from", self.make_wanted.emit, kind="small")
            parts += [self.data, row(make, 1)]
            self.data.edited.connect(self._data_edited)
        if "styles" in self._fields:
            parts.append(self._style_grid())
        if self.clips is not None:
            self.clips.edited.connect(self.edited)
            parts.append(self.clips)
        if len(parts) == 1:
            parts.append(label("This recipe draws its own hearts; no data set is needed.", "muted", wrap=True))
        self.setLayout(column(*parts, spacing=7))
        self.offer(known)

    def _style_grid(self) -> QWidget:
        grid = QGridLayout(self._styles)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.addWidget(label("Style mixture"), 0, 0, 1, 2)
        for at, word in enumerate(self._fields["styles"].choices):
            made = self.switches[word] = QCheckBox(word)
            made.setToolTip(f"Pictures as {_STYLES.get(word, word)}")
            made.setChecked(word in (self._fields["styles"].default or ()))
            made.clicked.connect(lambda _: self.edited.emit())
            grid.addWidget(made, 1 + at // 2, at % 2)
        return self._styles

    def offer(self, known: Sequence[str]) -> None:
        """Offer data sets."""
        if self.data is not None:
            self.data.offer(known)

    def _data_edited(self) -> None:
        """Let only styles be chosen that the data set has pictures in."""
        found = None if self.data is None else self.data.found
        if found is not None and not found.problem and found.styles:
            for word, switch in self.switches.items():
                there = word in found.styles
                switch.setEnabled(there)
                switch.setChecked(switch.isChecked() and there)
            if self.switches and not any(switch.isChecked() for switch in self.switches.values()):
                for word, switch in self.switches.items():
                    switch.setChecked(word in found.styles)
        self.edited.emit()

    def values(self) -> dict[str, Any]:
        """Return the fields that it fills."""
        made: dict[str, Any] = {}
        if self.data is not None:
            found = self.data.found
            parts: Mapping[str, Path] = {} if found is None else found.parts
            made["data"] = str(parts.get("data", self.data.path))
            for name in ("slices", "val"):
                if name in self._fields and (name in parts or self._fields[name].optional):
                    made[name] = str(parts[name]) if name in parts else None
        if self.switches:
            made["styles"] = [word for word, switch in self.switches.items() if switch.isChecked()]
        if self.clips is not None:
            made["clips"] = self.clips.path
        return made

    def show_values(self, values: Mapping[str, Any]) -> None:
        """Show the fields of a run."""
        if self.data is not None and "data" in values:
            path = Path(str(values["data"])) if values["data"] else None
            whole = path is not None and path.name in ("samples", "train")
            self.data.show_path("" if path is None else str(path.parent if whole else path))
        if self.clips is not None:
            self.clips.show_path(str(values.get("clips") or ""))
        for word, switch in self.switches.items():
            switch.setEnabled(True)
            switch.setChecked(word in (values.get("styles") or ()))

    @property
    def problem(self) -> str:
        """Why nothing can be learned from what is chosen, empty where it can."""
        if self.data is not None and not self.data.path and "hearts" not in self._fields:
            return "Choose a data set, or make one."
        chosen = [one for one in (self.data, self.clips) if one is not None and one.path]
        if any(one.found is not None and one.found.problem for one in chosen):
            return "What lies in the chosen folder will not do; see there."
        if self.data is not None and self.data.path and self.data.found is not None:
            lacks = [word for name, word in (("slices", "label slices"), ("val", "held back samples")) if self._lacks(name)]
            if lacks:
                return f"This recipe needs {' and '.join(lacks)}; choose a data set that was made with Make a data set…."
            if self.switches and not self.data.found.styles:
                return "The samples of this data set have no pictures yet; make a data set with styles."
        if self.switches and not any(switch.isChecked() for switch in self.switches.values()):
            return "Choose at least one style."
        return ""

    def _lacks(self, name: str) -> bool:
        found = None if self.data is None else self.data.found
        field = self._fields.get(name)
        return field is not None and not field.optional and found is not None and name not in found.parts


def _short(path: str) -> str:
    place = Path(path)
    return f"{place.name}  ({place.parent.name})" if place.parent.name else place.name
