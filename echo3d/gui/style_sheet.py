"""The style sheet of the window, made from a theme's colours; no Qt."""

from __future__ import annotations

from dataclasses import asdict
from string import Template

from echo3d.gui.tokens import SCHEMES, Tokens
from echo3d.paths import resource

_SHEET = Template("""
* { font-size: 12px; }
QMainWindow, QDialog { background: $base; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 4px 6px; }
QMenuBar { background: $base; color: $muted; padding: 2px 6px; }
QMenuBar::item { padding: 4px 9px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: $hover; color: $text; }
QMenu { background: $raised; color: $text; border: 1px solid $border; padding: 5px; }
QMenu::item { padding: 6px 28px 6px 24px; border-radius: 4px; }
QMenu::item:selected { background: $hover; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $border; margin: 5px 6px; }
QMenu::indicator { left: 6px; width: 13px; height: 13px; }
QFrame#card { background: $surface; border: 1px solid $border; border-radius: 8px; }
QFrame#header { background: $surface; border-top: 1px solid $border; border-bottom: 1px solid $border; }
QFrame#error { background: $error_ground; border-bottom: 1px solid $error_edge; }
QFrame#rule { background: $border; }
QFrame#toast { background: $raised; border: 1px solid $border; border-radius: 8px; }
QFrame#toast_error { background: $error_ground; border: 1px solid $error_edge; border-radius: 8px; }
QFrame#toast_warning { background: $warn_ground; border: 1px solid $warn_edge; border-radius: 8px; }
QFrame#sheet { background: $raised; border: 1px solid $border; border-radius: 10px; }
QLabel { color: $text; background: transparent; }
QLabel#muted { color: $muted; }
QLabel#problem { color: $error; }
QLabel#faint { color: $faint; font-size: 11px; }
QLabel#section { color: $muted; font-size: 11px; font-weight: 600; letter-spacing: 0.6px; }
QLabel#title { font-size: 14px; font-weight: 600; }
QLabel#brand { font-size: 16px; font-weight: 700; }
QLabel#figure { font-size: 24px; font-weight: 600; }
QLabel#figure_large { font-size: 34px; font-weight: 600; }
QLabel#head, QLabel#head_ed, QLabel#head_es { color: $muted; font-size: 11px; font-weight: 600; }
QLabel#head_ed { color: $ed; }
QLabel#head_es { color: $es; }
QLabel#pill { color: $warn; border: 1px solid $warn_edge; background: $warn_ground; border-radius: 10px; padding: 2px 10px; font-size: 11px;
    font-weight: 600; letter-spacing: 0.4px; }
QToolButton, QPushButton { color: $text; background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 5px 8px; }
QPushButton { background: $raised; border-color: $border; padding: 6px 12px; }
QPushButton:focus { border-color: $accent; }
QToolButton:hover, QPushButton:hover { background: $hover; }
QToolButton:pressed, QPushButton:pressed { background: $border; }
QToolButton:checked { background: $chosen; border-color: $chosen_edge; color: $chosen_text; }
QToolButton:disabled, QPushButton:disabled { color: $disabled; }
QToolButton#small { background: $raised; border-color: $border; padding: 4px 8px; }
QToolButton#small:hover { background: $hover; }
QToolButton#fold { color: $muted; border: none; padding: 4px 2px; font-weight: 600; }
QToolButton#fold:checked { background: transparent; color: $text; }
QToolButton#link { color: $accent; border: none; padding: 0 2px; font-size: 11px; }
QToolButton#link:disabled { color: $faint; }
QToolButton#status { color: $muted; padding: 2px 7px; border-radius: 4px; }
QDoubleSpinBox, QSpinBox, QComboBox, QLineEdit { background: $base; color: $text; border: 1px solid $border; border-radius: 5px;
    padding: 3px 6px; min-height: 16px; selection-background-color: $primary; selection-color: $on_primary; }
QDoubleSpinBox:focus, QSpinBox:focus, QComboBox:focus, QLineEdit:focus { border-color: $accent; }
QDoubleSpinBox:disabled, QSpinBox:disabled, QComboBox:disabled, QLineEdit:disabled { color: $disabled; }
QRadioButton::indicator { width: 11px; height: 11px; border: 1px solid $faint; border-radius: 6px; }
QRadioButton::indicator:checked { background: $accent; border-color: $accent; }
QListWidget#recent { background: transparent; font-size: 10px; color: $muted; }
QLineEdit#search { font-size: 14px; padding: 7px 10px; border-radius: 7px; background: $surface; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }
QComboBox::drop-down { border: none; width: 20px; }
QComboBox::down-arrow { image: url("$icons/chevron.svg"); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $raised; color: $text; border: 1px solid $border; selection-background-color: $hover;
    selection-color: $text; outline: none; }
QCheckBox { spacing: 6px; background: transparent; }
QCheckBox:disabled { color: $disabled; }
QCheckBox::indicator { width: 12px; height: 12px; border: 1px solid $faint; border-radius: 3px; background: $base; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$icons/tick.svg"); }
QCheckBox::indicator:disabled { border-color: $border; }
QCheckBox::indicator:checked:disabled { background: $disabled; border-color: $disabled; }
QTabWidget::pane { background: $surface; border: 1px solid $border; border-radius: 8px; top: -1px; }
QTabBar::tab { background: transparent; color: $muted; padding: 6px 14px; border: none; font-weight: 600; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $accent; }
QTabBar::tab:hover { color: $text; }
QToolButton::menu-indicator { image: url("$icons/chevron.svg"); subcontrol-origin: padding; subcontrol-position: right center;
    right: 5px; width: 12px; height: 12px; }
QToolButton[popupMode="2"], QToolButton#small[popupMode="2"] { padding-right: 20px; }
QToolButton#primary::menu-indicator { image: url("$icons/chevron_on.svg"); }
QToolButton#primary, QPushButton#primary { background: $primary; border-color: $primary_edge; color: $on_primary; font-weight: 600;
    padding: 6px 12px; }
QToolButton#primary:hover, QPushButton#primary:hover { background: $primary_hover; }
QToolButton#primary:disabled, QPushButton#primary:disabled { background: $raised; border-color: $border; color: $disabled; }
QToolButton#ed { color: $ed; border-color: $ed_edge; }
QToolButton#es { color: $es; border-color: $es_edge; }
QToolButton#ed:disabled, QToolButton#es:disabled { color: $disabled; border-color: $border; }
QSlider::groove:horizontal { height: 4px; background: $border; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { width: 10px; height: 10px; margin: -4px 0; border-radius: 6px; background: $knob; border: 1px solid $faint; }
QSlider::sub-page:horizontal:disabled { background: $border; }
QSlider::handle:horizontal:disabled { background: $disabled; border-color: $disabled; }
QProgressBar { background: $base; border: none; max-height: 3px; min-height: 3px; }
QProgressBar::chunk { background: $accent; }
QStatusBar { background: $surface; color: $muted; border-top: 1px solid $border; }
QStatusBar::item { border: none; }
QTreeWidget, QPlainTextEdit, QTextBrowser, QTableWidget, QListView { background: $surface; color: $text; border: 1px solid $border;
    border-radius: 6px; outline: none; selection-background-color: $primary; selection-color: $on_primary; }
QTableView { background: $surface; color: $text; border: 1px solid $border; border-radius: 6px; outline: none;
    selection-background-color: $chosen; selection-color: $chosen_text; }
QPlainTextEdit#tail { font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 11px; border: none; padding: 4px; }
QTableWidget#bare { border: none; }
QTableView#runs::item { padding: 0 5px; }
QDockWidget { color: $muted; font-weight: 600; }
QDockWidget::title { background: $surface; border-top: 1px solid $border; padding: 6px 12px; }
QPlainTextEdit#mono { font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace; }
QTreeWidget { border: none; border-left: 1px solid $border; border-radius: 0; padding: 6px 4px; }
QTreeWidget::indicator, QMenu::indicator { width: 11px; height: 11px; border: 1px solid $faint; border-radius: 3px; background: $base; }
QTreeWidget::indicator:checked, QMenu::indicator:checked { background: $accent; border-color: $accent; image: url("$icons/tick.svg"); }
QTreeWidget::indicator:indeterminate { background: $accent; border-color: $accent; image: url("$icons/dash.svg"); }
QTreeWidget::item { padding: 3px 2px; border: none; }
QTreeWidget::item:hover { background: $hover; }
QTreeWidget::item:selected { background: $hover; color: $text; }
QListView#plain { background: transparent; border: none; }
QHeaderView::section { background: $surface; color: $muted; border: none; padding: 4px 8px; }
QTableCornerButton::section { background: $surface; border: none; }
QScrollBar:vertical { background: transparent; width: 8px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 8px; margin: 0; }
QScrollBar::handle:vertical { background: $border; border-radius: 4px; min-height: 24px; }
QScrollBar::handle:horizontal { background: $border; border-radius: 4px; min-width: 24px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $hover; }
""")


def style_sheet(tokens: Tokens) -> str:
    """Return the style sheet in a theme's colours.

    >>> from echo3d.gui.tokens import LIGHT
    >>> f"QLabel {{ color: {LIGHT.text};" in style_sheet(LIGHT)
    True
    """
    scheme = next((name for name, shown in SCHEMES.items() if shown == tokens), "dark")
    colours = {name: colour for name, colour in asdict(tokens).items() if isinstance(colour, str)}
    return _SHEET.substitute(colours, icons=resource(f"icons/{scheme}").as_posix())
