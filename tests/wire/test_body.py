"""Request bodies: what is read, what is refused, and that nothing but the model's value changes."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.settings import Wire
from crtui.wire.codec import BadBodyError, Codec
from crtui.wire.keys import value_offsets
from crtui.wire.registry import codec_for

from .props import json_values, seeded

WIRES: list[Wire] = ["messages", "chat"]


@pytest.fixture(params=WIRES)
def codec(request: pytest.FixtureRequest) -> Codec:
    return codec_for(request.param)


@pytest.mark.parametrize(
    ("body", "model", "stream"),
    [
        (b'{"model":"m","stream":true,"messages":[]}', "m", True),
        (b'{"model":"m"}', "m", False),
        (b'{"stream":false}', None, False),
        (b'{"model":null,"stream":null}', None, False),
        (b'{"model":""}', None, False),
        (b" {} \n", None, False),
        (b'{"model":"m","unknown":{"model":1,"stream":2},"n":3}', "m", False),
        (b'{"model":"m","messages":"the upstream\'s business"}', "m", False),
        (b'{"model":"m","user":"cut \\ud83d emoji"}', "m", False),
        (b'{"model":"m","user":"not UTF-8 \xff"}', "m", False),
        (b'{"\\u006dodel":"m"}', "m", False),
    ],
)
@pytest.mark.fault("P16", "P39")
def test_model_and_stream_are_read_and_the_rest_is_the_upstreams_business(
    codec: Codec, body: bytes, model: str | None, stream: bool
) -> None:
    """RELIABILITY P39, P16."""
    facts = codec.read_request(body)
    assert (facts.model, facts.stream) == (model, stream)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"not json", "not valid JSON"),
        (b'{"model":"m"', "not valid JSON"),
        (b'{"model":NaN}', "not valid JSON"),
        (b'{"n":' + b"9" * 5_000 + b"}", "not valid JSON"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not valid JSON"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b'"model"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"model":7}', "model must be a string"),
        (b'{"model":["m"]}', "model must be a string"),
        (b'{"stream":"true"}', "stream must be true or false"),
        (b'{"stream":1}', "stream must be true or false"),
        (b'{"model":"a","model":"b"}', "model is given twice"),
        (b'{"model":"a","messages":[],"mod\\u0065l":"b"}', "model is given twice"),
        (b'{"stream":true,"x":1,"stream":false}', "stream is given twice"),
    ],
)
@pytest.mark.fault("P04", "P38")
def test_only_what_cannot_be_routed_is_refused_in_one_line(codec: Codec, body: bytes, words: str) -> None:
    """RELIABILITY P38, P04."""
    with pytest.raises(BadBodyError, match=words) as caught:
        codec.read_request(body)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b'{"model":"old","n":1}', b'{"model":"new","n":1}'),
        (b'{ "n" : 1 , "model" :\t"o\\"ld" , "m":2 }', b'{ "n" : 1 , "model" :\t"new" , "m":2 }'),
        (b'{"model":null}', b'{"model":"new"}'),
        (b'{"model" : 12.5e3\n}', b'{"model" : "new"\n}'),
        (b"{}", b'{"model":"new"}'),
        (b" { } ", b' { "model":"new"} '),
        (b'{"n":1}', b'{"model":"new","n":1}'),
        (
            b'{"t":{"model":"x"},"a":[{"model":"y"}]}',
            b'{"model":"new","t":{"model":"x"},"a":[{"model":"y"}]}',
        ),
        (b'{"t":{"model":"x"},"model":"old"}', b'{"t":{"model":"x"},"model":"new"}'),
        (
            b'{"a":"model","b":"\\"model\\":1","model":"o"}',
            b'{"a":"model","b":"\\"model\\":1","model":"new"}',
        ),
        (b'{"x\\"model":1,"y":"\\\\","model":"o"}', b'{"x\\"model":1,"y":"\\\\","model":"new"}'),
        (b'{"mod\\u0065l":"old","n":1}', b'{"mod\\u0065l":"new","n":1}'),
        (b'{"u":"\\ud83d \xff","model":"old"}', b'{"u":"\\ud83d \xff","model":"new"}'),
        (
            b'{"a":[' + b'{"model":1},' * 20 + b'1],"model":"o"}',
            b'{"a":[' + b'{"model":1},' * 20 + b'1],"model":"new"}',
        ),
    ],
)
def test_only_the_top_level_models_value_changes(codec: Codec, body: bytes, changed: bytes) -> None:
    assert codec.with_model(body, "new") == changed


def test_the_model_put_in_is_written_as_json(codec: Codec) -> None:
    assert orjson.loads(codec.with_model(b'{"model":"x"}', 'quo"te\\日')) == {"model": 'quo"te\\日'}


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b'{"model":[1]}', b'{"model":{"a":1}}'])
def test_a_body_that_is_plainly_no_request_is_refused(codec: Codec, body: bytes) -> None:
    with pytest.raises(BadBodyError):
        codec.with_model(body, "new")


keys = st.sampled_from(["model", "stream", "a", 'x"model', "mod\\", "\u007f", "é"])
objects = st.recursive(
    json_values | st.sampled_from(["model", '"model":', '{"model":1}', "\\"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=15,
)
written = st.builds(
    lambda fields, compact, escaped: json.dumps(
        fields, separators=(",", ":") if compact else (" , ", " : "), ensure_ascii=escaped
    ).encode("utf-8", "surrogatepass"),
    st.dictionaries(keys, objects, max_size=6),
    st.booleans(),
    st.booleans(),
)


@seeded
@given(written, st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
@pytest.mark.fault("P39")
def test_every_other_member_survives_in_its_place(body: bytes, old: str | None) -> None:
    """RELIABILITY W2, P39: against the standard library's view of the same bytes."""
    fields = json.loads(body)
    if "model" in fields or old is not None:
        fields["model"] = old
        body = json.dumps(fields).encode()
    changed = codec_for("chat").with_model(body, "new")
    expected = fields | {"model": "new"}
    assert json.loads(changed) == expected
    order = list(fields) if "model" in fields else ["model", *fields]
    assert list(json.loads(changed)) == order


