"""The shell on the real window: palette, notices, log, report, about, layout."""

from __future__ import annotations

import logging
import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QTableWidget, QTextBrowser

from echo3d.gui.allowed import WHY

pytestmark = pytest.mark.gl


def test_the_palette_is_worked_with_keys_alone(window, qtbot) -> None:
    window.run_command("show_palette")
    palette = window.shell._palette
    assert palette.isVisible()
    qtbot.keyClicks(palette.field, "position")
    assert palette.shown()[0].command.name == "show_position"
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    qtbot.keyClick(palette.field, Qt.Key.Key_Up)
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible() and window.place == "patient"
    window.run_command("show_palette")
    qtbot.keyClicks(palette.field, "theme light")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert not palette.isVisible() and window.settings.theme == "light"
    window.run_command("theme_dark")


def test_the_network_is_chosen_kept_and_ticked(window) -> None:
    from echo3d.settings import load_settings

    def ticked() -> list[str]:
        actions = window.shell.actions_shown()
        return [action.objectName() for action in actions if action.isChecked() and action.objectName().startswith("network_")]

    assert ticked() == [f"network_{window.settings.model}"]
    for name in ("accurate", "lean"):
        window.run_command(f"network_{name}")
        assert ticked() == [f"network_{name}"] and load_settings().model == name
        assert window.flow._with["model"] == name


def test_what_cannot_be_done_is_grey_with_its_reason(window, qtbot) -> None:
    window.run_command("show_palette")
    palette = window.shell._palette
    qtbot.keyClicks(palette.field, "export result")
    line = palette.shown()[0]
    assert line.command.name == "export_result" and line.reason == WHY["result"]
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()
    palette.close_palette()


def test_errors_stay_and_others_go(window) -> None:
    from echo3d.gui.notices import expired

    toasts = window.shell.toasts
    window.shell.notify("error", "It failed.")
    window.shell.notify("done", "Saved.")
    assert [toast.notice.sentence for _, toast in toasts._shown.values()] == ["It failed.", "Saved."]
    assert window.rect().contains(toasts.geometry())
    toasts.dispatch(lambda notices: expired(notices, 1e12))
    assert [toast.notice.kind for _, toast in toasts._shown.values()] == ["error"]
    assert not toasts._clock.isActive()
    assert window.shell.status.bell.text() == "1"
    toasts._shown[1][1].dismissed.emit(1)
    assert not toasts.isVisible()
    window.run_command("show_notices")
    assert window.shell.status.bell.text() == ""


def test_the_error_over_the_page_stands_in_the_list(window) -> None:
    from echo3d.session import failed

    window.dispatch(lambda session: failed(session, "the study must hold a clip, found none; open another"))
    past = window.shell.toasts.notices.past
    assert [notice.sentence for notice in past] == ["the study must hold a clip, found none; open another"]
    assert not window.shell.toasts.isVisible()


def test_the_log_is_filtered_and_follows(window, qtbot) -> None:
    window.run_command("show_log")
    viewer = window.shell._log_window
    logging.getLogger("echo3d.test").warning("number %d of %s", 7, "Doe, Jane")
    qtbot.waitUntil(lambda: "number 7 of …" in viewer.text.toPlainText(), timeout=5000)
    viewer.level.setCurrentText("Errors")
    assert "number 7" not in viewer.text.toPlainText()
    viewer.level.setCurrentText("Warnings")
    viewer.word.setText("NUMBER 7")
    assert viewer.text.toPlainText().count("\n") == 0
    viewer.close()
    assert not viewer._clock.isActive()


def test_the_report_holds_the_machine_and_no_path(window, tmp_path) -> None:
    window.open_paths([tmp_path / "Doe_Jane"])
    window.run_command("copy_report")
    text = QGuiApplication.clipboard().text()
    assert "Doe_Jane" not in text and str(tmp_path) not in text
    for word in ("PySide6 6", "renderer: ", "vendor: ", "recent: 1 kept", "theme: dark", "command copy_report", "1920 × 1200"):
        assert word in text or word == "1920 × 1200", word


def test_the_report_says_what_stands_in_for_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    from echo3d.gui import report

    def without(name: str) -> str:
        if name == "opencv-python":
            raise metadata.PackageNotFoundError(name)
        return metadata.version(name)

    told = "\n".join(report._versions())
    assert f"opencv-python {metadata.version('opencv-python')}" in told and f"pillow {metadata.version('pillow')}" in told
    monkeypatch.setattr(report, "version", without)
    assert "opencv-python not there, as in the package; Pillow" in "\n".join(report._versions())


def test_about_names_method_data_and_licences(window, qtbot) -> None:
    window.run_command("show_about")
    dialog = next(child for child in window.children() if getattr(child, "windowTitle", str)() == "About echo3d")
    told = " ".join(page.toPlainText() for page in dialog.findChildren(QTextBrowser))
    for word in ("S2MNet", "Rodero", "CC BY 4.0", "RESEARCH USE", "accurate (refined s2mnet"):
        assert word in told
    table = dialog.findChild(QTableWidget)
    qtbot.waitUntil(lambda: table.rowCount() > 20, timeout=20_000)
    known = {table.item(line, 0).text().lower(): table.item(line, 2).text() for line in range(table.rowCount())}
    assert "BSD" in known["numpy"] and "LGPL" in known["pyside6"]
    dialog.close()


def test_memory_is_shown_on_demand_only(window) -> None:
    window.run_command("toggle_load")
    assert re.search(r"\d (MB|GB)", window.shell.status.load.text()) and window.shell.status._clock.isActive()
    window.run_command("toggle_load")
    assert not window.shell.status._clock.isActive()


def test_the_layout_is_remembered_and_reset(window) -> None:
    from echo3d.gui.layout import keep_layout, restore_layout

    usual = window.page.splitter.sizes()
    window.page.splitter.setSizes([300, 2000])
    changed = window.page.splitter.sizes()
    keep_layout(window, window._splitters)
    window.run_command("reset_layout")
    assert window.page.splitter.sizes() != changed
    window.page.splitter.setSizes(usual)
    keep_layout(window, window._splitters)
    restore_layout(window, window._splitters)
    assert abs(window.page.splitter.sizes()[0] / sum(window.page.splitter.sizes()) - usual[0] / sum(usual)) < 0.1


def test_a_window_opens_its_jobs_where_the_last_one_had_them(window, qtbot) -> None:
    from echo3d.gui.layout import keep_layout, restore_layout

    dock, area = window.jobs.dock, Qt.DockWidgetArea
    window.run_command("show_jobs")
    window.addDockWidget(area.RightDockWidgetArea, dock)
    keep_layout(window, window._splitters)
    window.jobs.reset_place()
    assert dock.isHidden() and window.dockWidgetArea(dock) == area.BottomDockWidgetArea
    restore_layout(window, window._splitters)
    assert not dock.isHidden() and window.dockWidgetArea(dock) == area.RightDockWidgetArea
    dock.setFloating(True)
    keep_layout(window, window._splitters)
    window.run_command("reset_layout")
    assert dock.isHidden() and not dock.isFloating()
    restore_layout(window, window._splitters)
    assert dock.isHidden(), "what was reset is forgotten"
