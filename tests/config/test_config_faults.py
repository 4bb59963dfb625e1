"""Every bound and cross-reference of a config is refused with its line, its key and a remedy."""

import re
from pathlib import Path

import pytest

from crtui.config.load import check, load_config, parse
from crtui.errors import ConfigError

A = '[[provider]]\nname = "a"\nkind = "ollama"\n'
OPENAI = '[[provider]]\nname = "a"\nkind = "openai"\n'

# Added line, key, what is said. Each is appended as line 4 to provider "a".
PROVIDER = [
    ("threshold = 1", "provider[1].threshold", "1 is too small; use at least 2"),
    ("threshold = 21", "provider[1].threshold", "21 is too large; use at most 20"),
    (
        "threshold = 2.5",
        "provider[1].threshold",
        "is not a whole number; write it without quotes or fraction",
    ),
    (
        "threshold = true",
        "provider[1].threshold",
        "is not a whole number; write it without quotes or fraction",
    ),
    ("recovery_s = 0.5", "provider[1].recovery_s", "0.5 is too small; use at least 1"),
    ("recovery_s = 86401", "provider[1].recovery_s", "86401 is too large; use at most 86_400"),
    ("probe = 1", "provider[1].probe", "is not true or false; write one of them without quotes"),
    ("weight = -1", "provider[1].weight", "-1 is too small; use at least 0"),
    ("capacity = 0", "provider[1].capacity", "0 is too small; use at least 1"),
    ("tier = -1", "provider[1].tier", "-1 is too small; use at least 0"),
    ("connect_timeout_s = 0", "provider[1].connect_timeout_s", "0 is too small; use at least 0.01"),
    (
        "first_byte_timeout_s = nan",
        "provider[1].first_byte_timeout_s",
        "is not a finite number; give a plain one",
    ),
    ("idle_timeout_s = inf", "provider[1].idle_timeout_s", "is not a finite number; give a plain one"),
    ('idle_timeout_s = "9"', "provider[1].idle_timeout_s", "is not a number; write it without quotes"),
    ("daily_tokens = -1", "provider[1].daily_tokens", "-1 is too small; use at least 0"),
    ("monthly_usd = -0.01", "provider[1].monthly_usd", "-0.01 is too small; use at least 0"),
    ("price = { input = -1 }", "provider[1].price.input", "-1 is too small; use at least 0"),
    ("price = { inptu = 1 }", "provider[1].price.inptu", "unknown key; did you mean 'input'?"),
    (
        "price = 3",
        "provider[1].price",
        "is not a table; write it as a [table] of its own or as { key = value }",
    ),
    ("capabilities = { context = 0 }", "provider[1].capabilities.context", "0 is too small; use at least 1"),
    ("poll_s = 0.5", "provider[1].poll_s", "is too often; use at least 1, or 0 for no polling"),
    ("poll_s = 86401", "provider[1].poll_s", "86401 is too large; use at most 86_400"),
    ('model = ""', "provider[1].model", "is empty; give a value, or leave the key out"),
    (r'model = "a\u001bb"', "provider[1].model", "holds control characters; take them out"),
    (f'model = "{"m" * 257}"', "provider[1].model", "is too long; use at most 256 characters"),
    ('models = ["x"]', "provider[1].models", 'is not a table; write it as { key = "value" }'),
    ('wires = "chat"', "provider[1].wires", 'is not a list; write it in brackets, as in ["a", "b"]'),
    ("wires = []", "provider[1].wires", "is empty; name at least one, or leave the key out"),
    ('wires = ["chat", "chat"]', "provider[1].wires", "names 'chat' more than once; leave one"),
    ('wires = ["mesages"]', "provider[1].wires[1]", "'mesages' is not known; did you mean 'messages'?"),
    ('declare_models = ["x", "x"]', "provider[1].declare_models", "names 'x' more than once; leave one"),
    (
        'base_url = "ftp://x"',
        "provider[1].base_url",
        'is not an http or https URL; write it as "https://host[:port]"',
    ),
    (
        'base_url = "http://"',
        "provider[1].base_url",
        'is not an http or https URL; write it as "https://host[:port]"',
    ),
    (
        'base_url = "http://u:p@x"',
        "provider[1].base_url",
        "holds a user name or password; name the key with api_key_env instead",
    ),
    (
        'base_url = "http://x/?q=1"',
        "provider[1].base_url",
        "has a query or fragment; leave out everything from ? or # on",
    ),
    (
        'base_url = "http://x/#"',
        "provider[1].base_url",
        "has a query or fragment; leave out everything from ? or # on",
    ),
    ('base_url = "http://x:99999"', "provider[1].base_url", "is not a URL; check the host and the port"),
    ('base_url = "http://x y"', "provider[1].base_url", "has characters that no URL has; give a plain one"),
    (
        'base_url = "http://169.254.169.254"',
        "provider[1].base_url",
        "is a link-local address, which cloud metadata services use; use another address",
    ),
    ('auth = "keys"', "provider[1].auth", "'keys' is not known; did you mean 'key'?"),
    (
        'auth = "key"',
        "provider[1].auth",
        'is "key" but no key is named; '
        'add api_key_env = "MY_API_KEY", api_key_file = "..." or keyring = true',
    ),
    (
        'api_key_env = "A"\nkeyring = true',
        "provider[1].keyring",
        "comes on top of api_key_env; keep one of the two",
    ),
    (
        'api_key_env = "A"\napi_key_file = "/k"',
        "provider[1].api_key_file",
        "comes on top of api_key_env; keep one of the two",
    ),
    (
        'api_key_env = "A"\nauth = "client"',
        "provider[1].api_key_env",
        'has no use with auth = "client"; remove it or use auth = "key"',
    ),
    (
        'api_key_file = "key.txt"',
        "provider[1].api_key_file",
        "is not an absolute path; start it with / or ~/",
    ),
    (
        'chian = ["a"]',
        "provider[1].chian",
        "unknown key; use one of: name, kind, base_url, auth, api_key_env, "
        "api_key_file, keyring, wires, model, models, paid, weight, ...",
    ),
]

