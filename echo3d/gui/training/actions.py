"""What the commands of the workspace do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMessageBox

from echo3d.jobs.registry import list_jobs
from echo3d.jobs.spec import JobSpec, State
from echo3d.jobs.words import duration, size
from echo3d.paths import user_cache, user_documents, user_jobs

if TYPE_CHECKING:
    from typing import Any

    from echo3d.gui.training.corner import Training
    from echo3d.gui.training.new_run import Wish
    from echo3d.gui.training.page import TrainingPage
    from echo3d.gui.training.rows import Run


class Actions:
    """One method per command; the names are those of the table of commands.

    Parameters
    ----------
    training : the workspace, built when it is first shown
    """

    def __init__(self, training: Training) -> None:
        self._training = training

    @property
    def _page(self) -> TrainingPage:
        return self._training.page

    # -- a new run -------------------------------------------------------------------------------------------------------------------------

    def start_run(self) -> None:
        """Begin the run of the form as a background job, or let it wait for its device."""
        wish = self._wished()
        if wish is None:
            return
        if wish.out.exists() and any(wish.out.iterdir()):
            self._page.new.say("A folder of that name holds files already; give the run another name.", wrong=True)
            return
        self._training.begin(lambda: _train_spec(wish))

    def estimate_run(self) -> None:
        """Measure a few steps in the background, and say how long the run will take and what memory it needs."""
        wish = self._wished()
        if wish is None:
            return
        config = user_cache() / "trial.json"
        config.write_text(json.dumps(wish.settings), encoding="utf-8")
        new = self._page.new
        new.say("Measuring a few steps in the background …")
        words = ["train", wish.kind, "--config", str(config), "--trial"]
        self._training.trial.ask(words, lambda found: new.say(estimate_in_words(found)), lambda said: new.say(_sentence(said), wrong=True))

    def slurm_run(self) -> None:
        """Ask for a file, and write a batch script that trains the run of the form on a SLURM cluster, its settings beside it."""
        wish = self._wished()
        name = "" if wish is None else QFileDialog.getSaveFileName(self._page, "Batch script", f"{wish.out.name}.sh", "Scripts (*.sh)")[0]
        if wish is not None and name:
            self.slurm_to(wish, Path(name))

    def slurm_to(self, wish: Wish, script: Path) -> None:
        """Write a batch script and its settings."""
        config = script.with_suffix(".json")
        config.write_text(json.dumps(wish.settings, indent=1) + "\n", encoding="utf-8")
        words = ["train", wish.kind, "--config", str(config), "--out", str(wish.out), "--slurm", str(script)]
        said = f"{script.name} was written with its settings beside it; look at its partition and time before it is sent."
        self._training.work.ask(words, lambda _: self._training.say("done", said), self._training.wrong)

    def _wished(self) -> Wish | None:
        new = self._page.new
        if new.why_not:
            new.say(new.why_not, wrong=True)
            return None
        return new.wish()

    def make_samples(self) -> None:
        """Ask for a data set to train on, and have it made as a background job."""
        from echo3d.gui.training.samples_dialog import SamplesDialog

        dialog = SamplesDialog(str(free_folder(user_documents() / "training", "hearts")), self._page)
        dialog.start_wanted.connect(lambda spec: self._training.begin(lambda: spec))
        dialog.open()

    # -- runs ------------------------------------------------------------------------------------------------------------------------------

    def cancel_run(self) -> None:
        """Stop the chosen runs; what they have learned stays."""
        for run in self._chosen(State.RUNNING, State.QUEUED):
            self._training.watch.cancel(run.name)

    def resume_run(self) -> None:
        """Go on with the chosen runs where they were."""
        for run in self._chosen(State.CANCELLED, State.FAILED, State.INTERRUPTED):
            self._training.watch.resume(run.name)

    def _chosen(self, *states: State) -> list[Run]:
        return [run for run in self._page.table.chosen_runs if run.state in states]

    def duplicate_run(self) -> None:
        """Fill the form with the settings of the chosen run."""
        run = self._page.lead
        if run is not None:
            self._page.new.fill(run.kind, run.settings)
            self._page.new.say(f"The form has the settings of {run.title}; change what you like and start it.")

    def delete_run(self) -> None:
        """Ask, then delete the chosen runs with their files."""
        runs = [run for run in self._page.table.chosen_runs if not run.state.alive]
        if not runs:
            return
        names = ", ".join(run.title for run in runs)
        box = QMessageBox(self._page.window())
        box.setWindowTitle("Delete runs" if len(runs) > 1 else "Delete this run")
        box.setText(f"{names}\n\nThe job, the folder with its checkpoints and its log are deleted. This cannot be undone.")
        sure = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        sure.clicked.connect(lambda: self._delete(runs))
        box.finished.connect(box.deleteLater)
        box.open()

    def _delete(self, runs: list[Run]) -> None:
        for run in runs:
            self._training.watch.delete_run(run.name, run.out)

    # -- what becomes of a run -------------------------------------------------------------------------------------------------------------

    def use_run(self) -> None:
        """Put the chosen run's network among those of the application, and compute with it from now on."""
        run = self._page.lead
        if run is None:
            return
        self._training.say("info", f"Putting {run.title} among your networks …")
        words = ["models", "add", str(run.out), "--name", run.title]
        self._training.work.ask(words, lambda found: self._added(run, found), self._training.wrong)

    def _added(self, run: Run, found: dict[str, Any]) -> None:
        name = str(found.get("name", run.title))
        self._training.added(name, run.kind)

    def export_run(self) -> None:
        """Ask for a file, and write the chosen run's weights, card, settings, curves and log into it."""
        run = self._page.lead
        if run is None:
            return
        name, _ = QFileDialog.getSaveFileName(self._page, "Export the run", f"{run.title}.zip", "Zip (*.zip)")
        if name:
            self.export_to(run, Path(name))

    def export_to(self, run: Run, path: Path) -> None:
        """Write a run into a file."""
        self._training.say("info", f"Writing {path.name} …")
        words = ["models", "export", str(run.out), "--out", str(path)]
        self._training.work.ask(words, lambda _: self._training.say("done", f"The run was written into {path.name}."), self._training.wrong)

    # -- curves ----------------------------------------------------------------------------------------------------------------------------

    def log_curves(self) -> None:
        """Show the curves on a logarithmic scale, or not."""
        for plot in (self._page.curves.loss, self._page.curves.measured):
            plot.log.click()

    def whole_curves(self) -> None:
        """Show all of the curves again."""
        for plot in (self._page.curves.loss, self._page.curves.measured):
            plot.show_whole()


