"""Finding, reading and overriding a config; whatever the bytes, a config or one clear error comes out."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crtui.config.faults import Fault
from crtui.config.find import MAX_BYTES, decode, find_config
from crtui.config.load import check, config_from_data, load_config, parse
from crtui.errors import ConfigError

GOOD = '[gateway]\nlisten = "127.0.0.1:1"\n[[provider]]\nname = "a"\nkind = "ollama"\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, so that no config of this machine is found."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def write(path: Path, text: str = GOOD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


def test_the_option_comes_before_the_variable_and_the_variable_before_the_usual_place(home: Path) -> None:
    usual = write(home / "config" / "crtui" / "config.toml")
    if sys.platform == "linux":
        assert find_config(None, {}) == usual
    named = write(home / "named.toml")
    assert find_config(None, {"CRTUI_CONFIG": str(named)}) == named
    assert find_config(home / "option.toml", {"CRTUI_CONFIG": str(named)}) == home / "option.toml"


def test_without_a_file_the_config_is_empty_and_has_no_path(home: Path) -> None:
    loaded = load_config(None, {})
    assert (loaded.path, loaded.config.providers, loaded.warnings) == (None, (), ())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfeg\x00", "1: is UTF-16; save it as UTF-8"),
        (b"a = 1\nb = '\xe9'\n", "2: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"#" * (MAX_BYTES + 1), " is larger than 1 MiB, which no config is; name another file"),
    ],
)
@pytest.mark.fault("D22", "D23")
def test_foreign_bytes_are_refused_by_name(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as told:
        load_config(path, {})
    assert str(told.value) == f"{path}:{message}"


def test_a_missing_file_and_a_directory_are_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; write one with `crtui init`"):
        load_config(tmp_path / "none.toml", {})
    with pytest.raises(ConfigError, match="is a directory; name the file in it"):
        load_config(tmp_path, {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(Path("a\0b"), {})


@pytest.mark.fault("D22")
def test_a_byte_order_mark_and_crlf_are_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "c.toml")
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_config(path, {}).config.gateway.listen == "127.0.0.1:1"


def test_the_option_beats_the_variable_and_the_variable_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "c.toml")
    environ = {"CRTUI_LISTEN": "127.0.0.1:2"}
    assert load_config(path, {}).config.gateway.address.port == 1
    assert load_config(path, environ).config.gateway.address.port == 2
    assert load_config(path, environ, "localhost:3").config.gateway.address.port == 3


@pytest.mark.parametrize(("value", "allowed"), [("1", True), ("TRUE", True), ("off", False), ("", True)])
def test_allow_paid_is_read_from_the_environment(tmp_path: Path, value: str, allowed: bool) -> None:
    path = write(tmp_path / "c.toml", GOOD + "[routing]\nallow_paid = true\n")
    assert load_config(path, {"CRTUI_ALLOW_PAID": value}).config.routing.allow_paid is allowed


@pytest.mark.parametrize(
    ("environ", "listen", "message"),
    [
        ({"CRTUI_ALLOW_PAID": "maybe"}, None, "CRTUI_ALLOW_PAID: is neither yes nor no; set it to 1 or 0"),
        ({"CRTUI_LISTEN": "x"}, None, 'CRTUI_LISTEN: is not HOST:PORT; write it as "127.0.0.1:4747"'),
        ({}, ":80", '--listen: has no usable host; write it as "127.0.0.1:4747" or "[::1]:4747"'),
    ],
)
def test_a_wrong_override_is_told_by_its_source(
    home: Path, environ: dict[str, str], listen: str | None, message: str
) -> None:
    with pytest.raises(ConfigError) as told:
        load_config(None, environ, listen)
    assert str(told.value) == message


@pytest.mark.fault("K01")
def test_another_address_needs_a_token_wherever_it_comes_from(tmp_path: Path) -> None:
    path = write(tmp_path / "c.toml")
    with pytest.raises(ConfigError, match=r"c.toml:2: gateway.listen: is reachable .* CRTUI_TOKEN"):
        load_config(path, {}, "0.0.0.0:1")
    with pytest.raises(ConfigError, match="the value of CRTUI_TOKEN is not a key"):
        load_config(path, {"CRTUI_TOKEN": "two words"}, "0.0.0.0:1")
    assert not load_config(path, {"CRTUI_TOKEN": "t0ken"}, "0.0.0.0:1").config.gateway.address.loopback


@pytest.mark.parametrize(
    ("more", "warning"),
    [
        ("[shared]\n", "shared: has no effect yet; this machine counts alone"),
        (
            '[[provider]]\nname = "b"\nkind = "openai"\n',
            "b: no key: OPENAI_API_KEY is not set; export it",
        ),
        (
            '[[provider]]\nname = "A"\nkind = "ollama"\n',
            "a and A: differ only in case; their files are one on some disks",
        ),
        (
            '[[profile]]\nname = "default"\nchain = ["a"]\n[[provider]]\nname = "b"\nkind = "vllm"\n',
            "b: is in no profile's chain, so it is never used",
        ),
        (
            '[[provider]]\nname = "b"\nkind = "vllm"\nmodel = "m"\nmodels = { x = "y" }\n',
            "b: models has no effect beside model, which is always sent",
        ),
        (
            '[[provider]]\nname = "b"\nkind = "vllm"\ndeclare_models = ["m"]\n',
            "b: declare_models has an effect with kind ollama only",
        ),
        (
            '[[provider]]\nname = "b"\nkind = "ollama"\npull = true\n',
            "b: pull = true fetches nothing without declare_models; name the models there",
        ),
        (
            '[[provider]]\nname = "b"\nkind = "ollama"\ndeclare_models = ["m"]\npoll_s = 0\n',
            "b: declare_models are looked for by polls, and poll_s = 0 means none; set poll_s",
        ),
        (
            '[[provider]]\nname = "b"\nkind = "ollama"\ndeclare_models = ["m"]\npull = true\npoll_s = 0\n',
            "b: declare_models are looked for and pulled by polls, and poll_s = 0 means none; set poll_s",
        ),
        (
            '[[provider]]\nname = "b"\nkind = "vllm"\nmonthly_usd = 0\n',
            "b: monthly_usd = 0 keeps it out at once; leave the key out for no cap",
        ),
        (
            '[[provider]]\nname = "b"\nkind = "vllm"\nmonthly_usd = 1\n',
            "b: monthly_usd counts nothing while the price is unknown; add price",
        ),
        (
            '[[provider]]\nname = "b"\nkind = "vllm"\nmonthly_usd = 1\nprice = { input = 3 }\n',
            "b: price lacks output, so what such tokens cost stays unknown; add output",
        ),
        (
            '[[provider]]\nname = "b"\nkind = "vllm"\nprice = { cache_read = 1 }\n',
            "b: price lacks input and output, so what such tokens cost stays unknown; add input and output",
        ),
        (
            '[[provider]]\nname = "b"\nkind = "vllm"\nauth = "client"\nbase_url = "http://gpu:8000"\n',
            "b: sends a key in clear text to another machine; use https",
        ),
    ],
)
def test_what_is_valid_but_suspicious_is_a_warning(tmp_path: Path, more: str, warning: str) -> None:
    assert load_config(write(tmp_path / "c.toml", GOOD + more), {}).warnings == (warning,)


def test_a_plain_config_has_no_warning(tmp_path: Path) -> None:
    assert load_config(write(tmp_path / "c.toml"), {}).warnings == ()


def test_a_file_without_a_provider_is_taken_with_a_warning(tmp_path: Path) -> None:
    [warning] = load_config(write(tmp_path / "c.toml", ""), {}).warnings
    assert warning == "provider: there is none, so nothing can be routed; add a [[provider]]"


@pytest.mark.fault("D13", "D25")
def test_modes_that_let_others_in_are_warned_of(tmp_path: Path) -> None:
    key = write(tmp_path / "key", "k3y\n")
    key.chmod(0o640)
    table = f'[[provider]]\nname = "b"\nkind = "openai"\napi_key_file = "{key}"\n'
    path = write(tmp_path / "c.toml", GOOD + table)
    path.chmod(0o666)
    assert load_config(path, {}).warnings == (
        f"{path} has mode 0666, so others can change it; run chmod 600",
        f"b: {key} has mode 0640, so others can read it; run chmod 600",
    )


def test_data_of_a_trace_is_told_by_where_it_stands() -> None:
    tables: list[object] = [{"name": "a", "kind": "openai-compatible"}, {"name": "a", "kind": "vllm"}]
    with pytest.raises(ConfigError) as told:
        config_from_data({"provider": tables}, "trace.jsonl:1")
    assert str(told.value) == (
        "trace.jsonl:1: provider[2].name: 'a' is taken by an earlier [[provider]]; choose another"
    )
    # What is only routed on needs no address.
    assert config_from_data({"provider": tables[:1]}, "x").providers[0].base_url is None


KEYWORDS = [
    "[gateway]",
    "[[provider]]",
    'kind="vllm"',
    'name="a"',
    "listen",
    "=",
    "[",
    "]",
    '"""',
    "'",
    "\n",
    "\r",
]
SOUP = st.lists(st.one_of(st.sampled_from(KEYWORDS), st.text(max_size=5)), max_size=20).map("".join)


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=200), SOUP.map(lambda text: text.encode("utf-8", "replace"))))
@example(GOOD.encode())
@example(b'[[provider]]\nname="a"\nkind="vllm"\nmodels={"[[a]"="x","(?i"="y"}')
@example(b"provider = 1\nprofile = [[]]\nrule = {}")
def test_any_bytes_are_a_config_or_faults_that_name_themselves(data: bytes) -> None:
    try:
        config, faults = parse(decode(data, Path("c.toml")))
    except ConfigError as error:
        config, faults = None, [Fault(None, "", str(error).removeprefix("c.toml:"))]
    assert (config is None) == bool(faults)
    for fault in faults:
        shown = fault.text("c.toml")
        assert "; " in shown
        assert shown.isprintable()


def test_finding_a_config_does_not_import_pydantic() -> None:
    code = "import sys, crtui.config.find; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "key",
    [
        "gsk_CANARY0123456789abcd",
        "hf_CANARY0123456789abcd",
        "AIzaCANARY0123456789abcdef",
        "AKIACANARY0123456789",
    ],
)
def test_a_key_in_its_variables_place_is_refused_without_being_shown(tmp_path, key):
    path = tmp_path / "c.toml"
    path.write_text(f'[[provider]]\nname = "a"\nkind = "openai"\napi_key_env = "{key}"\n')
    [fault] = check(path, {})
    assert "give the name of the variable, not the key itself" in fault.message
    assert "CANARY" not in fault.text(path)


@pytest.mark.parametrize("name", ["HF_TOKEN", "fw_key", "sk_of_mine", "AKIA"])
def test_a_variable_may_begin_as_a_key_does(tmp_path, name):
    path = tmp_path / "c.toml"
    path.write_text(f'[[provider]]\nname = "a"\nkind = "openai"\napi_key_env = "{name}"\n')
    assert check(path, {}) == []
