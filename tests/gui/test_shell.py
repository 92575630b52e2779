"""The shell without a window: keys, palette, places on the screen."""

from __future__ import annotations

from PySide6.QtCore import QRect

from echo3d.gui.allowed import NEEDS, WHY, Situation
from echo3d.gui.command_palette import entries
from echo3d.gui.commands import COMMANDS, UNDO
from echo3d.gui.key_sheet import Group, KeySheet, key_groups, shortcut_clashes, wanted, write_pdf
from echo3d.gui.layout import on_screen

ALL = (*COMMANDS, *UNDO)


def test_no_two_commands_share_a_key_in_a_place() -> None:
    assert shortcut_clashes(ALL) == {}


def test_a_shared_key_would_be_found() -> None:
    from dataclasses import replace

    twin = replace(COMMANDS[0], name="twin")
    assert shortcut_clashes((*ALL, twin))


def test_every_need_belongs_to_a_command_and_has_its_reason() -> None:
    assert set(NEEDS) <= {command.name for command in ALL}
    assert {need for needs in NEEDS.values() for need in needs} <= set(WHY)


def test_the_palette_puts_what_can_be_done_first() -> None:
    lines = entries(ALL, "", Situation("patient", frozenset()), recent=("quit",))
    assert lines[0].command.name == "quit"
    able = [not line.reason for line in lines]
    assert able == sorted(able, reverse=True)
    assert {line.command.name for line in lines} == {command.name for command in ALL}


def test_the_sheet_holds_every_key() -> None:
    shown = {title for group in key_groups("patient") for _, title in group.lines}
    assert {command.title.rstrip("…") for command in ALL if command.keys} <= shown
    assert [group.title for group in key_groups("position")][0].endswith("(Position)")


def test_the_sheet_is_searched_and_printed(qtbot, tmp_path) -> None:
    sheet = KeySheet("patient")
    qtbot.addWidget(sheet)
    sheet.field.setText("full screen")
    assert "Full screen" in sheet.text.toPlainText()
    assert "Quit" not in sheet.text.toPlainText()
    out = tmp_path / "keys.pdf"
    write_pdf(sheet.page(), str(out))
    assert out.read_bytes().startswith(b"%PDF") and out.stat().st_size > 1500
    assert wanted((Group("File", (("Q", "Quit"),)),), "zzz") == ()


def test_a_window_that_was_on_a_screen_now_gone_comes_back() -> None:
    screens = [QRect(0, 0, 1280, 800)]
    for lost in (QRect(3000, 100, 1200, 740), QRect(200, -900, 1200, 740), QRect(-1190, 0, 1200, 740), QRect(0, 790, 1200, 740)):
        assert screens[0].contains(on_screen(lost, screens))
    assert on_screen(QRect(40, 30, 1900, 1100), screens).size() == screens[0].size()
