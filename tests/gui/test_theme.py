"""The themes: what is read can be read, no colour stands outside the tokens, and a switch reaches everything."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QToolButton

from echo3d.gui import theme
from echo3d.gui.icons import icon, retint_icons
from echo3d.gui.style_sheet import style_sheet
from echo3d.gui.theme import apply_theme, scheme_of
from echo3d.gui.tokens import DARK, LIGHT, SCHEMES, contrast

GUI = Path(theme.__file__).parent
GROUNDS = ("base", "surface", "raised", "hover")
WRITING = ("text", "muted", "faint", "accent", "ed", "es", "warn", "error")
PAIRS = (
    ("on_primary", "primary"),
    ("on_primary", "primary_hover"),
    ("chosen_text", "chosen"),
    ("text", "error_ground"),
    ("error", "error_ground"),
    ("text", "warn_ground"),
    ("warn", "warn_ground"),
    ("on_mark", "ed"),
    ("on_mark", "es"),
    ("text", "scene_low"),
    ("text", "scene_high"),
    ("muted", "scene_low"),
    ("muted", "scene_high"),
)
ON_PICTURES = ("text", "muted", "faint", "warn")
"""Written beside echo pictures, which stay on the dark theme's black plate in every theme."""


@pytest.fixture(autouse=True)
def dark_again(qapp):
    yield
    apply_theme(qapp, "dark")
    retint_icons()


@pytest.mark.parametrize("name", SCHEMES)
def test_writing_can_be_read(name) -> None:
    shown = SCHEMES[name]
    pairs = [(writing, ground) for writing in WRITING for ground in GROUNDS] + list(PAIRS)
    weak = {pair: round(contrast(*(getattr(shown, part) for part in pair)), 2) for pair in pairs}
    assert {pair: value for pair, value in weak.items() if value < 4.5} == {}


@pytest.mark.parametrize("name", SCHEMES)
def test_marks_can_be_seen(name) -> None:
    shown = SCHEMES[name]
    marks = (shown.axis_x, shown.axis_y, shown.axis_z, shown.held, *shown.views)
    assert min(contrast(mark, ground) for mark in marks for ground in (shown.scene_low, shown.scene_high)) >= 3


def test_writing_beside_pictures_can_be_read() -> None:
    assert {shown.plate for shown in SCHEMES.values()} == {DARK.plate}
    assert min(contrast(getattr(DARK, name), DARK.plate) for name in ON_PICTURES) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


def test_colours_stand_in_the_tokens_only() -> None:
    allowed = {"tokens.py", "canvas.py"}  # canvas: the colour of its lamps
    scattered = {
        path.name: found
        for path in GUI.rglob("*.py")
        if path.name not in allowed and (found := re.findall(r'"[^"]*#[0-9a-fA-F]{6}[^"]*"', path.read_text(encoding="utf-8")))
    }
    assert scattered == {}


def test_no_module_keeps_a_colour_of_one_theme() -> None:
    names = "|".join(name.upper() for name in DARK.__slots__)
    kept = re.compile(rf"from echo3d\.gui\.theme import .*\b({names})\b|^\w+ = .*\btheme\.({names})\b|def .*=\s*theme\.({names})\b", re.M)
    assert [path.name for path in GUI.rglob("*.py") if kept.search(path.read_text(encoding="utf-8"))] == []


def test_every_colour_of_the_sheet_is_a_token(qapp) -> None:
    for shown in SCHEMES.values():
        known = {colour for name in shown.__slots__ if isinstance(colour := getattr(shown, name), str)}
        assert set(re.findall(r"#[0-9a-f]{6}\b", style_sheet(shown))) <= known
    assert "$" not in style_sheet(DARK)


def test_unknown_colours_are_an_error() -> None:
    with pytest.raises(AttributeError, match="PINK"):
        _ = theme.PINK


def test_the_system_is_followed(qapp) -> None:
    assert scheme_of("system", Qt.ColorScheme.Light) == "light"
    assert apply_theme(qapp, "system", Qt.ColorScheme.Light) == "light"
    assert LIGHT.text == theme.TEXT
    assert apply_theme(qapp, "system", Qt.ColorScheme.Dark) == "dark"
    assert DARK.text == theme.TEXT


def test_icons_follow(qapp, qtbot) -> None:
    button, own = QToolButton(), QToolButton()
    for made in (button, own):
        qtbot.addWidget(made)
    button.setIcon(icon("play"))
    before = button.icon().cacheKey()
    apply_theme(qapp, "light")
    retint_icons()
    assert button.icon().cacheKey() == icon("play").cacheKey() != before
    assert own.icon().isNull()


def lightness(image: QImage) -> float:
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())[:, : grey.width()]
    return float(np.median(rows))


@pytest.mark.gl
def test_a_switch_reaches_every_part_of_the_window(window, qapp) -> None:
    window.run_command("theme_light")
    qapp.processEvents()
    page = window.page
    parts = {
        "header": window.header,
        "views": page.views.grid.panels[0],
        "curve": page.views.curve,
        "numbers": page.heart.results,
        "status": window.statusBar(),
    }
    light = {name: lightness(part.grab().toImage()) for name, part in parts.items()}
    light["scene"] = lightness(page.heart.heart.canvas.image())
    assert min(light.values()) > 200, light
    window.show_position()
    qapp.processEvents()
    position = {
        "preview": lightness(window.position.side.panels[0].grab().toImage()),
        "pose": lightness(window.position.pose.grab().toImage()),
        "scene": lightness(page.heart.heart.canvas.image()),
    }
    assert min(position.values()) > 200, position
    window.run_command("theme_dark")
    qapp.processEvents()
    assert lightness(window.header.grab().toImage()) < 60
    assert lightness(page.heart.heart.canvas.image()) < 100, "a heart fills half of it"


@pytest.mark.gl
def test_the_choice_is_remembered_and_ticked(window) -> None:
    from echo3d.settings import load_settings

    window.run_command("theme_light")
    assert load_settings().theme == "light"
    ticked = {action.objectName() for action in window.shell.actions_shown() if action.isChecked()}
    assert {name for name in ticked if name.startswith("theme_")} == {"theme_light"}


@pytest.mark.gl
def test_an_open_window_follows_the_system(window, qapp) -> None:
    window.run_command("theme_system")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert LIGHT.text == theme.TEXT
    window.run_command("theme_dark")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert DARK.text == theme.TEXT
