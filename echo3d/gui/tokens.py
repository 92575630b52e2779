"""The colours of both themes by what they are for, and the arithmetic of contrast; no Qt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """One theme's colours, each as ``#rrggbb``.

    Parameters
    ----------
    base, surface, raised, hover : grounds, from the window's own to what the pointer is over
    border : lines between them
    text, muted, faint : writing, from what is read first to what is read last
    disabled : writing and icons of what cannot be used now
    accent : what is chosen or runs
    ed, es, ed_edge, es_edge : end-diastole and end-systole, and the edges of their buttons
    warn, warn_ground, warn_edge, error, error_ground, error_edge : what is doubtful, what went wrong
    primary, primary_edge, primary_hover, on_primary : the button that goes on, and the writing on it
    chosen, chosen_edge, chosen_text : a switch that is on
    knob : of a slider
    on_mark : writing on a mark in ``ed`` or ``es``
    plate : behind an echo picture
    scene_low, scene_high : the 3D scene's ground, below and above
    axis_x, axis_y, axis_z, held : the axes of handles, and a handle in the hand
    brand : the mark of the program
    views : of the six views, in their order
    """

    base: str
    surface: str
    raised: str
    hover: str
    border: str
    text: str
    muted: str
    faint: str
    disabled: str
    accent: str
    ed: str
    es: str
    ed_edge: str
    es_edge: str
    warn: str
    warn_ground: str
    warn_edge: str
    error: str
    error_ground: str
    error_edge: str
    primary: str
    primary_edge: str
    primary_hover: str
    on_primary: str
    chosen: str
    chosen_edge: str
    chosen_text: str
    knob: str
    on_mark: str
    plate: str
    scene_low: str
    scene_high: str
    axis_x: str
    axis_y: str
    axis_z: str
    held: str
    brand: str
    views: tuple[str, ...]


DARK = Tokens(
    base="#0b0e13",
    surface="#11151c",
    raised="#191f29",
    hover="#222a36",
    border="#262e3a",
    text="#e8ecf2",
    muted="#9aa6b8",
    faint="#8692a4",
    disabled="#5d6878",
    accent="#4ea8ff",
    ed="#3fd6b2",
    es="#ffb057",
    ed_edge="#24584d",
    es_edge="#5e4727",
    warn="#f2b544",
    warn_ground="#2a2314",
    warn_edge="#6a5424",
    error="#ff7a7a",
    error_ground="#331a1d",
    error_edge="#6b2e33",
    primary="#1f6cbd",
    primary_edge="#2f83dc",
    primary_hover="#2172c8",
    on_primary="#ffffff",
    chosen="#1d3350",
    chosen_edge="#2d5a8c",
    chosen_text="#cfe5ff",
    knob="#e8ecf2",
    on_mark="#0b0e13",
    plate="#000000",
    scene_low="#0b0e13",
    scene_high="#182130",
    axis_x="#ff6b6b",
    axis_y="#63d471",
    axis_z="#5aa9ff",
    held="#ffe066",
    brand="#ff6b6b",
    views=("#4fa8ff", "#40d6b3", "#b38fff", "#ffb057", "#f58594", "#ebdb6b"),
)

LIGHT = Tokens(
    base="#eceff4",
    surface="#ffffff",
    raised="#f5f7fa",
    hover="#e2e7ee",
    border="#c9d1dc",
    text="#16202c",
    muted="#475466",
    faint="#556173",
    disabled="#9ba5b3",
    accent="#1564bf",
    ed="#0a6f5b",
    es="#934a00",
    ed_edge="#9fd3c6",
    es_edge="#e5c39a",
    warn="#7d5100",
    warn_ground="#fdf3dc",
    warn_edge="#e3c277",
    error="#b3261e",
    error_ground="#fde8e6",
    error_edge="#f0b7b2",
    primary="#1f6cbd",
    primary_edge="#185a9f",
    primary_hover="#1a5fa8",
    on_primary="#ffffff",
    chosen="#d6e6f9",
    chosen_edge="#9cc3ee",
    chosen_text="#0d478a",
    knob="#ffffff",
    on_mark="#ffffff",
    plate="#000000",
    scene_low="#dfe5ed",
    scene_high="#fafbfd",
    axis_x="#c92a2a",
    axis_y="#1f7a32",
    axis_z="#1c62b8",
    held="#9a6c00",
    brand="#d6303a",
    views=("#1564bf", "#0b7560", "#6b41c4", "#a35200", "#b9314a", "#6f6000"),
)

SCHEMES = {"dark": DARK, "light": LIGHT}


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour.

    *Source:* WCAG 2.2, relative luminance.

    >>> luminance("#000000"), luminance("#ffffff")
    (0.0, 1.0)
    """
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    """Return the contrast of two colours, from 1 to 21.

    *Source:* WCAG 2.2, contrast ratio; 4.5 is asked of text, 3 of what is seen but not read.

    >>> contrast("#ffffff", "#000000"), contrast("#777777", "#777777")
    (21.0, 1.0)
    """
    low, high = sorted((luminance(one), luminance(two)))
    return round((high + 0.05) / (low + 0.05), 10)
