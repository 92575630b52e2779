"""Keys that move the heart in small steps."""

from __future__ import annotations

from PySide6.QtCore import QKeyCombination, Qt

_KEYS: dict[Qt.Key, tuple[int, int, float]] = {
    Qt.Key.Key_Left: (0, 5, -1.0),
    Qt.Key.Key_Right: (0, 5, 1.0),
    Qt.Key.Key_Up: (2, 3, 1.0),
    Qt.Key.Key_Down: (2, 3, -1.0),
    Qt.Key.Key_PageUp: (1, 4, -1.0),
    Qt.Key.Key_PageDown: (1, 4, 1.0),
}
"""Per key the number it moves, the number it turns with Alt, and the sign."""

SHEET = (
    ("← →", "Heart 1 mm to the patient's right, left"),
    ("↑ ↓", "Heart 1 mm to the head, the feet"),
    ("Page Up, Page Down", "Heart 1 mm to the front, the back"),
    ("Alt + these keys", "Heart 1° about z, x, y"),
    ("Ctrl + ↑ ↓", "Heart larger, smaller by 0.01"),
    ("Shift + any of these", "Ten times as much"),
    ("Ctrl while dragging", "Steps of 5 mm, 5° or 0.05"),
    ("Esc while dragging", "Back to where it was"),
)
"""Lines for the sheet of keys."""


def nudge_of(combination: QKeyCombination) -> tuple[int, float] | None:
    """Return which of the seven numbers a key changes and by how many steps, None for other keys."""
    known = _KEYS.get(combination.key())
    held = combination.keyboardModifiers()
    if known is None:
        return None
    steps = known[2] * (10 if held & Qt.KeyboardModifier.ShiftModifier else 1)
    if held & Qt.KeyboardModifier.ControlModifier:
        return (6, steps) if known[0] == 2 else None
    return (known[1] if held & Qt.KeyboardModifier.AltModifier else known[0]), steps
