import pytest

from echo3d.errors import InputError
from echo3d.paths import resource, user_cache, user_logs
from echo3d.settings import Settings, load_settings, save_settings, settings_file, with_recent


def test_settings_survive_a_round_trip() -> None:
    changed = with_recent(Settings(overlay_opacity=0.5), "study")
    save_settings(changed)
    assert load_settings() == changed


@pytest.mark.parametrize("content", ["", "{", '{"overlay_opacity": 7}', "[]", "\x00"])
def test_a_damaged_file_gives_the_defaults(content: str) -> None:
    settings_file().write_text(content, encoding="utf-8")
    assert load_settings() == Settings()


def test_recent_keeps_ten() -> None:
    settings = Settings()
    for i in range(15):
        settings = with_recent(settings, str(i))
    assert settings.recent == tuple(str(i) for i in range(14, 4, -1))


def test_home_variable_moves_everything(own_home) -> None:
    assert user_cache() == own_home / "cache"
    assert user_logs() == own_home / "logs"


def test_missing_resource_is_a_sentence() -> None:
    with pytest.raises(InputError, match="no_such_thing"):
        resource("no_such_thing")
