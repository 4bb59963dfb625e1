"""A secret is taken from three places and shows itself nowhere."""

import copy
import pickle
import sys
import types
from pathlib import Path

import pytest

from crtui import secret
from crtui.secret import Secret, SecretError

KEY = "sk-ant-0123456789-canary"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r:>40}".format, lambda s: f"{[s]}"])
@pytest.mark.fault("K12")
def test_no_way_of_printing_shows_it(show: object) -> None:
    assert "canary" not in show(Secret(KEY))  # type: ignore[operator]


@pytest.mark.parametrize("take", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_is_neither_copied_nor_stored(take: object) -> None:
    with pytest.raises(TypeError, match="neither copied nor stored"):
        take(Secret(KEY))  # type: ignore[operator]


@pytest.mark.parametrize(("value", "label"), [("x" * 15 + "-tail", "…tail"), ("x" * 14 + "-tail", "…")])
@pytest.mark.fault("K14")
def test_only_a_long_one_has_a_label_with_its_last_four(value: str, label: str) -> None:
    assert Secret(value).label == label


def test_it_is_read_from_a_variable() -> None:
    assert secret.from_env("K", {"K": KEY}).reveal() == KEY
    with pytest.raises(SecretError, match="K is not set; export it"):
        secret.from_env("K", {})


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_one_newline_at_a_file_s_end_is_trimmed(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY.encode() + end)
    assert secret.from_file(str(path)).reveal() == KEY


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"k\n\n", "is not a key"),
        (b"canary x", "is not a key"),
        ("canarü".encode(), "is not a key"),
        (b"canary\x00", "is not a key"),
        (b"\xff\xfe", "is not a key"),
        (b"c" * (secret.MAX_FILE_BYTES + 1), "is too large for a key"),
    ],
)
@pytest.mark.fault("D25")
def test_what_cannot_be_a_key_is_refused_without_repeating_it(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(data)
    with pytest.raises(SecretError, match=what) as told:
        secret.from_file(str(path))
    assert "canar" not in str(told.value)
    assert str(path) in str(told.value)


def test_a_missing_file_and_a_directory_are_told(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"cannot be read \(No such file"):
        secret.from_file(str(tmp_path / "none"))
    with pytest.raises(SecretError, match="is not a regular file"):
        secret.from_file(str(tmp_path))


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
@pytest.mark.fault("D25")
def test_a_file_others_can_read_is_warned_of(tmp_path: Path, mode: int, warned: bool) -> None:
    path = tmp_path / "key"
    path.write_text(KEY)
    path.chmod(mode)
    told = secret.exposed(str(path))
    assert told == (f"{path} has mode {mode:04o}, so others can read it; run chmod 600" if warned else None)


def test_without_keyring_support_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SecretError, match="pip install keyring, or use api_key_env"):
        secret.from_keyring("a")


class Keyring(types.ModuleType):
    """A keyring backend with one entry, locked for ``locked``."""

    class errors:  # noqa: N801
        class KeyringError(Exception):
            pass

    def get_password(self, service: str, name: str) -> str | None:
        if name == "locked":
            raise self.errors.KeyringError("canary")
        return {("crtui", "a"): KEY}.get((service, name))


def test_a_keyring_is_asked_by_provider_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Keyring("keyring"))
    assert secret.from_keyring("a").reveal() == KEY
    with pytest.raises(SecretError, match="has no key; run keyring set crtui b"):
        secret.from_keyring("b")
    with pytest.raises(SecretError, match=r"refused \(KeyringError\); unlock it") as told:
        secret.from_keyring("locked")
    assert "canary" not in str(told.value)
