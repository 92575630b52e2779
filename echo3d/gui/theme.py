"""Colours and type of the window: a dark, a light and the system's theme, switched while the window is open.

What paints by hand asks for a colour when it paints (``theme.TEXT``, ``theme.view_tint(view)``) and so follows a switch by itself; what
keeps a colour (a plot, the 3D scene) takes it again on ``StyleChange``, which Qt sends to every widget with a new style sheet.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from echo3d.gui.style_sheet import style_sheet
from echo3d.gui.tokens import DARK, SCHEMES, Tokens

CHOICES = ("dark", "light", "system")
FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "DejaVu Sans"]
_PROPERTY = "echo3d_scheme"
_ASKED = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light, "system": Qt.ColorScheme.Unknown}


def tokens() -> Tokens:
    """Return the colours of the theme that is shown; the dark ones where there is no application."""
    app = QCoreApplication.instance()
    return DARK if app is None else SCHEMES.get(app.property(_PROPERTY), DARK)


def __getattr__(name: str) -> str:
    """Return a colour of the theme that is shown: ``theme.TEXT`` is ``tokens().text``."""
    if name.isupper() and name.lower() in Tokens.__slots__ and name != "VIEWS":
        return str(getattr(tokens(), name.lower()))
    raise AttributeError(f"the theme has no colour {name}")


def view_tint(view: int) -> QColor:
    """Return the colour of one of the six views, in the scene and on its picture."""
    return QColor(tokens().views[view])


def scheme_of(choice: str, system: Qt.ColorScheme) -> str:
    """Return whether a choice means dark or light; where the system does not say, dark, made for reading grey pictures.

    >>> scheme_of("light", Qt.ColorScheme.Dark), scheme_of("system", Qt.ColorScheme.Light), scheme_of("system", Qt.ColorScheme.Unknown)
    ('light', 'light', 'dark')
    """
    if choice in SCHEMES:
        return choice
    return "light" if system is Qt.ColorScheme.Light else "dark"


def apply_theme(app: QApplication, choice: str = "dark", system: Qt.ColorScheme | None = None) -> str:
    """Give the application a theme; return whether it is dark or light.

    Parameters
    ----------
    app : the application
    choice : one of ``CHOICES``
    system : what the system prefers; asked for where not given
    """
    hints = QGuiApplication.styleHints()
    hints.setColorScheme(_ASKED[choice])
    scheme = scheme_of(choice, hints.colorScheme() if system is None else system)
    if app.property(_PROPERTY) == scheme:
        return scheme
    app.setProperty(_PROPERTY, scheme)
    app.setStyle("Fusion")
    app.setPalette(palette(SCHEMES[scheme]))
    app.setFont(sized(12))
    app.setStyleSheet(style_sheet(SCHEMES[scheme]))
    return scheme


def palette(shown: Tokens) -> QPalette:
    """Return the palette of a theme."""
    roles = QPalette.ColorRole
    table = {
        roles.Window: shown.base,
        roles.WindowText: shown.text,
        roles.Base: shown.surface,
        roles.AlternateBase: shown.raised,
        roles.Text: shown.text,
        roles.Button: shown.raised,
        roles.ButtonText: shown.text,
        roles.BrightText: shown.on_primary,
        roles.Highlight: shown.primary,
        roles.HighlightedText: shown.on_primary,
        roles.ToolTipBase: shown.raised,
        roles.ToolTipText: shown.text,
        roles.PlaceholderText: shown.faint,
        roles.Link: shown.accent,
        roles.LinkVisited: shown.accent,
    }
    made = QPalette()
    for role, colour in table.items():
        made.setColor(role, QColor(colour))
    for role in (roles.Text, roles.WindowText, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(shown.disabled))
    return made


def sized(pixels: int, *, bold: bool = False) -> QFont:
    """Return the window's font at a size in pixels."""
    font = QFont()
    font.setFamilies(FAMILIES)
    font.setPixelSize(pixels)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    return font
