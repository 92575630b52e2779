"""Colours, type and style sheet of the window: one dark theme, made for reading grey pictures."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

BASE = "#0b0e13"
SURFACE = "#11151c"
RAISED = "#191f29"
HOVER = "#222a36"
BORDER = "#262e3a"
TEXT = "#e8ecf2"
MUTED = "#93a0b3"
FAINT = "#5d6878"
ACCENT = "#4ea8ff"
ED = "#3fd6b2"
ES = "#ffb057"
WARN = "#f2b544"
ERROR = "#ff7070"

FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "DejaVu Sans"]

STYLE = f"""
* {{ font-size: 12px; }}
QMainWindow, QDialog {{ background: {BASE}; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {BORDER}; padding: 4px 6px; }}
QMenuBar {{ background: {BASE}; color: {MUTED}; padding: 2px 6px; }}
QMenuBar::item {{ padding: 4px 9px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {HOVER}; color: {TEXT}; }}
QMenu {{ background: {RAISED}; color: {TEXT}; border: 1px solid {BORDER}; padding: 5px; }}
QMenu::item {{ padding: 6px 28px 6px 24px; border-radius: 4px; }}
QMenu::item:selected {{ background: {HOVER}; }}
QMenu::item:disabled {{ color: {FAINT}; }}
QMenu::separator {{ height: 1px; background: {BORDER}; margin: 5px 6px; }}
QMenu::indicator {{ left: 6px; width: 13px; height: 13px; }}
QFrame#card {{ background: {SURFACE}; border: 1px solid {BORDER}; border-radius: 8px; }}
QFrame#header {{ background: {SURFACE}; border-top: 1px solid {BORDER}; border-bottom: 1px solid {BORDER}; }}
QFrame#error {{ background: #331a1d; border-bottom: 1px solid #6b2e33; }}
QFrame#rule {{ background: {BORDER}; }}
QLabel {{ color: {TEXT}; background: transparent; }}
QLabel#muted {{ color: {MUTED}; }}
QLabel#faint {{ color: {FAINT}; font-size: 11px; }}
QLabel#section {{ color: {MUTED}; font-size: 11px; font-weight: 600; letter-spacing: 0.6px; }}
QLabel#title {{ font-size: 14px; font-weight: 600; }}
QLabel#pill {{ color: {WARN}; border: 1px solid #6a5424; background: #2a2314; border-radius: 10px; padding: 2px 10px; font-size: 11px;
    font-weight: 600; letter-spacing: 0.4px; }}
