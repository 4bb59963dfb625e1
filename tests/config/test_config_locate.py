"""The locator finds the line of any key path in any valid TOML text."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.config import locate
from crtui.config.locate import line_of

TEXT = '''\
# [[provider]] in a comment
top = 1
text = """
[[provider]]
name = "not a table"
"""
raw = \'\'\'
[gateway] \'\'\'
[gateway]
listen = "x" # = [
allowed_hosts = [
  "a", # ]
  [ "b",
    "c" ],
]
[[provider]]
name = "a"
price = { input = 1, "out put" = 2, nested = { x = 1 } }
[[provider]]
name = "b"
models."x.y" = "]"
[provider.price]
input = 3
[[provider.sub]]
k = 1
[[provider.sub]]
k = 2
[ rule . "when" ]
has_image = true
'''

PLACES = [
    (("top",), 2),
    (("text",), 3),
    (("raw",), 7),
    (("gateway",), 9),
    (("gateway", "listen"), 10),
    (("gateway", "allowed_hosts"), 11),
    (("gateway", "allowed_hosts", 0), 12),
    (("gateway", "allowed_hosts", 1), 13),
    (("gateway", "allowed_hosts", 1, 1), 14),
    (("provider", 0), 16),
    (("provider", 0, "name"), 17),
    (("provider", 0, "price", "out put"), 18),
    (("provider", 0, "price", "nested", "x"), 18),
    (("provider", 1, "name"), 20),
    (("provider", 1, "models", "x.y"), 21),
    (("provider", 1, "price", "input"), 23),
    (("provider", 1, "sub", 1, "k"), 27),
    (("rule", "when", "has_image"), 29),
]


def test_the_text_of_this_table_is_valid_toml() -> None:
    assert tomllib.loads(TEXT)["provider"][1]["sub"] == [{"k": 1}, {"k": 2}]


@pytest.mark.parametrize(("path", "line"), PLACES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_key_is_found_on_its_line(path: tuple[str | int, ...], line: int, newline: str) -> None:
    assert line_of(TEXT.replace("\n", newline), path) == line


def test_a_missing_key_is_found_at_its_table() -> None:
    assert line_of(TEXT, ("provider", 1, "kind")) == 19


def test_what_is_nowhere_in_the_text_has_no_line() -> None:
    assert line_of(TEXT, ("shared", "url")) is None


KEYS = st.sampled_from(["a", "b-1", '"q\\u0041."', "'l it'"])
STRINGS = ['"s"', "'l#'", '"""m\n\n"]"""', "'''\nr'''", '""', '"""x"""""']
VALUES = st.recursive(
    st.sampled_from([*STRINGS, "1", "-1.5e3", "true", "1979-05-27 07:32:00", "inf"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[ # c ]\n" + ",\n".join(items) + "\n]"),
    max_leaves=5,
)


@given(st.lists(st.tuples(KEYS, VALUES, st.booleans()), max_size=6))
def test_after_any_values_the_next_key_is_still_found(entries: list[tuple[str, str, bool]]) -> None:
    text = "".join(
        f"[[t{i}]]\n{key} = {value}\n" if table else f"[u{i}]\n{key}={value} # c\n"
        for i, (key, value, table) in enumerate(entries)
    )
    text += "[last]\nkey = 1\n"
    assert tomllib.loads(text)["last"] == {"key": 1}
    assert line_of(text, ("last", "key")) == text.count("\n")


def test_many_questions_about_one_text_cost_one_reading_of_it(monkeypatch: pytest.MonkeyPatch):
    texts: list[str] = []

    class Counted(locate._Scan):
        def __init__(self, text: str) -> None:
            texts.append(text)
            super().__init__(text)

    monkeypatch.setattr(locate, "_Scan", Counted)
    text = "".join(f"key_{n} = 1\n" for n in range(200))
    assert [line_of(text, (f"key_{n}",)) for n in range(200)] == list(range(1, 201))
    assert texts == [text]