# A text of its own, line, key, what is said.
WHOLE = [
    ("[gateway]\nlistn = 1\n", 2, "gateway.listn", "unknown key; did you mean 'listen'?"),
    ("[agents]\nlog = true\n", 2, "agents.log", "unknown key; did you mean 'logs'?"),
    ("[gatway]\n", 1, "gatway", "unknown key; did you mean 'gateway'?"),
    ("gateway = 3\n", 1, "gateway", "is not a table; write it as a [table] of its own or as { key = value }"),
    ('[gateway]\nlisten = "4747"\n', 2, "gateway.listen", 'is not HOST:PORT; write it as "127.0.0.1:4747"'),
    (
        '[gateway]\nlisten = "h:65536"\n',
        2,
        "gateway.listen",
        'is not HOST:PORT; write it as "127.0.0.1:4747"',
    ),
    (
        '[gateway]\nlisten = "::1:80"\n',
        2,
        "gateway.listen",
        'has no usable host; write it as "127.0.0.1:4747" or "[::1]:4747"',
    ),
    (
        '[gateway]\nlisten = "[nope]:80"\n',
        2,
        "gateway.listen",
        'has no IPv6 address in the brackets; write it as "[::1]:4747"',
    ),
    (
        '[gateway]\nlisten = "0.0.0.0:80"\n',
        2,
        "gateway.listen",
        "is reachable from other machines; set a token in CRTUI_TOKEN, or listen on 127.0.0.1",
    ),
    (
        '[gateway]\nallowed_hosts = ["ok",\n "http://x"]\n',
        3,
        "gateway.allowed_hosts[2]",
        "is not a host name; give the name alone, without scheme and port",
    ),
    ("[gateway]\nmax_body_mb = 0\n", 2, "gateway.max_body_mb", "0 is too small; use at least 1"),
    (
        "[gateway]\nmax_in_flight = 10001\n",
        2,
        "gateway.max_in_flight",
        "10001 is too large; use at most 10_000",
    ),
    (
        '[routing]\ndefault_profile = "fast"\n',
        2,
        "routing.default_profile",
        "is 'fast', which no [[profile]] has; use one of: default",
    ),
    (A + A, 5, "provider[2].name", "'a' is taken by an earlier [[provider]]; choose another"),
    ('[[provider]]\nkind = "ollama"\n', 1, "provider[1].name", "is missing; add it"),
    ('[[provider]]\nname = "a"\n', 1, "provider[1].kind", "is missing; add it"),
    (
        '[[provider]]\nname = "a"\nkind = "olama"\n',
        3,
        "provider[1].kind",
        "'olama' is not known; did you mean 'ollama'?",
    ),
    (
        '[[provider]]\nname = "a b"\nkind = "ollama"\n',
        2,
        "provider[1].name",
        "is not a usable name; use 1 to 64 letters, digits, . _ @ or -, the first a letter or digit",
    ),
    (
        '[[provider]]\nname = "../x"\nkind = "ollama"\n',
        2,
        "provider[1].name",
        "is not a usable name; use 1 to 64 letters, digits, . _ @ or -, the first a letter or digit",
    ),
    (
        '[[provider]]\nname = "a"\nkind = "openai-compatible"\n',
        1,
        "provider[1].base_url",
        'is missing, and openai-compatible has no usual one; add base_url = "https://host[:port]"',
    ),
    (
        OPENAI + 'wires = ["messages"]\n',
        4,
        "provider[1].wires",
        "has 'messages', which openai does not speak; use of: chat, responses",
    ),
    (
        OPENAI + 'auth = "key"\n',
        4,
        "provider[1].auth",
        'is "key" but no key is named; '
        'add api_key_env = "OPENAI_API_KEY", api_key_file = "..." or keyring = true',
    ),
    (
        A + '[provider.models]\n"(" = "m"\n',
        5,
        "provider[1].models.(",
        "is not a regular expression (missing ), unterminated subpattern at position 0); "
        "escape it or correct it",
    ),
    (
        A + '[[rule]]\nprofile = "default"\nwhen = { content_regex = "(?<=a)b" }\n',
        6,
        "rule[1].when.content_regex",
        "is not a regular expression (invalid perl operator: (?<=); "
        "escape it or correct it, without look-around and back-references",
    ),
    (
        A + '[[profile]]\nname = "default"\nchain = []\n',
        6,
        "profile[1].chain",
        "is empty; name at least one provider (a)",
    ),
    (
        A + '[[profile]]\nname = "default"\nchain = ["a",\n"b"]\n',
        7,
        "profile[1].chain[2]",
        "names 'b', which no [[provider]] has; use one of: a",
    ),
    (
        A + '[[profile]]\nname = "default"\nchain = ["a", "a"]\n',
        6,
        "profile[1].chain",
        "names 'a' more than once; leave one",
    ),
    (
        A + '[[profile]]\nname = "default"\nchain = ["a"]\ntactic = "prio"\n',
        7,
        "profile[1].tactic",
        "'prio' is not known; did you mean 'priority'?",
    ),
    (
        A + '[[profile]]\nname = "default"\nchain = ["a"]\nhealth_action = "kill"\n',
        7,
        "profile[1].health_action",
        "'kill' is not known; use one of: off, warn, demote, exclude",
    ),
    (
        A + '[[profile]]\nname = "default"\nchain = ["a"]\nmemory_pressure_cooldown_s = 9\n',
        7,
        "profile[1].memory_pressure_cooldown_s",
        "9 is too small; use at least 10",
    ),
    (
        A + '[[profile]]\nname = "default"\nchain = ["a"]\nmemory_pressure_cooldown_s = 3601\n',
        7,
        "profile[1].memory_pressure_cooldown_s",
        "3601 is too large; use at most 3_600",
    ),
    (
        A + '[[profile]]\nname = "default"\nchain = ["a"]\naffinity_s = -1\n',
        7,
        "profile[1].affinity_s",
        "-1 is too small; use at least 0",
    ),
    (
        A + '[[profile]]\nname = "fast"\nchain = ["a"]\n',
        None,
        "routing.default_profile",
        "is 'default', which no [[profile]] has; use one of: fast",
    ),
    (
        A + '[[rule]]\nprofile = "default"\nwhen = { has_image = false }\n',
        6,
        "rule[1].when.has_image",
        "is not one of its values; use true",
    ),
    (
        A + '[[rule]]\nprofile = "default"\nwhen = {}\n',
        6,
        "rule[1].when",
        "names nothing; name exactly one condition",
    ),
    (
        A + '[[rule]]\nprofile = "default"\nwhen = { has_image = true, has_tools = true }\n',
        6,
        "rule[1].when",
        "names has_image and has_tools; name exactly one condition",
    ),
    (
        A + '[[rule]]\nprofile = "default"\nwhen = { code_fence_ratio_min = 1.1 }\n',
        6,
        "rule[1].when.code_fence_ratio_min",
        "1.1 is too large; use at most 1",
    ),
    (
        A + '[[rule]]\nprofile = "default"\nwhen = { content_token_count_min = 0 }\n',
        6,
        "rule[1].when.content_token_count_min",
        "0 is too small; use at least 1",
    ),
    (
        A + '[[rule]]\nprofile = "default"\nwhen = { content_contains = "" }\n',
        6,
        "rule[1].when.content_contains",
        "is empty; give a value, or leave the key out",
    ),
    (
        A + '[[rule]]\nprofile = "defalt"\nwhen = { has_image = true }\n',
        5,
        "rule[1].profile",
        "is 'defalt', which no [[profile]] has; did you mean 'default'?",
    ),
    (
        '[shared]\nurl = "http://x"\n',
        2,
        "shared.url",
        'is not a Redis URL; write it as "redis://127.0.0.1:6379/0"',
    ),
    (
        '[shared]\nurl = "redis://:pw@x"\n',
        2,
        "shared.url",
        "holds a password; a config holds none, take it out",
    ),
    ("[gateway\n", 1, "", "column 9: expected ']' at the end of a table declaration; correct the TOML"),
    ('a = "x\n', 1, "", "column 7: illegal character '\\n'; correct the TOML"),
    ("a = [\n", 1, "", "invalid value; correct the TOML"),
    ("a = " + "[" * 3000 + "\n", None, "", "is nested too deeply; no config needs that"),
    ("a = " + "9" * 5000 + "\n", None, "", "holds a number with thousands of digits; correct it"),
]


