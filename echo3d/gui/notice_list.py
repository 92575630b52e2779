"""The list of what the program has said."""

from __future__ import annotations

import time
from html import escape

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QTextBrowser, QWidget

from echo3d.gui import notices as change
from echo3d.gui import theme
from echo3d.gui.dialogs import plain_dialog, press
from echo3d.gui.notices import Notice, Notices
from echo3d.gui.toasts import Toasts
from echo3d.gui.widgets import column, label, row

_TINTS = {"info": "accent", "done": "ed", "warning": "warn", "error": "error"}


def show_notices(parent: QWidget, toasts: Toasts) -> QDialog:
    """Open the list; it follows what is said while it is open."""
    dialog = plain_dialog(parent, "Notifications")
    text = QTextBrowser()
    text.setMinimumSize(560, 320)
    text.setAccessibleName("Notifications")

    def show(notices: Notices) -> None:
        text.setHtml(as_html(notices))
        text.verticalScrollBar().setValue(text.verticalScrollBar().maximum())

    following = toasts.changed.connect(show)
    dialog.finished.connect(lambda _: toasts.changed.disconnect(following))
    copy = press("Copy all", lambda: QGuiApplication.clipboard().setText(as_text(toasts.notices)))
    clear = press("Clear", lambda: toasts.dispatch(change.cleared))
    line = row(label("The newest is at the end.", "muted"), 1, copy, clear, press("Close", dialog.accept))
    dialog.setLayout(column(text, line, margins=(16, 16, 16, 16), spacing=12))
    show(toasts.notices)
    toasts.dispatch(change.looked_through)
    dialog.open()
    return dialog


def as_text(notices: Notices) -> str:
    """Return the list as lines.

    >>> as_text(change.said(Notices(), "done", "Saved.", 0.0)).split("  ")[1:]
    ['done', 'Saved.']
    """
    return "\n".join("  ".join((_clock(notice), notice.kind, notice.sentence + _again(notice))) for notice in notices.past)


def as_html(notices: Notices) -> str:
    """Return the list in the theme's colours."""
    if not notices.past:
        return f'<p style="color: {theme.MUTED}">Nothing was said yet.</p>'
    lines = [
        f'<tr><td style="color: {theme.FAINT}; padding: 3px 14px 3px 0">{_clock(notice)}</td>'
        f'<td style="color: {getattr(theme.tokens(), _TINTS[notice.kind])}; padding: 3px 14px 3px 0">{notice.kind}</td>'
        f'<td style="padding: 3px 0">{escape(notice.sentence + _again(notice))}</td></tr>'
        for notice in notices.past
    ]
    return f"<table>{''.join(lines)}</table>"


def _clock(notice: Notice) -> str:
    return time.strftime("%H:%M:%S", time.localtime(notice.at))


def _again(notice: Notice) -> str:
    return f"  (×{notice.count})" if notice.count > 1 else ""
