"""What was opened last is kept with a picture, in the user's own folders, and a file that is gone is known to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echo3d.paths import user_cache, user_config
from echo3d.positioning.hearts import embedded_heart
from echo3d.positioning.recents import KEPT, Recent, entries, forget_all, load_recents, remember
from echo3d.positioning.thumbnails import SIDE, drawn, heart_thumbnail


def test_a_heart_is_kept_with_its_picture_and_forgotten(tmp_path: Path, own_home: Path) -> None:
    file = tmp_path / "heart.vtp"
    file.touch()
    heart = embedded_heart()
    for number in range(KEPT + 2):
        remember(Recent("heart", "drawn", f"number {number}", group="dcm", number=number), heart)
    shown = remember(Recent("heart", "file", "mine", path=str(file)), heart)
    assert len(shown) == KEPT and shown[0].recent.title == "mine"
    assert all(entry.there and entry.picture is not None and entry.picture.is_relative_to(own_home) for entry in shown)
    file.unlink()
    assert [entry.there for entry in entries()[:2]] == [False, True]
    assert forget_all() == () and load_recents() == ()
    assert not list((user_cache() / "thumbnails").iterdir())


def test_a_damaged_list_is_none(own_home: Path) -> None:
    file = user_config() / "recent-sources.json"
    for text in (
        "",
        "[]",
        '{"recent": 3}',
        '{"recent": [{"kind": "heart", "way": "drawn", "group": "nobody"}, {"kind": 1, "way": "file"}, 5]}',
    ):
        file.write_text(text, encoding="utf-8")
        assert load_recents() == ()


def test_the_picture_is_seen_from_in_front() -> None:
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    square = np.array([[0, 0, 0], [10, 0, 0], [10, 0, 10], [0, 0, 10.0]])
    small = np.array([[6, -5, 6], [9, -5, 6], [9, -5, 9], [6, -5, 9.0]])  # to the left, near the viewer, near the head
    points, both = np.concatenate([small, square]), np.concatenate([faces, faces + 4])
    colours = np.array([[0, 0, 255]] * 2 + [[255, 0, 0]] * 2, np.uint8)
    picture = drawn(points, both, colours, 40)
    assert picture[10, 29, 2] > 50 and picture[10, 29, 0] == 0, "the near one hides the far one, upper right"
    assert picture[30, 10, 0] > 50 and picture[30, 10, 2] == 0
    assert picture[0, 0, 3] == 0 and picture[20, 20, 3] == 255


def test_a_heart_fills_its_picture_without_holes() -> None:
    picture = heart_thumbnail(embedded_heart())
    seen = picture[..., 3] > 127
    assert picture.shape == (SIDE, SIDE, 4) and 0.3 < seen.mean() < 0.9
    inner = seen[1:-1, 1:-1]
    lone = ~inner & seen[:-2, 1:-1] & seen[2:, 1:-1] & seen[1:-1, :-2] & seen[1:-1, 2:]
    assert lone.sum() == 0