def faults_of(tmp_path: Path, text: str) -> list[tuple[int | None, str, str]]:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    return [(fault.line, fault.key, fault.message) for fault in check(path, {})]


@pytest.mark.parametrize(("line", "key", "message"), PROVIDER, ids=[row[0][:40] for row in PROVIDER])
@pytest.mark.fault("D24", "K20")
def test_each_wrong_provider_key_is_told(tmp_path: Path, line: str, key: str, message: str) -> None:
    wanted_line = 4 + [part.startswith(key.split(".")[1].split("[")[0]) for part in line.split("\n")].index(
        True
    )
    assert faults_of(tmp_path, A + line + "\n") == [(wanted_line, key, message)]


@pytest.mark.parametrize(("text", "line", "key", "message"), WHOLE, ids=[repr(row[0])[-40:] for row in WHOLE])
@pytest.mark.fault("D21", "D23", "D24", "D28", "K01", "P43", "S38")
def test_each_wrong_config_is_told(
    tmp_path: Path, text: str, line: int | None, key: str, message: str
) -> None:
    assert faults_of(tmp_path, text) == [(line, key, message)]


def test_every_fault_has_a_line_of_its_own_in_file_order(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[gateway]\nmax_body_mb = 0\n[[provider]]\nname = "a"\nkind = "x"\nwieght = 1\n')
    with pytest.raises(ConfigError) as told:
        load_config(path, {})
    lines = str(told.value).splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [f"{path}:2", "gateway.max_body_mb"],
        [f"{path}:5", "provider[1].kind"],
        [f"{path}:6", "provider[1].wieght"],
    ]
    assert all(re.search("; ", line) for line in lines)


@pytest.mark.parametrize(
    "line",
    [
        'api_key_env = "sk-ant-canary-0123456789"',
        'api_key = "sk-ant-canary-0123456789"',
        'api_key_file = "sk-ant-canary-0123456789"',
        'base_url = "http://sk-ant-canary-0123456789@x"',
        'auth = ["sk-ant-canary-0123456789"]',
        'kind = ["sk-ant-canary-0123456789"]',
    ],
)
def test_a_key_pasted_in_the_wrong_place_is_not_repeated(line: str) -> None:
    _, faults = parse('[[provider]]\nname = "a"\n' + line + "\n")
    assert faults
    assert "canary" not in "".join(fault.text("config.toml") for fault in faults)


def test_outside_text_in_a_fault_is_made_safe() -> None:
    _, faults = parse('"\\u001b]0;x\\u0007key\\u202e" = 1\n')
    assert [fault.key for fault in faults] == ["key"]