def _train_spec(wish: Wish) -> JobSpec:
    """Return the job of a wish; off the Qt thread."""
    from echo3d.trainings import job_spec

    return job_spec(wish.kind, wish.settings, wish.out)


def free_folder(parent: Path, word: str) -> Path:
    """Return the first folder ``word-1``, ``word-2``, … that is neither there nor asked for by a job."""
    specs = [status.spec for status in list_jobs(user_jobs()) if status.spec is not None]
    taken = {str(spec.arguments.get("out", "")) for spec in specs}
    numbered = (parent / f"{word}-{number}" for number in range(1, 100_000))
    return next(folder for folder in numbered if not folder.exists() and str(folder) not in taken)


def estimate_in_words(found: dict[str, Any]) -> str:
    """Return what a trial measured in words.

    >>> estimate_in_words({"seconds_per_step": 0.5, "samples_per_s": 16, "peak_mb": 2000, "whole_s": 1800, "steps": 3600})
    'About 30 min for 3600 steps: 0.5 s a step, 16 samples/s, 2.0 GB of memory.'
    """
    parts = [
        f"{found['seconds_per_step']:.3g} s a step",
        f"{found['samples_per_s']:.3g} samples/s",
        f"{size(1e6 * found['peak_mb'])} of memory",
    ]
    if found.get("peak_gpu_mb"):
        parts.append(f"{size(1e6 * found['peak_gpu_mb'])} of the GPU's")
    if found.get("epoch_s"):
        parts.append(f"{duration(found['epoch_s'])} an epoch")
    whole, steps = found.get("whole_s"), found.get("steps")
    head = "Measured" if whole is None else f"About {duration(whole)}"
    return f"{head}{f' for {steps} steps' if steps else ''}: {', '.join(parts)}."


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."
