"""What the commands of the workspace do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QInputDialog

from echo3d.core.views import View
from echo3d.errors import InputError, UnnamedPartsError
from echo3d.gui.position import presets
from echo3d.gui.position.dataset_flow import DatasetFlow
from echo3d.gui.position.page import PositionPage
from echo3d.gui.position.remembering import Remembering
from echo3d.gui.position.saving import Saving
from echo3d.gui.position.table_dialog import TableDialog
from echo3d.gui.tasks import Tasks
from echo3d.hearts import Source
from echo3d.io.bodies import READABLE
from echo3d.positioning import compare
from echo3d.positioning import state as change
from echo3d.positioning.bodies import WorkBody, body_of_file
from echo3d.positioning.cohorts import Member, heart_of_cohort, members_of
from echo3d.positioning.hearts import WorkHeart, drawn_heart, embedded_heart, end_systole, heart_of_file
from echo3d.positioning.poses import parsed
from echo3d.positioning.recents import Recent
from echo3d.positioning.state import Clip, Picture

HEARTS = "Hearts (*.vtp *.vtk *.vtu *.stl *.ply *.obj *.glb *.npz *.json);;All files (*)"
BODIES = "Bodies (*.glb *.obj *.ply *.stl *.vtk *.vtp);;All files (*)"


class Actions:
    """One method per command; the names are those of the table of commands.

    Parameters
    ----------
    page : the workspace
    tasks : threads of the window
    """

    def __init__(self, page: PositionPage, tasks: Tasks) -> None:
        self._page = page
        self._tasks = tasks
        self.saving = Saving(page, tasks)
        self.recents = Remembering(page, tasks, self)
        self.dataset = DatasetFlow(page, tasks, self.recents)
        page.sources.draw_wanted.connect(self.draw)
        for part in (page.sources, page.pose, page.side.probe, page.stage):
            part.command.connect(self.run)

    def run(self, name: str) -> None:
        """Do what a command's name says."""
        getattr(self, name)()

    # -- hearts and bodies ------------------------------------------------------------------------------------------------------------

    def use_template(self) -> None:
        """Put the embedded heart into the body."""
        self.recents.wish(None)
        self._page.loading.heart("Reading the heart", embedded_heart)

    def draw(self, group: str, seed: int) -> None:
        """Draw a heart and put it into the body."""
        self.recents.wish(Recent("heart", "drawn", group=group, number=seed))
        self._page.loading.heart("Drawing a heart", lambda: drawn_heart(group, seed))

    def open_heart(self) -> None:
        """Ask for a heart's file and put that heart into the body."""
        name, _ = QFileDialog.getOpenFileName(self._page, "Open a heart", "", HEARTS)
        if name:
            self.open_heart_file(Path(name))

    def open_heart_file(self, path: Path) -> None:
        """Put the heart of a file into the body."""
        self.recents.wish(Recent("heart", "file", path=str(path.absolute())))
        self._page.loading.heart(f"Reading {path.name}", lambda: heart_of_file(Source(path)))

    def open_cohort(self) -> None:
        """Ask for a cohort's folder, then for one of its hearts."""
        name = QFileDialog.getExistingDirectory(self._page, "Open the folder of a cohort")
        if name:
            self._tasks.run(lambda: members_of(Path(name)), lambda found: self._choose_member(Path(name), found), self._page.said.emit)

    def _choose_member(self, folder: Path, members: list[Member]) -> None:
        titles = [member.title for member in members]
        title, chosen = QInputDialog.getItem(self._page, folder.name, "Heart", titles, 0, False)
        if chosen:
            self.use_member(folder, titles.index(title))

    def use_member(self, folder: Path, number: int) -> None:
        """Put a heart of a cohort into the body."""
        self.recents.wish(Recent("heart", "cohort", path=str(folder.absolute()), number=number))
        self._page.loading.heart(f"Building heart {number}", lambda: heart_of_cohort(folder, number))

    def open_body(self) -> None:
        """Ask for a body's file and use that body."""
        name, _ = QFileDialog.getOpenFileName(self._page, "Open a body", "", BODIES)
        if name:
            self.open_body_file(Path(name))

    def open_body_file(self, path: Path) -> None:
        """Use the body of a file."""
        self.recents.wish(Recent("body", "file", path=str(path.absolute())))
        sex = str(self._page.sources.sex.currentData())
        self._page.loading.body(f"Reading {path.name}", lambda: body_of_file(path, sex=sex))

    def open_dropped(self, path: Path) -> None:
        """Use the heart or body of a dropped file, or the pose of a dropped JSON."""
        if path.suffix.lower() == ".json" and self._pasted(path):
            return
        self.recents.wish(Recent("heart", "file", path=str(path.absolute())))
        self._page.loading.either(f"Reading {path.name}", lambda: heart_or_body(path))

    def _pasted(self, path: Path) -> bool:
        """Use the pose that a JSON file holds; return whether it holds one."""
        try:
            content = parsed(path.read_text(encoding="utf-8")[:200_000])
            self._page.edit("use a pose", lambda scene: change.pasted(scene, content))
        except (InputError, OSError, UnicodeDecodeError):
            return False
        return True

    def no_body(self) -> None:
        """Show the heart alone."""
        self._page.edit("no body", lambda scene: change.with_body(scene, None))

    def generate_dataset(self) -> None:
        """Ask for a data set and begin it as a job."""
        self.dataset.open()

    # -- files out -----------------------------------------------------------------------------------------------------------------------

    def save_views(self) -> None:
        """Write the six views, their fans, pose and heart into a folder."""
        self.saving.ask_views()

    def save_mesh(self) -> None:
        """Write the placed heart."""
        self.saving.ask_mesh()

    def save_scene(self) -> None:
        """Write a picture of the scene with its scale."""
        self.saving.ask_picture()

    def save_film(self) -> None:
        """Write the beat as GIF or MP4."""
        self.saving.ask_film()

    # -- pose -------------------------------------------------------------------------------------------------------------------------

    def reset_pose(self) -> None:
        """Stand heart and probes where they stand by default."""
        self._page.edit("anatomical default", change.at_default)

    def mirror_pose(self) -> None:
        """Mirror place and turn of the heart."""
        self._page.edit("mirror", change.mirrored)

    def aim_probes(self) -> None:
        """Aim the probes at the heart as it stands."""
        self._page.edit("aim the probes", change.aimed)

    def copy_pose(self) -> None:
        """Copy pose and probes as JSON."""
        text = json.dumps(change.placement_json(self._page.workspace.scene.placement), indent=1)
        QGuiApplication.clipboard().setText(text)
        self._page.said_softly.emit("Pose and probes were copied as JSON.")

    def paste_pose(self) -> None:
        """Use the pose of the clipboard."""
        try:
            content = parsed(QGuiApplication.clipboard().text())
            self._page.edit("paste a pose", lambda scene: change.pasted(scene, content))
        except InputError as exc:
            self._page.said.emit(str(exc))

    def keep_reference(self) -> None:
        """Keep heart and pose as a ghost to compare with, or let it go."""
        self._page.dispatch(compare.kept if self._page.workspace.reference is None else compare.let_go)

    def swap_reference(self) -> None:
        """Go to the heart and pose that are compared with, and compare with these."""
        workspace = self._page.workspace
        if workspace.reference is not None:
            now = compare.kept(workspace)
            self._page.edit("swap with the heart compared with", lambda scene: compare.swapped(scene, workspace))
            self._page.look_at(reference=now.reference, ghost=now.ghost)

    def best_window(self) -> None:
        """Hold the selected probe where fewest of its beams are stopped."""
        self._page.arrivals.find(self._page.workspace.selected)

    def best_windows(self) -> None:
        """Hold all probes where fewest of their beams are stopped."""
        self._page.arrivals.find(*View)

    def reset_probe(self) -> None:
        """Hold the selected probe as the table says."""
        view = self._page.workspace.selected
        self._page.edit(f"reset the probe of {view.title}", lambda scene: change.reset_probe(scene, view))

    def reset_probes(self) -> None:
        """Hold all probes as the table says."""
        self._page.edit("reset all probes", change.reset_probe)

    def edit_table(self) -> None:
        """Open Table 1 to be looked at and changed."""
        dialog, page = TableDialog(self._page), self._page
        dialog.show_table(page.workspace.scene.placement.table)
        dialog.changed.connect(lambda table: page.edit("table of views", lambda scene: change.with_table(scene, table), "table"))
        showing = page.shown.connect(lambda workspace: dialog.show_table(workspace.scene.placement.table))
        dialog.destroyed.connect(lambda _: page.shown.disconnect(showing))
        dialog.show()

    # -- time -------------------------------------------------------------------------------------------------------------------------

    def toggle_playing(self) -> None:
        """Let the beat run or stand."""
        self._page.play(not self._page.workspace.playing)

    def go_ed(self) -> None:
        """Show end-diastole."""
        self._page.look_at(moment=0, playing=False)

    def go_es(self) -> None:
        """Show end-systole."""
        heart = self._page.workspace.scene.heart
        if heart is not None:
            self._page.look_at(moment=end_systole(heart), playing=False)

    # -- looks ------------------------------------------------------------------------------------------------------------------------

    def look_front(self) -> None:
        """Look from in front."""
        self._page.look_from(presets.side("front"))

    def look_left(self) -> None:
        """Look from the patient's left."""
        self._page.look_from(presets.side("left"))

    def look_right(self) -> None:
        """Look from the patient's right."""
        self._page.look_from(presets.side("right"))

    def look_head(self) -> None:
        """Look from the head."""
        self._page.look_from(presets.side("head"))

    def look_view(self) -> None:
        """Look at the selected view's plane as its picture does."""
        fan = self._page.fan(self._page.workspace.selected)
        if fan is not None:
            self._page.look_from(presets.onto(fan), half_height=120.0)

    def picture_labels(self) -> None:
        """Show the structures in colours."""
        self._page.look_at(picture=Picture.LABELS)

    def picture_binary(self) -> None:
        """Show tissue white on black."""
        self._page.look_at(picture=Picture.BINARY)

    def picture_pseudo(self) -> None:
        """Show the paper's pseudo images."""
        self._page.look_at(picture=Picture.PSEUDO)

    def picture_echo(self) -> None:
        """Show echo pictures."""
        self._page.look_at(picture=Picture.ECHO)

    def picture_cyclegan(self) -> None:
        """Show pseudo images in the trained echo style."""
        self._page.look_at(picture=Picture.CYCLEGAN)

    def next_cut(self) -> None:
        """Cut the scene open along the next plane."""
        clips = list(Clip)
        self._page.look_at(clip=clips[(clips.index(self._page.workspace.clip) + 1) % len(clips)])

    def toggle_skin(self) -> None:
        """Show or hide the skin."""
        from echo3d.core.body import BodyPart

        skin = frozenset({BodyPart.SKIN})
        self._page.dispatch(lambda w: change.with_part(w, skin, BodyPart.SKIN not in w.parts))

    def enlarge_view(self) -> None:
        """Show the selected picture large, or all six."""
        self._page.dispatch(lambda w: replace(w, enlarged=not w.enlarged))


def heart_or_body(path: Path) -> WorkHeart | WorkBody:
    """Return the heart of a file, or its body where it holds no heart.

    Raises
    ------
    InputError
        If it holds neither.
    """
    try:
        return heart_of_file(Source(path))
    except InputError as no_heart:
        if path.suffix.lower() not in READABLE:
            raise
        try:
            return body_of_file(path)
        except InputError as exc:
            if isinstance(no_heart, UnnamedPartsError):
                raise InputError(f"{path.name} is no heart, because its parts have no tags or names, and no body: {exc}") from exc
            raise no_heart from None