@seeded
@given(st.lists(st.tuples(keys, objects), max_size=6), st.booleans())
@pytest.mark.fault("P38")
def test_repeated_top_level_keys_are_found_wherever_they_stand(
    members: list[tuple[str, object]], escaped: bool
) -> None:
    """RELIABILITY P38: by the naive count of the same members."""
    spelt = ["mod\\u0065l" if escaped and key == "model" else json.dumps(key)[1:-1] for key, _ in members]
    pairs = zip(spelt, members, strict=True)
    body = ("{" + ", ".join(f'"{key}" : {json.dumps(value)}' for key, (_, value) in pairs) + "}").encode()
    json.loads(body)
    for name in ("model", "stream"):
        assert len(value_offsets(body, name.encode())) == [key for key, _ in members].count(name)


@seeded
@given(st.binary(max_size=100) | json_values.map(orjson.dumps) | written)
def test_no_bytes_raise_anything_but_a_bad_body(body: bytes) -> None:
    """RELIABILITY W6."""
    for wire in WIRES:
        codec = codec_for(wire)
        try:
            codec.read_request(body)
            codec.read_content(body)
        except BadBodyError:
            continue
        assert codec.read_request(codec.with_model(body, "new")).model == "new"


@pytest.mark.parametrize(
    ("user_id", "session"),
    [
        ('{"device_id":"d","account_uuid":"","session_id":"s-1"}', "s-1"),
        ('{"device_id":"d"}', '{"device_id":"d"}'),
        ("{broken", "{broken"),
        ("user_ab_account__session_12", "user_ab_account__session_12"),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_the_messages_session_is_the_one_inside_the_user_id(user_id: object, session: str | None) -> None:
    body = orjson.dumps({"model": "m", "metadata": {"user_id": user_id}})
    assert codec_for("messages").read_request(body).session == session


@pytest.mark.parametrize(
    ("fields", "session"),
    [
        ({"prompt_cache_key": "k", "user": "u"}, "k"),
        ({"user": "u"}, "u"),
        ({"user": 7}, None),
        ({}, None),
        ({"user": "u" * 5_000}, "u" * 199 + "…"),
    ],
)
def test_the_chat_session_is_the_cache_key_else_the_user(
    fields: dict[str, object], session: str | None
) -> None:
    assert codec_for("chat").read_request(orjson.dumps(fields)).session == session
