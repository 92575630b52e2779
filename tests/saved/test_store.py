"""A session is the same after the file; what is no session, or a damaged one, is a sentence and never a loss."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from echo3d.errors import InputError
from echo3d.positioning.state import placement_json
from echo3d.saved.content import Content, DrawnHeart, SavedStudy, content_from_json, content_json
from echo3d.saved.store import read_session, session_text, write_session, write_text
from tests.saved.strategies import CONTENTS

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def same(one: Content, other: Content) -> bool:
    fields = ("place", "study", "study_look", "heart", "body", "scene_look", "cameras")
    placements = [None if content.placement is None else placement_json(content.placement) for content in (one, other)]
    return all(getattr(one, name) == getattr(other, name) for name in fields) and placements[0] == placements[1]


@QUICK
@given(CONTENTS)
def test_state_to_file_to_state(content: Content) -> None:
    again, problems = content_from_json(json.loads(session_text(content)))
    assert problems == ()
    assert same(again, content)


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    content = Content(heart=DrawnHeart(group="dcm", seed=7), study=SavedStudy(demo=True))
    write_session(tmp_path / "a.echo3d", content)
    again, problems = read_session(tmp_path / "a.echo3d")
    assert problems == () and same(again, content)
    assert [file.name for file in tmp_path.iterdir()] == ["a.echo3d"]


def good(**more: Any) -> dict[str, Any]:
    return json.loads(session_text(Content(heart=DrawnHeart(group="dcm", seed=7), place="position"))) | more


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "bytes"),
        (session_text(Content())[:-20], "damaged"),
        ("[1, 2]", "another kind"),
        ('{"kind": "another"}', "another kind"),
        (json.dumps(good(schema=2)), "newer"),
        (json.dumps(good(schema="1")), "version"),
        (json.dumps(good(schema=True)), "version"),
        (json.dumps(good(x=10**30)), "numbers"),
        (json.dumps(good()).replace('"seed": 7', '"seed": 1e999'), "numbers"),
        (json.dumps(good()).replace('"seed": 7', '"seed": NaN'), "numbers"),
        ("[" * 200_000, "damaged"),
        ('{"kind": ' + "9" * 100_000 + "}", "numbers"),
    ],
)
def test_what_is_no_session_is_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "Jane Doe.echo3d"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        read_session(path)
    assert "Jane" not in str(caught.value) and str(tmp_path) not in str(caught.value) and "\n" not in str(caught.value)
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", bytes(5_000_000)])
def test_other_bytes_are_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.echo3d").write_bytes(content)
    with pytest.raises(InputError):
        read_session(tmp_path / "a.echo3d")
    with pytest.raises(InputError, match="none of that name"):
        read_session(tmp_path)


HOSTILE = ("/etc/passwd", "C:\\secrets", "\\\\host\\share\\x", "//host/share/x", "a\0b", "", "x" * 5000)


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_paths_are_left_out_and_the_rest_is_kept(path: str) -> None:
    ref = {"path": path, "sha256": "", "folder": False}
    values = good(heart={"kind": "file", "file": ref}, study={"paths": [ref]}, place="position")
    content, problems = content_from_json(values)
    assert content.heart is None and content.study is None and content.place == "position"
    assert len(problems) == 2 and all("left out" in problem and path not in problem for problem in problems if path)


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("place", "elsewhere"),
        ("study", {"ed": {"a4c": -1}}),
        ("study", {"ed": {"another": 1}}),
        ("study", [1]),
        ("study", {"patient_name": "Doe^Jane"}),
        ("study_look", {"opacity": 7.0}),
        ("study_look", {"speed": 3.0}),
        ("study_look", {"fill": "yes"}),
        ("heart", {"kind": "drawn", "group": "dcm"}),
        ("heart", {"kind": "spell"}),
        ("heart", {"kind": "drawn", "group": "dcm", "seed": 1.5}),
        ("body", {"kind": "own", "sex": "x", "height_cm": 170, "weight_kg": 70}),
        ("placement", {"translation": [1e9, 0, 0], "rotation": [0, 0, 0], "scale": 1}),
        ("placement", {"translation": [0, 0], "rotation": [0, 0, 0], "scale": 1}),
        ("placement", {"translation": [0, 0, 0], "rotation": [0, 0, 0], "scale": -1}),
        ("placement", {"translation": [0, 0, 0], "rotation": [0, 0, 0], "scale": 1, "level": 9}),
        ("placement", {"translation": [0, 0, 0], "rotation": [0, 0, 0], "scale": 1, "probes": {"a4c": {"tilt": "x"}}}),
        ("placement", {"scale": 1}),
        ("scene_look", {"reference": {"scale": 1e9}}),
        ("scene_look", {"hidden": ["no structure"]}),
        ("cameras", {"position": {"focus": [0, 0, 0], "towards": [0, 0, 0], "up": [0, 0, 1], "size": 1}}),
        ("cameras", {"nowhere": {}}),
    ],
)
def test_a_damaged_section_is_said_and_the_others_are_kept(section: str, value: object) -> None:
    content, problems = content_from_json(good(**{section: value}))
    assert len(problems) == 1 and "Doe" not in problems[0] and "\n" not in problems[0]
    assert content.place == ("patient" if section == "place" else "position")
    assert (content.heart is None) == (section == "heart")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(content_json(Content()))), JSON)
def test_any_value_anywhere_is_read_or_said(section: str, value: object) -> None:
    content, problems = content_from_json(good(**{section: value}))
    assert isinstance(content, Content) and len(problems) <= 1


def test_a_file_that_cannot_be_written_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.echo3d"
    write_session(path, Content())
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="no space left"):
        write_session(path, Content(place="position"))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.echo3d"]


def test_an_autosaved_file_is_this_users_alone(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "x", private=True)
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0
