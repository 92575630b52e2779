"""What cannot be used is one sentence with a way out, and nothing that was there is lost."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QFileDialog

from echo3d.core.body import BodyPart, part_surface
from echo3d.gui.dropping import dropped
from echo3d.saved.store import SUFFIX
from tests.disks import disk
from tests.gui.test_position import agree, page, settled  # noqa: F401
from tests.gui.test_window import WAIT

pytestmark = pytest.mark.gl


def said(window, page, qtbot) -> str:  # noqa: F811
    """Return the sentence that is shown; the scene must be as it was, with nothing to undo."""
    qtbot.waitUntil(lambda: bool(window.session.error) and page.workspace.doing == "", timeout=WAIT)
    assert window.header._error_bar.isVisible() and page.undo.count() == 0
    agree(page)
    return window.header._error.text()


@pytest.fixture
def kept(page):  # noqa: F811
    """The scene before; it is the same after the test."""
    before = page.workspace.scene
    yield before
    assert page.workspace.scene is before


def skin(page, path, scale: float):  # noqa: F811
    """Write the skin of the scene's body in some unit."""
    points, faces = part_surface(page.workspace.scene.body.mesh, BodyPart.SKIN)
    pv.PolyData.from_regular_faces(np.asarray(points) * scale, np.asarray(faces)).save(path)
    return path


@pytest.mark.parametrize("scale", [50.0, 1e-6])
def test_a_dropped_body_of_no_known_unit_tells_the_units(page, window, qtbot, tmp_path, kept, scale) -> None:  # noqa: F811
    dropped(window, [skin(page, tmp_path / "person.stl", scale)], QPoint(400, 400))
    sentence = said(window, page, qtbot)
    assert "person.stl is no heart" in sentence and "35 to 230 cm long in m, dm, cm or mm" in sentence and "scale it" in sentence


def test_an_opened_body_of_no_known_unit_tells_the_units(page, window, qtbot, tmp_path, kept) -> None:  # noqa: F811
    window.actions_of_position.open_body_file(skin(page, tmp_path / "person.ply", 50.0))
    assert "m, dm, cm or mm" in said(window, page, qtbot)


def test_a_dropped_body_in_metres_is_used(page, window, qtbot, tmp_path) -> None:  # noqa: F811
    body = page.workspace.scene.body
    dropped(window, [skin(page, tmp_path / "person.stl", 1e-3)], QPoint(400, 400))
    qtbot.waitUntil(lambda: page.workspace.scene.body is not body, timeout=WAIT)
    assert "unit m," in page.workspace.scene.body.facts[0] and not window.session.error


def test_a_mesh_that_is_neither_heart_nor_body_says_so(page, window, qtbot, tmp_path, kept) -> None:  # noqa: F811
    pv.Sphere(radius=50).save(tmp_path / "ball.stl")
    dropped(window, [tmp_path / "ball.stl"], QPoint(400, 400))
    assert "ball.stl is no heart" in said(window, page, qtbot)


@pytest.mark.parametrize("file", [("gone.vtp", None), ("empty.stl", b""), ("junk.vtp", b"no mesh" * 50), ("bad.json", b"{}")])
def test_a_missing_or_damaged_heart_is_a_sentence(page, window, qtbot, tmp_path, kept, file) -> None:  # noqa: F811
    name, content = file
    if content is not None:
        (tmp_path / name).write_bytes(content)
    window.actions_of_position.open_heart_file(tmp_path / name)
    assert any(way in said(window, page, qtbot) for way in ("choose another", "use a smaller mesh", "export it again", "write it with"))


def test_a_missing_cohort_is_a_sentence(page, window, qtbot, tmp_path, kept, monkeypatch) -> None:  # noqa: F811
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "study-hearts"))
    window.run_command("open_cohort")
    sentence = said(window, page, qtbot)
    assert "no folder study-hearts" in sentence and "choose it where it is now" in sentence and str(tmp_path) not in sentence


def test_a_member_of_a_cohort_that_is_gone_is_a_sentence(page, window, qtbot, tmp_path, kept) -> None:  # noqa: F811
    window.actions_of_position.use_member(tmp_path / "study-hearts", 3)
    assert "no folder study-hearts" in said(window, page, qtbot)
    assert str(tmp_path / "study-hearts") not in [path for _, path in window.actions_of_position.recents.known_hearts()]


def test_a_data_set_of_a_cohort_that_is_gone_is_refused_before_the_start(page, window, qtbot, tmp_path, kept) -> None:  # noqa: F811
    window.run_command("generate_dataset")
    dialog = window.actions_of_position.dataset.dialog
    dialog.change(given=True, hearts=(str(tmp_path / "study-hearts"),), size="16", count="1", out=str(tmp_path / "set"))
    qtbot.waitUntil(lambda: "study-hearts" in dialog.estimate.text(), timeout=WAIT)
    assert not dialog.start.isEnabled() and not (tmp_path / "set").exists()
    dialog.close()


def test_a_session_onto_a_full_disk_keeps_the_one_that_was_there(page, window, qtbot, tmp_path) -> None:  # noqa: F811
    with disk(tmp_path / "small", "32k") as small:
        path = small / f"mine{SUFFIX}"
        window.desk.save_to(path)
        qtbot.waitUntil(lambda: window.desk.path == path, timeout=WAIT)
        before = path.read_bytes()
        with (small / "filler").open("wb", buffering=0) as stream, pytest.raises(OSError, match="space"):
            while True:
                stream.write(bytes(512))
        window.run_command("mirror_pose")
        window.desk.save_to(path)
        qtbot.waitUntil(lambda: any(n.kind == "error" for n in window.shell.toasts.notices.past), timeout=WAIT)
        sentence = next(n.sentence for n in window.shell.toasts.notices.past if n.kind == "error")
        assert "space" in sentence or "full" in sentence, sentence
        assert path.read_bytes() == before and window.desk.modified
