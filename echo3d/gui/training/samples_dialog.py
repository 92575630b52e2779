"""The dialog that asks for a data set to train on: how many hearts, in which styles, and where it goes; then it runs as a job."""

from __future__ import annotations

import random
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QFileDialog, QGridLayout, QSpinBox, QWidget

from echo3d.errors import InputError
from echo3d.gui.dialogs import press
from echo3d.gui.position.order_fields import TextField, problem_label, show_problem
from echo3d.gui.widgets import column, label, row, rule, text_button
from echo3d.jobs.spec import JobSpec
from echo3d.samplefolders import records_in

KIND = "samples"
USUAL, _MOST, _SEEDS, _LEAST = 40, 20_000, 99_999, 4
STYLES = {
    "binary": "Tissue white, all else black",
    "pseudo": "A grey for each structure, as in the paper",
    "speckle": "Simulated ultrasound",
    "cyclegan": "Translated to echo by the shipped network",
}
_WIDTH = 460


class SamplesDialog(QDialog):
    """Asks; ``start_wanted`` is sent with the job.

    Parameters
    ----------
    out : folder that is proposed
    """

    start_wanted = Signal(object)

    def __init__(self, out: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Make a data set to train on")
        self.hearts = QSpinBox()
        self.hearts.setRange(2, _MOST)
        self.hearts.setValue(USUAL)
        self.hearts.setFixedWidth(112)
        self.hearts.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.seed = QSpinBox()
        self.seed.setRange(1, _SEEDS)
        self.seed.setValue(random.SystemRandom().randint(1, _SEEDS))
        self.seed.setFixedWidth(112)
        self.seed.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.seed.setToolTip("Data sets of one seed hold the same hearts; what is measured on one would have been learned from another")
        self.source = QComboBox()
        self.source.addItem("Drawn anew", "")
        self.source.addItem("Of a cohort or data set…", None)
        self.source.activated.connect(self._choose_source)
        self.styles = {word: QCheckBox(title) for word, title in STYLES.items()}
        for switch in self.styles.values():
            switch.setChecked(True)
        self.out = TextField("Folder of the data set")
        self.out.show_text(out)
        self.problem = problem_label()
        self.start = press("Start", self._start, kind="primary")
        self._build()

    def _build(self) -> None:
        told = (
            "Hearts at both ends of their beat, cut by six probes held by different hands, with the truth of every picture. "
            "A fifth as many hearts are held back to measure on. The job says how long it takes once its first hearts are made."
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(10)
        grid.setColumnStretch(1, 1)
        where = row(self.out, text_button("…", "Choose a folder", self._choose_out, kind="small"), spacing=6)
        where.setStretch(0, 1)
        rows = (
            ("Hearts", row(self.hearts, 1)),
            ("Which", row(self.source, 1)),
            ("Seed", row(self.seed, 1)),
            ("Styles", column(*self.styles.values(), spacing=6)),
            ("Folder", where),
        )
        for at, (title, part) in enumerate(rows):
            name = label(title, "muted")
            grid.addWidget(name, at, 0, Qt.AlignmentFlag.AlignTop if title == "Styles" else Qt.AlignmentFlag.AlignVCenter)
            grid.addLayout(part, at, 1)
        foot = row(1, press("Close", self.reject), self.start, spacing=8)
        self.setLayout(
            column(label(told, "muted", wrap=True), grid, self.problem, rule(upright=False), foot, margins=(18, 16, 18, 14), spacing=14)
        )
        self.setFixedWidth(_WIDTH)

    def _choose_out(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder of the data set", str(Path(self.out.text()).parent))
        if name:
            self.out.show_text(name)

    def _choose_source(self, at: int) -> None:
        if self.source.itemData(at) is not None:
            return
        name = QFileDialog.getExistingDirectory(self, "Folder of a cohort, or of a data set, that was generated")
        self.source.setCurrentIndex(0)
        if name:
            self.take_hearts_of(Path(name))

    def take_hearts_of(self, folder: Path) -> None:
        """Offer the hearts of a cohort or a data set, or say why they will not do."""
        try:
            count = len(records_in(folder))
        except InputError as exc:
            show_problem(self.problem, str(exc)[:1].upper() + str(exc)[1:])
            return
        if count < _LEAST:
            show_problem(self.problem, f"{_LEAST} hearts that beat are needed, this folder has {count}; choose another, or draw them anew.")
            return
        show_problem(self.problem, "")
        self.source.insertItem(1, f"Of {folder.name}, {count} hearts", str(folder))
        self.source.setCurrentIndex(1)
        self.hearts.setValue(max(2, min(self.hearts.value(), count - max(2, count // 6))))

    def _start(self) -> None:
        styles = [word for word, switch in self.styles.items() if switch.isChecked()]
        out = Path(self.out.text().strip()).expanduser()
        if not styles:
            show_problem(self.problem, "Choose at least one style.")
        elif not self.out.text().strip() or not out.is_absolute():
            show_problem(self.problem, "Give the data set a folder, from the root of the disk on.")
        elif out.exists() and (not out.is_dir() or any(out.iterdir())):
            show_problem(self.problem, "The folder must be new or empty; choose another.")
        else:
            cohort = str(self.source.currentData() or "")
            self.start_wanted.emit(samples_spec(out, self.hearts.value(), styles, seed=self.seed.value(), cohort=cohort))
            self.accept()


def samples_spec(out: Path, hearts: int, styles: list[str], *, seed: int, cohort: str = "") -> JobSpec:
    """Return the job that makes a data set to train on."""
    wanted = {"out": str(out), "hearts": hearts, "styles": styles, "seed": seed, "cohort": cohort}
    return JobSpec(KIND, f"Samples of {hearts} hearts in {out.name}", "training.sampleset:run_job", wanted)
