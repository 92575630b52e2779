"""Where the window meets the training workspace: built when it is first shown, told of the jobs, and closed with the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QLayout, QSplitter, QWidget

from echo3d.gui.jobs.rows import JobRow, Look
from echo3d.gui.tasks import Tasks
from echo3d.gui.training.actions import Actions, free_folder
from echo3d.gui.training.asking import Asking
from echo3d.gui.training.rows import KIND, Run, Sight
from echo3d.gui.widgets import column
from echo3d.jobs.queue import enqueue
from echo3d.jobs.registry import Status
from echo3d.jobs.spec import JobSpec
from echo3d.paths import user_documents, user_jobs

if TYPE_CHECKING:
    from echo3d.gui.jobs.watching import JobsWatch
    from echo3d.gui.training.page import TrainingPage
    from echo3d.gui.window import MainWindow

SAMPLES = "samples"


class Training(QObject):
    """The workspace of the window.

    Parameters
    ----------
    window : the main window, built
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.actions = Actions(self)
        self._built: TrainingPage | None = None
        self._tasks: Tasks | None = None
        self._building: Iterator[TrainingPage | None] | None = None
        self._made: TrainingPage | None = None
        self._place: QLayout | None = None
        self._known: list[str] | None = None
        self._shows = ""
        self._shown = self._closed = False
        self.asking, self.trial, self.work = Asking(self), Asking(self), Asking(self)

    # -- its parts -------------------------------------------------------------------------------------------------------------------------

    @property
    def page(self) -> TrainingPage:
        """The page; what of it is not built yet is built now."""
        while self._built is None:
            self._build_on()
        return self._built

    @property
    def watch(self) -> JobsWatch:
        """What looks at the jobs and does what is wished for with them."""
        return self._window.jobs.watch

    def _build_on(self) -> None:
        """Build one more bit of the page; put it into its place when it is whole."""
        if self._building is None:
            from echo3d.gui.training.page import building

            self._tasks = Tasks(self, threads=2)
            self._building = building(self._tasks)
            return
        if self._made is None:
            self._made = next(self._building)
        else:
            self._use(self._made)

    def _use(self, page: TrainingPage) -> None:
        from echo3d.gui.layout import restore_parts
        from echo3d.gui.training.reading import Reading

        window, self._built = self._window, page
        self.reading = Reading(self._own_tasks, self)
        self._host().addWidget(page)
        restore_parts(page.splitters)
        page.command.connect(window.run_command)
        page.lead_changed.connect(self.reading.follow)
        page.situation_changed.connect(window.shell.show_situation)
        page.new.recipe_chosen.connect(self._propose)
        self.reading.seen.connect(self._seen)
        self.watch.looked.connect(self._looked)
        window.shell.grey(page)
        self._ask_schemas()

    def _host(self) -> QLayout:
        """Return where the page stands; it is shown empty until the page is built."""
        if self._place is None:
            host = QWidget()
            self._place = column()
            host.setLayout(self._place)
            self._window.pages.addWidget(host)
        return self._place

    @property
    def _own_tasks(self) -> Tasks:
        if self._tasks is None:
            self._tasks = Tasks(self, threads=2)
        return self._tasks

    @property
    def splitters(self) -> dict[str, QSplitter]:
        """The parts whose sizes are kept, by name; none before it was shown."""
        return {} if self._built is None else self._built.splitters

    def words(self) -> frozenset[str]:
        """Return what there is, in words of ``allowed.WHY``."""
        return frozenset() if self._built is None else self._built.words()

    # -- what is shown ---------------------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Bring the page up to date; the first time it is built bit by bit while the window goes on."""
        self._host()
        self._shown = True
        if self._built is None:
            QTimer.singleShot(0, self._go_on)
        else:
            self._bring_up_to_date()

    def _go_on(self) -> None:
        if self._closed:
            return
        if self._built is None:
            self._build_on()
            QTimer.singleShot(0, self._go_on)
        elif self._shown:
            self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        from echo3d.gui.training.devices import devices

        self.reading.on = self.watch.eager = True
        self.watch.now()
        self._own_tasks.run(devices, self.page.new.offer_devices, self.wrong)

    def leave(self) -> None:
        """Read no more while another workspace is shown."""
        self._shown = False
        if self._built is not None:
            self.reading.on = False
            self.watch.eager = self._window.jobs.dock.isVisible()

    def show_run(self, name: str) -> None:
        """Show one run."""
        self._shows = name
        self._window.run_command("show_training")

    def _ask_schemas(self) -> None:
        from echo3d.gui.training.schemas import stored_schemas

        def stored(found: Any) -> None:
            if found is not None:
                self.page.new.show_schemas(found)
            else:
                self.asking.ask(["train", "--schema"], self._have_schemas, self.page.new.show_problem_with_schemas)

        self._own_tasks.run(stored_schemas, stored, self.wrong)

    def _have_schemas(self, schemas: dict[str, Any]) -> None:
        from echo3d.gui.training.schemas import keep_schemas

        self.page.new.show_schemas(schemas)
        self._own_tasks.run(lambda: keep_schemas(schemas), lambda _: None, self.wrong)

    def _propose(self) -> None:
        """Propose a new folder for a run of the recipe that was chosen."""
        chosen = self.page.new.chosen
        if chosen is not None:
            self._own_tasks.run(lambda: free_folder(user_documents() / "training", chosen.key), self.page.new.propose, self.wrong)

    def _looked(self, look: Look) -> None:
        self.reading.looked(look)
        making = next((row for row in look.rows if row.name.startswith(f"{SAMPLES}-") and row.state.alive), None)
        known = data_sets(list((look.known or {}).values()))
        if self._built is not None and self.reading.on:
            self._show_data(known, making)

    def _show_data(self, known: list[str], making: JobRow | None) -> None:
        new = [folder for folder in known if folder not in self._known] if self._known is not None else []
        self._known = known
        self.page.new.offer_data(known, choose=new[0] if new else "")
        self.page.welcome.show_state(bool(known), making)

    def _seen(self, sight: Sight) -> None:
        page = self.page
        page.show_sight(sight)
        if self._shows and any(run.name == self._shows for run in sight.runs):
            page.table.choose([self._shows])
            page.lead_changed.emit(self._shows)
            page.show_sight(sight)
            self._shows = ""

    def run_named(self, name: str) -> Run | None:
        """Return the run of a job."""
        return next((run for run in self.page.sight.runs if run.name == name), None)

    def use_data(self, folder: Path) -> None:
        """Choose a folder that was dropped as the data set of the new run."""
        data = self.page.new.data
        if data is None or data.data is None:
            self.wrong("this recipe takes no data set; choose another recipe first")
        else:
            data.data.show_path(str(folder))

    # -- what is done ----------------------------------------------------------------------------------------------------------------------

    def begin(self, spec: Callable[[], JobSpec]) -> None:
        """Start a job; say so, and show it."""
        self._own_tasks.run(lambda: enqueue(user_jobs(), spec()), self._begun, self.wrong)

    def _begun(self, folder: Path) -> None:
        if folder.name.startswith(f"{KIND}-"):
            self._shows = folder.name
            self.page.new.say("")
            self._propose()
        self.say("done", "It was given to the background, where it goes on when this window is closed.")
        self.watch.now()

    def added(self, name: str, kind: str) -> None:
        """Say that a network is among those of the application, and use it where it computes hearts."""
        if kind in ("s2mnet", "accurate"):
            self._window.shell.choose_network(name)
            self.say("done", f"The Patient page computes with {name} from now on; File ▸ Networks lists it.")
        else:
            self.say("done", f"{name} is among the networks of this application.")

    def say(self, kind: str, sentence: str) -> None:
        """Say a sentence in the corner of the window."""
        self._window.shell.notify(kind, sentence)

    def wrong(self, sentence: str) -> None:
        """Say what did not work."""
        self.say("error", f"{sentence[:1].upper()}{sentence[1:].rstrip('.')}.")

    def reset_layout(self) -> None:
        """Give all parts their usual share."""
        if self._built is not None:
            self._built.reset_layout()

    def close(self) -> None:
        """End questions and threads; before the window goes."""
        self._closed = True
        for one in (self.asking, self.trial, self.work):
            one.close()
        if self._tasks is not None:
            self._tasks.close()


def data_sets(statuses: list[Status]) -> list[str]:
    """Return the folders of data sets that jobs made or learned from, the newest first."""
    found: list[str] = []
    for status in reversed(statuses):
        if status.spec is None:
            continue
        arguments = status.spec.arguments
        if status.spec.kind == SAMPLES and not status.state.alive and (Path(str(arguments.get("out"))) / "samples").is_dir():
            found.append(str(arguments["out"]))
        data = (arguments.get("settings") or {}).get("data") if status.spec.kind == KIND else None
        if data and Path(data).is_absolute():
            folder = Path(data)
            found.append(str(folder.parent if folder.name in ("samples", "train") else folder))
    return list(dict.fromkeys(found))
