"""Keys of a person's own choice: taken everywhere they show, or refused with the line and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.keys import _character_to_key

from crtui.actions import ACTIONS, BY_ID
from crtui.config.load import check, config_from_data
from crtui.core.inputs import Command
from crtui.errors import ConfigError
from crtui.keymap import _NAMES, faults, key_name, remapped
from crtui.modes.options import Options
from crtui.modes.settings import own_settings, screen_settings
from crtui.tui.settings import ScreenSettings
from crtui.tui.themes import CHOICES, THEMES
from tests.tui.test_app import TRIO, stage


def problems(path: Path, text: str) -> list[str]:
    path.write_text(text)
    return [fault.text("c.toml") for fault in check(path, {})]


def test_characters_have_the_names_that_textual_has_for_them() -> None:
    assert {sign: _character_to_key(sign) for sign in _NAMES} == _NAMES


@pytest.mark.parametrize(
    ("written", "name"),
    [("x", "x"), ("X", "X"), ("$", "dollar_sign"), ("ctrl+X", "ctrl+x"), ("F5", "f5"), ("slash", "slash")],
)
def test_a_key_is_written_as_a_character_or_by_name(written: str, name: str) -> None:
    assert key_name(written) == name


@pytest.mark.parametrize("written", ["xx", "ctrl+", "f13", "hyper+x", "\x1b", "\n"])
def test_what_is_no_key_is_refused(written: str) -> None:
    assert key_name(written) is None
    assert "is no key" in dict(faults({"demote": (written,)}))["demote"]


def test_the_actions_as_they_are_collide_nowhere() -> None:
    chosen = {action.id: action.keys for action in ACTIONS if action.keys and "escape" not in action.keys}
    assert list(faults(chosen)) == []


def test_two_actions_may_change_places() -> None:
    assert list(faults({"demote": ("x",), "explain": ("d",)})) == []


def test_a_key_with_two_meanings_is_told_of_the_one_that_was_chosen() -> None:
    assert dict(faults({"explain": ("d",)})) == {
        "explain": "'d' is the key of 'demote' too; give one of them another key"
    }


def test_escape_stays_the_way_back() -> None:
    assert "goes back" in dict(faults({"demote": ("escape",)}))["demote"]


def test_a_config_is_told_line_key_and_remedy(tmp_path: Path) -> None:
    text = (
        '[screen]\ntheme = "drak"\nkeys = { demote = "x", demot = "y" }\nnotify = "bel"\n'
        '[screen.on_event]\nout = "say \'hi"\n'
    )
    found = problems(tmp_path / "c.toml", text)
    assert found[0] == "c.toml:2: screen.theme: 'drak' is not known; did you mean 'dark'?"
    assert found[1] == "c.toml:3: screen.keys.demot: there is no such action; did you mean 'demote'?"
    assert found[2].startswith("c.toml:4: screen.notify: 'bel' is not known")
    assert found[3].startswith("c.toml:6: screen.on_event.out: is not a command line")


def test_a_collision_in_a_config_names_its_line(tmp_path: Path) -> None:
    found = problems(tmp_path / "c.toml", '[screen.keys]\ntheme = ["t", "T"]\ndemote = "x"\n')
    assert found == [
        "c.toml:3: screen.keys.demote: 'x' is the key of 'explain' too; give one of them another key"
    ]


def test_every_theme_of_a_config_is_one_that_the_screen_has() -> None:
    own = {theme.name for theme in THEMES}
    assert {name for choice, name in CHOICES.items() if choice != "ansi"} == own


def test_remapped_actions_print_their_new_keys() -> None:
    found = {action.id: action for action in remapped({"paid": ("%", "f5")})}
    assert (found["paid"].shown, found["paid"].keys) == ("%", ("percent_sign", "f5"))
    assert found["demote"] is BY_ID["demote"]


async def test_a_chosen_key_works_and_shows_in_key_bar_help_and_answers() -> None:
    keys = {"demote": ("x",), "explain": ("ctrl+x",), "undo": ("%",)}
    async with stage(TRIO, settings=ScreenSettings(keys=keys), size=(140, 40)) as on:
        await on.press("d")
        assert on.link.sent == []
        assert "x demote" in on.text("keys")
        await on.press("x")
        assert on.link.sent == [Command("demote", "a")]
        assert "% undo" in on.text("keys")
        await on.press("percent_sign")
        assert on.link.sent[1:] == [Command("release", "a")]
        await on.press("question_mark")
        await on.pilot.pause()
        told = on.text("help")
        assert "x        demote" in told
        assert "ctrl+x   why" in told


async def test_settings_may_come_while_it_runs() -> None:
    async with stage(TRIO) as on:
        on.app.use_from_thread(ScreenSettings(theme="light", keys={"demote": ("D",)}))
        await on.pilot.pause()
        await on.press("D")
        assert on.app.theme == "crtui-light"
        assert on.link.sent == [Command("demote", "a")]


def test_what_a_config_says_of_the_screen_reaches_it_with_the_names_of_its_secrets() -> None:
    config = config_from_data(
        {
            "gateway": {"token_env": "DOOR"},
            "provider": [{"name": "a", "kind": "openai", "auth": "key", "api_key_env": "ODD_NAME"}],
            "screen": {
                "theme": "ansi",
                "hz": 2,
                "keys": {"demote": "D", "pin": ["v", "f5"]},
                "notify": "off",
                "on_event": {"out": "say out"},
                "reduced_motion": True,
            },
        },
        "test",
    )
    assert screen_settings(config) == ScreenSettings(
        theme="ansi",
        hz=2,
        keys={"demote": ("D",), "pin": ("v", "f5")},
        notify="off",
        on_event={"out": "say out"},
        reduced_motion=True,
        secrets=frozenset({"DOOR", "ODD_NAME"}),
    )
    assert "screen" not in config.to_data()


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that is read where no config is named."""
    path = tmp_path / "config.toml"
    monkeypatch.setenv("CRTUI_CONFIG", str(path))
    return path


def test_a_mode_without_a_config_takes_the_usual_ones_screen_but_not_its_commands(usual: Path) -> None:
    usual.write_text('[screen]\ntheme = "light"\nkeys = { demote = "D" }\non_event = { out = "call me" }\n')
    settings, amiss = own_settings(Options())
    assert (settings.theme, settings.keys, settings.on_event) == ("light", {"demote": ("D",)}, {})
    assert amiss == ()


def test_a_config_that_is_named_has_its_commands_run_too(usual: Path) -> None:
    usual.write_text('[screen]\non_event = { out = "call me" }\n')
    settings, _ = own_settings(Options(config=usual))
    assert settings.on_event == {"out": "call me"}


def test_a_fault_in_the_usual_config_is_told_in_one_line_one_in_a_named_one_is_raised(
    usual: Path,
) -> None:
    usual.write_text('[screen]\ntheme = "pink"\nhz = 99\n')
    settings, [told] = own_settings(Options())
    assert settings == ScreenSettings()
    assert "config.toml:2: screen.theme" in told
    assert "\n" not in told
    with pytest.raises(ConfigError, match=r"screen\.theme"):
        own_settings(Options(config=usual))


async def test_every_theme_of_a_config_can_be_worn_and_reduced_motion_slows_it_down() -> None:
    async with stage(TRIO, hz=4) as on:
        for theme, name in CHOICES.items():
            on.app.use(ScreenSettings(theme=theme, reduced_motion=True))
            await on.pilot.pause()
            assert on.app.theme == name
        assert on.app._timer is not None
        assert on.app._timer._interval == 1.0
