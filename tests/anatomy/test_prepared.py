"""What is worked out of the template and kept: read back bit for bit, never trusted where it is damaged or of another making."""

from __future__ import annotations

import numpy as np

from echo3d.anatomy import material
from echo3d.anatomy.prepared import keep_prepared, prepared_key, read_prepared
from echo3d.paths import user_cache


def test_what_is_kept_is_what_was_worked_out() -> None:
    made = material.load_material()
    keep_prepared("material", "k", material._packed(made))
    again = material._unpacked(read_prepared("material", "k"))
    for name in material._PLAIN:
        np.testing.assert_array_equal(getattr(made, name), getattr(again, name))
    for name in material._READERS:
        assert (getattr(made, name) != getattr(again, name)).nnz == 0
        np.testing.assert_array_equal(getattr(made, name).data, getattr(again, name).data)
    assert again.count == made.count and again.soft.keys() == made.soft.keys()
    assert all(np.array_equal(made.soft[key], again.soft[key]) for key in made.soft)


def test_another_key_a_damaged_and_a_missing_file_are_worked_out_again() -> None:
    assert read_prepared("none", "k") is None
    keep_prepared("some", "k", {"a": np.arange(1000)})
    assert read_prepared("some", "k")["a"].tolist() == list(range(1000))
    assert read_prepared("some", "other") is None
    file = user_cache() / "some.npz"
    file.write_bytes(file.read_bytes()[:700])
    assert read_prepared("some", "k") is None
    assert not list(user_cache().glob("*.part"))


def test_other_code_gives_another_key(tmp_path) -> None:
    code = tmp_path / "code.py"
    code.write_text("a = 1", encoding="utf-8")
    one = prepared_key(str(code))
    assert one == prepared_key(str(code))
    code.write_text("a = 2", encoding="utf-8")
    assert prepared_key(str(code)) != one
