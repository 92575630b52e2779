"""The page on the program: what it is, whom to cite, whose data and libraries it rests on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHeaderView, QTableWidget, QTableWidgetItem, QTabWidget, QTextBrowser, QWidget

import echo3d
from echo3d.errors import InputError
from echo3d.gui.dialogs import plain_dialog, press
from echo3d.gui.header import NOTICE
from echo3d.gui.licences import Licence, licences
from echo3d.gui.tasks import Tasks
from echo3d.gui.widgets import Sign, column, label, row
from echo3d.paths import resource

METHOD = (
    "Xilin Gong, Yongkai Chen, Shushan Wu, Fang Wang, Ping Ma, Wenxuan Zhong: S2MNet: Speckle-To-Mesh Net for Three-Dimensional Cardiac "
    "Morphology Reconstruction via Echocardiogram."
)
COHORT = (
    "C. Rodero, M. Strocchi, M. Marciniak, S. Longobardi, J. Whitaker, M. D. O'Neill, K. Gillette, C. Augustin, G. Plank, E. J. Vigmond, "
    "P. Lamata, S. A. Niederer: Linking statistical shape models and simulated function in the healthy adult human heart. "
    "PLoS Computational Biology 17(4), 2021, e1008851. CC BY 4.0."
)
RESOURCES = (
    "The template heart is a new mesh of the mean heart of the shape model of that cohort; its modes come from ten of its hearts.",
    "The demo patient was made by echo3d simulate; it shows no real person.",
    "One number of the body's landmarks was measured on public bodies: the Visible Human male of the CCF 3D Reference Object Library "
    "(HuBMAP, CC BY 4.0), the MakeHuman base mesh (CC0), the average bodies of SMPL and SMPL-X in odedstein/meshes (CC BY 4.0).",
    "The authors of the data endorse neither echo3d nor what it computes.",
)
OWN = f"echo3d {echo3d.__version__}. Software, Apache-2.0."


def show_about(parent: QWidget, tasks: Tasks) -> QDialog:
    """Open the page; the licences are read on a thread."""
    dialog = plain_dialog(parent, "About echo3d")
    tabs = QTabWidget()
    tabs.addTab(_page(_about()), "About")
    tabs.addTab(_page(_citations()), "Citations and credits")
    table = _table()
    tabs.addTab(table, "Licences")
    open_ = [True]
    dialog.finished.connect(lambda _: open_.clear())
    tasks.run(licences, lambda found: fill(table, found) if open_ else None, lambda _: None)
    copy = press("Copy citations", lambda: QGuiApplication.clipboard().setText("\n".join((METHOD, COHORT, OWN))))
    head = row(Sign("heart", "brand", 34), label(f"echo3d {echo3d.__version__}", "brand"), 1, label(NOTICE, "pill"), spacing=12)
    foot = row(1, copy, press("Close", dialog.accept))
    layout = column(head, tabs, foot, margins=(20, 18, 20, 16), spacing=12)
    layout.setStretch(1, 1)
    dialog.setLayout(layout)
    dialog.resize(660, 500)
    dialog.open()
    return dialog


def _about() -> str:
    return (
        "<p>From the 2D views of an echo study to a beating 3D four-chamber heart; and from a heart in a body to the six views.</p>"
        f"<p><b>{NOTICE}.</b> Not a medical device: what it shows is not to be used for diagnosis or treatment. "
        "Every screen, report and export says so.</p>"
        "<p>Licence of echo3d: Apache-2.0. The libraries keep their own licences; Qt for Python is used unmodified under the LGPL-3.0 "
        "as shared libraries.</p>"
        "<p>Nothing leaves this computer: echo3d opens no connection, and its log holds no names, identifiers or paths.</p>"
    )


def _citations() -> str:
    return (
        f"<p><b>Method</b><br>{escape(METHOD)}</p><p><b>Hearts</b><br>{escape(COHORT)}</p>"
        f"<p><b>Weights</b></p>{_items(weight_credits())}<p><b>Resources</b></p>{_items(RESOURCES)}"
        f"<p><b>This program</b><br>{escape(OWN)}</p>"
    )


def _items(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def weight_credits() -> tuple[str, ...]:
    """Return for each shipped set of weights whose data it was trained on, from its card."""
    try:
        cards = sorted(resource("weights").glob("*.json"))
    except InputError:
        return ("no weights are installed",)
    told = []
    for path in cards:
        try:
            card = json.loads(path.read_text(encoding="utf-8"))
            told.append(f"{card['name']} ({card['kind']}, {card['trained'].get('date', 'no date')}): {'; '.join(card['data_credits'])}")
        except (OSError, ValueError, KeyError, TypeError):
            told.append(f"{path.stem}: its card cannot be read; install echo3d again")
    return tuple(told)


def _page(html: str) -> QTextBrowser:
    made = QTextBrowser()
    made.setHtml(html)
    made.document().setDocumentMargin(14)
    made.setFrameShape(QTextBrowser.Shape.NoFrame)
    return made


def _table() -> QTableWidget:
    made = QTableWidget(0, 3)
    made.setHorizontalHeaderLabels(["Library", "Version", "Licence"])
    made.verticalHeader().hide()
    made.setShowGrid(False)
    made.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    made.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    made.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
    made.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
    return made


def fill(table: QTableWidget, found: tuple[Licence, ...]) -> None:
    """Show the libraries."""
    table.setRowCount(len(found))
    for line, one in enumerate(found):
        for place, text in enumerate((one.name, one.version, one.licence)):
            table.setItem(line, place, QTableWidgetItem(text))
    table.resizeColumnsToContents()
    table.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
