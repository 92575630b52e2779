"""Mapping files in JSON and TOML."""

from __future__ import annotations

from pathlib import Path

import pytest

from echo3d.core.foreign import Role
from echo3d.core.structures import Structure
from echo3d.errors import InputError
from echo3d.io.mapping import read_mapping


def test_json_and_toml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text('{"3": "LV_CAVITY", "*septum*": 1, "fat": "none", "skin": "ventricles"}')
    (tmp_path / "map.toml").write_text('3 = "LV cavity"\n"*septum*" = 1\nfat = "NONE"\nskin = "VENTRICLES"\n')
    expected = {"3": Structure.LV_CAVITY, "*septum*": 1, "fat": 0, "skin": Role.VENTRICLES}
    assert read_mapping(tmp_path / "map.json") == read_mapping(tmp_path / "map.toml") == expected


@pytest.mark.parametrize("text", ["", "[]", "{}", "[1, 2]", '{"a": "liver"}', '{"a": 99}', '{"a": true}', '{"a": {"b": 1}}', "\xff"])
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "map.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="mapping"):
        read_mapping(tmp_path / "map.json")
    with pytest.raises(InputError, match="found none"):
        read_mapping(tmp_path / "absent.toml")
