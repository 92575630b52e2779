"""The sheet of keyboard shortcuts, made from the table of commands: grouped, searched by typing, printed."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from PySide6.QtGui import QKeySequence, QTextDocument
from PySide6.QtWidgets import QDialog, QFileDialog, QLineEdit, QTextBrowser, QWidget

from echo3d.gui.commands import COMMANDS, PLACES, UNDO, Command
from echo3d.gui.dialogs import plain_dialog, press
from echo3d.gui.fuzzy import find
from echo3d.gui.position.nudge import SHEET
from echo3d.gui.theme import tokens
from echo3d.gui.tokens import LIGHT, Tokens
from echo3d.gui.widgets import column, row

_COLUMNS = 2


@dataclass(frozen=True, slots=True)
class Group:
    """Keys that belong together.

    Parameters
    ----------
    title : of the group
    lines : (keys, what they do)
    """

    title: str
    lines: tuple[tuple[str, str], ...]


def key_groups(place: str) -> tuple[Group, ...]:
    """Return all keys, those of a workspace first, then those of every place, then those of the others."""
    order = [place, "", *(other for other in PLACES if other != place)]
    groups = []
    for owner in order:
        owned = [command for command in (*UNDO, *COMMANDS) if command.place == owner and command.keys]
        where = f" ({owner.capitalize()})" if owner else ""
        for menu in dict.fromkeys(command.menu for command in owned):
            lines = tuple((native(command.keys), command.title.rstrip("…")) for command in owned if command.menu == menu)
            groups.append(Group(menu + where, lines))
        if owner == "position":
            groups.append(Group("Moving the heart (Position)", SHEET))
    return tuple(groups)


def wanted(groups: tuple[Group, ...], word: str) -> tuple[Group, ...]:
    """Return the groups with only the lines that answer to what is looked for, by key or by title.

    >>> groups = (Group("File", (("Ctrl+Q", "Quit"), ("Ctrl+O", "Open files"))),)
    >>> wanted(groups, "quit"), wanted(groups, "ctrl+o")[0].lines
    ((Group(title='File', lines=(('Ctrl+Q', 'Quit'),)),), (('Ctrl+O', 'Open files'),))
    """
    if not word.strip():
        return groups
    kept = (Group(group.title, tuple(line for line in group.lines if _answers(word, line))) for group in groups)
    return tuple(group for group in kept if group.lines)


def _answers(word: str, line: tuple[str, str]) -> bool:
    return word.strip().lower() in line[0].lower() or find(word, line[1]) is not None


def sheet_html(groups: tuple[Group, ...], shown: Tokens) -> str:
    """Return the sheet as a page, in balanced columns."""
    if not groups:
        return f'<p style="color: {shown.muted}">No key does that. The command palette (Ctrl+K) knows every command.</p>'
    cells = "".join(
        f'<td width="50%" style="padding-right: 18px" valign="top">{"".join(_group_html(group, shown) for group in part)}</td>'
        for part in balanced(groups)
    )
    return f'<table width="100%" cellspacing="0"><tr>{cells}</tr></table>'


def balanced(groups: tuple[Group, ...]) -> list[list[Group]]:
    """Return the groups in columns of about the same height, in their order."""
    heights = [len(group.lines) + 2 for group in groups]
    half, columns, used = sum(heights) / _COLUMNS, [[] for _ in range(_COLUMNS)], 0.0  # type: tuple[float, list[list[Group]], float]
    for group, height in zip(groups, heights, strict=True):
        columns[min(int((used + height / 2) / half), _COLUMNS - 1)].append(group)
        used += height
    return columns


def _group_html(group: Group, shown: Tokens) -> str:
    lines = "".join(
        f'<tr><td style="color: {shown.accent}; padding: 2px 16px 2px 0; white-space: nowrap"><b>{escape(keys)}</b></td>'
        f'<td style="color: {shown.text}; padding: 2px 0">{escape(title)}</td></tr>'
        for keys, title in group.lines
    )
    head = f'<p style="color: {shown.muted}; margin: 10px 0 4px 0"><b>{escape(group.title)}</b></p>'
    return f"{head}<table cellspacing='0'>{lines}</table>"


def native(keys: tuple[str, ...]) -> str:
    """Return shortcuts as this machine writes them."""
    return " or ".join(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in keys)


def shortcut_clashes(commands: tuple[Command, ...]) -> dict[tuple[str, str], list[str]]:
    """Return per workspace and key the commands that share it, where more than one does."""
    held: dict[tuple[str, str], list[str]] = {}
    for place in PLACES:
        for command in commands:
            for key in command.keys if command.place in ("", place) else ():
                held.setdefault((place, QKeySequence(key).toString()), []).append(command.name)
    return {where: names for where, names in held.items() if len(names) > 1}


class KeySheet(QWidget):
    """Shows the sheet under a field that searches it.

    Parameters
    ----------
    place : the workspace that is shown
    """

    def __init__(self, place: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._groups = key_groups(place)
        self.field, self.text = QLineEdit(), QTextBrowser()
        self.field.setObjectName("search")
        self.field.setPlaceholderText("Search keys and commands")
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(lambda _: self.show_sheet())
        self.text.setAccessibleName("Keyboard shortcuts")
        self.text.document().setDocumentMargin(12)
        self.setLayout(column(self.field, self.text, spacing=10))
        self.setFocusProxy(self.field)
        self.show_sheet()

    def show_sheet(self) -> None:
        """Show what is looked for."""
        self.text.setHtml(sheet_html(wanted(self._groups, self.field.text()), tokens()))

    def page(self) -> QTextDocument:
        """Return what is shown as a page to be printed, black on white."""
        made = QTextDocument()
        groups = wanted(self._groups, self.field.text())
        made.setHtml(f"<h2>echo3d: keyboard shortcuts</h2>{sheet_html(groups, LIGHT)}")
        return made


def show_keys(parent: QWidget, place: str) -> QDialog:
    """Open the sheet for a workspace."""
    dialog = plain_dialog(parent, "Keyboard shortcuts")
    sheet = KeySheet(place)
    print_ = press("Print…", lambda: print_sheet(dialog, sheet.page()))
    save = press("Save as PDF…", lambda: save_sheet(dialog, sheet.page()))
    layout = column(sheet, row(1, save, print_, press("Close", dialog.accept)), margins=(18, 16, 18, 16), spacing=12)
    layout.setStretch(0, 1)
    dialog.setLayout(layout)
    dialog.resize(860, 640)
    dialog.open()
    sheet.field.setFocus()
    return dialog


def print_sheet(parent: QWidget, page: QTextDocument) -> None:
    """Ask for a printer and print the sheet."""
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter

    printer = QPrinter()
    if QPrintDialog(printer, parent).exec():
        page.print_(printer)


def save_sheet(parent: QWidget, page: QTextDocument) -> None:
    """Ask for a file and write the sheet into it."""
    name, _ = QFileDialog.getSaveFileName(parent, "Save the sheet", "echo3d-keys.pdf", "PDF (*.pdf)")
    if name:
        write_pdf(page, name)


def write_pdf(page: QTextDocument, name: str) -> None:
    """Write a page as PDF."""
    from PySide6.QtGui import QPageSize, QPdfWriter

    writer = QPdfWriter(name)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setTitle("echo3d: keyboard shortcuts")
    page.print_(writer)