QToolButton, QPushButton {{ color: {TEXT}; background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 5px 8px; }}
QPushButton {{ background: {RAISED}; border-color: {BORDER}; padding: 6px 12px; }}
QToolButton:hover, QPushButton:hover {{ background: {HOVER}; }}
QToolButton:pressed, QPushButton:pressed {{ background: {BORDER}; }}
QToolButton:checked {{ background: #1d3350; border-color: #2d5a8c; color: #cfe5ff; }}
QToolButton:disabled, QPushButton:disabled {{ color: {FAINT}; }}
QToolButton#small {{ background: {RAISED}; border-color: {BORDER}; padding: 4px 8px; }}
QToolButton#small:hover {{ background: {HOVER}; }}
QDoubleSpinBox, QSpinBox, QComboBox, QLineEdit {{ background: {BASE}; border: 1px solid {BORDER}; border-radius: 5px; padding: 3px 6px;
    min-height: 16px;
    selection-background-color: #1f6fc4; }}
QDoubleSpinBox:focus, QSpinBox:focus, QComboBox:focus {{ border-color: {ACCENT}; }}
QDoubleSpinBox:disabled, QSpinBox:disabled, QComboBox:disabled {{ color: {FAINT}; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; border: none; }}
QComboBox::drop-down {{ border: none; width: 16px; }}
QComboBox QAbstractItemView {{ background: {RAISED}; border: 1px solid {BORDER}; selection-background-color: {HOVER}; outline: none; }}
QCheckBox {{ spacing: 6px; background: transparent; }}
QCheckBox:disabled {{ color: {FAINT}; }}
QCheckBox::indicator {{ width: 12px; height: 12px; border: 1px solid {FAINT}; border-radius: 3px; background: {BASE}; }}
QCheckBox::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT}; }}
QTabWidget::pane {{ background: {SURFACE}; border: 1px solid {BORDER}; border-radius: 8px; top: -1px; }}
QTabBar::tab {{ background: transparent; color: {MUTED}; padding: 6px 14px; border: none; font-weight: 600; }}
QTabBar::tab:selected {{ color: {TEXT}; border-bottom: 2px solid {ACCENT}; }}
QTabBar::tab:hover {{ color: {TEXT}; }}
QToolButton::menu-indicator {{ image: none; }}
QToolButton#primary, QPushButton#primary {{ background: #1f6fc4; border-color: #2f83dc; font-weight: 600; padding: 6px 12px; }}
QToolButton#primary:hover, QPushButton#primary:hover {{ background: #2a7fd8; }}
QToolButton#ed {{ color: {ED}; border-color: #24584d; }}
QToolButton#es {{ color: {ES}; border-color: #5e4727; }}
QToolButton#ed:disabled, QToolButton#es:disabled {{ color: {FAINT}; border-color: {BORDER}; }}
QSlider::groove:horizontal {{ height: 4px; background: {BORDER}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {ACCENT}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 12px; height: 12px; margin: -4px 0; border-radius: 6px; background: {TEXT}; }}
QSlider::sub-page:horizontal:disabled {{ background: {BORDER}; }}
QSlider::handle:horizontal:disabled {{ background: {FAINT}; }}
QProgressBar {{ background: {BASE}; border: none; max-height: 3px; min-height: 3px; }}
QProgressBar::chunk {{ background: {ACCENT}; }}
QTreeWidget, QPlainTextEdit, QTableWidget {{ background: {SURFACE}; border: 1px solid {BORDER}; border-radius: 6px; outline: none; }}
QTreeWidget {{ border: none; border-left: 1px solid {BORDER}; border-radius: 0; padding: 6px 4px; }}
QTreeWidget::indicator, QMenu::indicator {{ width: 11px; height: 11px; border: 1px solid {FAINT}; border-radius: 3px; background: {BASE}; }}
QTreeWidget::indicator:checked, QMenu::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT}; }}
QTreeWidget::indicator:indeterminate {{ background: #2d5a8c; border-color: #2d5a8c; }}
QTreeWidget::item {{ padding: 3px 2px; border: none; }}
QTreeWidget::item:hover {{ background: {HOVER}; }}
QTreeWidget::item:selected {{ background: {HOVER}; color: {TEXT}; }}
QHeaderView::section {{ background: {SURFACE}; color: {MUTED}; border: none; padding: 4px 8px; }}
QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {BORDER}; border-radius: 4px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QSplitter::handle {{ background: transparent; }}
QSplitter::handle:hover {{ background: {HOVER}; }}
"""


def apply_theme(app: QApplication) -> None:
    """Give the application the Fusion style, the dark palette and the style sheet."""
    app.setStyle("Fusion")
    app.styleHints().setColorScheme(Qt.ColorScheme.Dark)
    app.setPalette(palette())
    font = QFont()
    font.setFamilies(FAMILIES)
    font.setPixelSize(12)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    app.setFont(font)
    app.setStyleSheet(STYLE)


def palette() -> QPalette:
    """Return the dark palette."""
    roles = QPalette.ColorRole
    table = {
        roles.Window: BASE,
        roles.WindowText: TEXT,
        roles.Base: SURFACE,
        roles.AlternateBase: RAISED,
        roles.Text: TEXT,
        roles.Button: RAISED,
        roles.ButtonText: TEXT,
        roles.Highlight: "#1f6fc4",
        roles.HighlightedText: "#ffffff",
        roles.ToolTipBase: RAISED,
        roles.ToolTipText: TEXT,
        roles.PlaceholderText: FAINT,
        roles.Link: ACCENT,
    }
    dark = QPalette()
    for role, colour in table.items():
        dark.setColor(role, QColor(colour))
    for role in (roles.Text, roles.WindowText, roles.ButtonText):
        dark.setColor(QPalette.ColorGroup.Disabled, role, QColor(FAINT))
    return dark


def sized(pixels: int, *, bold: bool = False) -> QFont:
    """Return the window's font at a size in pixels."""
    font = QFont()
    font.setFamilies(FAMILIES)
    font.setPixelSize(pixels)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    return font
