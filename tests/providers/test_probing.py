"""A poll over real connections: what it sends, what it makes of faults, and that no key leaks."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping

import httpx
import pytest

from crtui.config.model import Config
from crtui.core.inputs import ModelReport, Poll
from crtui.core.now import Now
from crtui.providers.pages import MAX_PAGES
from crtui.providers.probing import MAX_BODY, Observation, ShownModels, observe, poll, probe_client
from crtui.providers.provider import Provider, build_providers
from crtui.providers.seen import Traits
from crtui.providers.trouble import Trouble, diagnose
from tests.fakes.upstream import (
    JSON,
    Exchange,
    Script,
    Upstream,
    compressed,
    html,
    ok_json,
    redirect,
    reset,
    stall,
    status,
    whole,
)
from tests.faults.rude import black_hole, resolve, server, silent

KEY = "sk-canary-0123456789abcdef"
WALL = 1_795_165_200_000

TAGS = ok_json({"models": [{"name": "a:1"}]})
PS = ok_json({"models": [{"name": "a:1", "size_vram": 7, "context_length": 4096}]})


def provider(upstream: Upstream, **table: object) -> Provider:
    return at(upstream.url, **table)


def at(url: str, kind: str = "vllm", **table: object) -> Provider:
    tables = [{"name": "p", "kind": kind, "base_url": url} | table]
    return build_providers(Config.model_validate({"provider": tables}), {"K": KEY})[0]["p"]


def by_path(scripts: Mapping[str, Script]) -> Script:
    async def script(exchange: Exchange) -> None:
        await scripts.get(exchange.seen.target, status(404, {}))(exchange)

    return script


async def polled(given: Provider, deadline_s: float = 5) -> Poll:
    async with probe_client() as client:
        return await poll(given, given.probes, client, WALL, deadline_s)


async def test_a_server_is_asked_for_all_it_tells_and_every_answer_counts() -> None:
    async with Upstream(by_path({"/api/tags": TAGS, "/api/ps": PS})) as upstream:
        assert await polled(provider(upstream, kind="ollama")) == Poll(
            "p", True, models=(ModelReport("a:1", True, 4096, 7),)
        )
    assert [(seen.method, seen.target) for seen in upstream.requests] == [
        ("GET", "/api/tags"),
        ("GET", "/api/ps"),
        ("GET", "/api/version"),
    ]
    assert all(seen.body == b"" and seen.header("authorization") is None for seen in upstream.requests)


LISTED = ok_json({"data": [{"id": "m"}]})
REFUSED = status(401, {"error": {"message": "Invalid API Key"}})


async def test_a_key_that_only_a_further_endpoint_checks_fails_the_poll_all_the_same() -> None:
    scripts = {"/health": ok_json({}), "/v1/models": LISTED, "/props": REFUSED}
    async with Upstream(by_path(scripts)) as upstream:
        result = await polled(provider(upstream, kind="llamacpp"))
    assert result == Poll("p", False, "HTTP 401: the key is refused")


async def test_a_key_that_does_not_do_for_what_is_only_nice_to_know_does_no_harm() -> None:
    scripts = {"/health": ok_json({}), "/v1/models": LISTED, "/metrics": REFUSED}
    async with Upstream(by_path(scripts)) as upstream:
        assert (await polled(provider(upstream, kind="vllm"))).ok


async def test_a_server_that_lists_models_while_it_loads_one_is_not_ready() -> None:
    loading = status(503, {"error": {"code": 503, "message": "Loading model"}})
    async with Upstream(by_path({"/health": loading, "/v1/models": LISTED})) as upstream:
        result = await polled(provider(upstream, kind="llamacpp"))
    assert result == Poll("p", False, "HTTP 503: Loading model")
    assert [seen.target for seen in upstream.requests] == ["/health"]


@pytest.mark.parametrize(("asleep", "asked"), [(True, False), (False, True), (None, True)])
async def test_a_sleeping_server_is_not_woken_to_look_at_its_slots(asleep: bool | None, asked: bool) -> None:
    props = ok_json({"is_sleeping": asleep, "total_slots": 1})
    async with Upstream(by_path({"/v1/models": LISTED, "/props": props})) as upstream:
        assert (await polled(provider(upstream, kind="llamacpp"))).ok
    assert ("/slots" in [seen.target for seen in upstream.requests]) is asked


async def observed(given: Provider, shown: ShownModels, deadline_s: float = 5) -> Observation:
    async with probe_client() as client:
        return await observe(given, given.probes, client, Now(7, WALL), deadline_s, shown)


def ollama(digest: str, show: Script) -> Script:
    rows = [{"name": name, "digest": digest, "size": 5} for name in ("a:1", "b:1")]
    return by_path({"/api/tags": ok_json({"models": rows}), "/api/ps": PS, "/api/show": show})


def show_calls(upstream: Upstream) -> list[str]:
    return sorted(seen.json["model"] for seen in upstream.requests if seen.target == "/api/show")


async def test_each_model_is_shown_once_and_again_when_it_has_changed() -> None:
    show = ok_json({"parameters": "num_ctx 8192", "capabilities": ["completion", "tools"]})
    shown: ShownModels = {}
    async with Upstream(ollama("1", show)) as upstream:
        seen = await observed(provider(upstream, kind="ollama"), shown)
        again = await observed(provider(upstream, kind="ollama"), shown)
        assert show_calls(upstream) == ["a:1", "b:1"]
        upstream.scripts = [ollama("2", show)]
        await observed(provider(upstream, kind="ollama"), shown)
        assert show_calls(upstream) == ["a:1", "a:1", "b:1", "b:1"]
    assert seen.poll.models == (ModelReport("a:1", True, 4096, 7), ModelReport("b:1", False, 8192))
    assert seen.traits["b:1"] == Traits(("tools",), 5, "1")
    assert (again.poll, again.traits, again.asked) == (seen.poll, seen.traits, Now(7, WALL))
    assert len(shown) == 2


@pytest.mark.parametrize("show", [status(404, {"error": "model 'a:1' not found"}), html, reset, stall])
async def test_a_model_that_cannot_be_shown_is_known_by_what_the_list_says(show: Script) -> None:
    shown: ShownModels = {}
    async with Upstream(ollama("1", show)) as upstream:
        deadline_s = 0.3 if show is stall else 5
        seen = await observed(provider(upstream, kind="ollama"), shown, deadline_s)
    assert seen.poll.models == (ModelReport("a:1", True, 4096, 7), ModelReport("b:1", False))
    assert seen.traits["a:1"] == Traits(None, 5, "1")
    assert shown == {}


@pytest.mark.parametrize("second", [status(500, {}), html, reset, stall])
async def test_a_failing_second_answer_leaves_its_fields_unknown(second: Script) -> None:
    async with Upstream(by_path({"/api/tags": TAGS, "/api/ps": second})) as upstream:
        result = await polled(provider(upstream, kind="ollama"), deadline_s=0.3 if second is stall else 5)
    assert result == Poll("p", True, models=(ModelReport("a:1"),))


def pages_of(kind: str, count: int) -> Mapping[str, Script]:
    """A list of so many pages with a model each, by the address it is asked for at."""
    anthropic = kind == "anthropic"
    first = "/v1/models?limit=1000" if anthropic else "/v1beta/models?pageSize=1000"
    query = "after_id" if anthropic else "pageToken"
    scripts: dict[str, Script] = {}
    for number in range(count):
        more, token = number < count - 1, f"m/{number}"
        if anthropic:
            page: dict[str, object] = {"data": [{"id": token}], "has_more": more, "last_id": token}
        else:
            page = {"models": [{"name": f"models/{token}"}]} | ({"nextPageToken": token} if more else {})
        scripts[f"{first}&{query}=m%2F{number - 1}" if number else first] = ok_json(page)
    return scripts


@pytest.mark.parametrize("kind", ["anthropic", "gemini"])
@pytest.mark.parametrize(("count", "asked"), [(3, 3), (MAX_PAGES + 5, MAX_PAGES)])
async def test_a_list_in_pages_is_read_to_its_end_within_a_bound(kind: str, count: int, asked: int) -> None:
    async with Upstream(by_path(pages_of(kind, count))) as upstream:
        found = await polled(provider(upstream, kind=kind, api_key_env="K"))
    assert found.models == tuple(ModelReport(f"m/{number}") for number in range(asked))
    assert len(upstream.requests) == asked
    names = {"x-api-key", "x-goog-api-key"}
    assert all(KEY in {value for name, value in seen.headers if name in names} for seen in upstream.requests)


async def test_a_server_that_always_promises_more_of_the_same_is_asked_no_third_time() -> None:
    page = ok_json({"data": [{"id": "m"}], "has_more": True, "last_id": "m"})
    async with Upstream(page) as upstream:
        found = await polled(provider(upstream, kind="anthropic", api_key_env="K"))
    assert (found.models, len(upstream.requests)) == ((ModelReport("m"),), 2)


@pytest.mark.parametrize("last_id", [None, "", 5, "x" * 5000])
async def test_a_next_page_that_nothing_can_ask_for_is_no_page(last_id: object) -> None:
    async with Upstream(ok_json({"data": [{"id": "m"}], "has_more": True, "last_id": last_id})) as upstream:
        assert (await polled(provider(upstream, kind="anthropic", api_key_env="K"))).ok
    assert len(upstream.requests) == 1


async def test_a_page_that_fails_fails_the_poll() -> None:
    (first, whole_page), *_ = pages_of("anthropic", 2).items()
    async with Upstream(by_path({first: whole_page, f"{first}&after_id=m%2F0": status(500, {})})) as upstream:
        found = await polled(provider(upstream, kind="anthropic", api_key_env="K"))
    assert (found.ok, found.error) == (False, "HTTP 500: {}")


@pytest.mark.parametrize(
    ("kind", "header", "target"),
    [
        ("anthropic", ("x-api-key", KEY), "/v1/models?limit=1000"),
        ("openai", ("authorization", f"Bearer {KEY}"), "/v1/models"),
        ("gemini", ("x-goog-api-key", KEY), "/v1beta/models?pageSize=1000"),
        ("vllm", ("authorization", f"Bearer {KEY}"), "/v1/models"),
    ],
)
@pytest.mark.fault("K12")
async def test_a_key_goes_in_the_kind_s_own_header_and_never_in_the_address(
    kind: str, header: tuple[str, str], target: str
) -> None:
    async with Upstream(ok_json({"data": [], "models": []})) as upstream:
        assert (await polled(provider(upstream, kind=kind, api_key_env="K"))).ok
    [seen] = [request for request in upstream.requests if request.target == target]
    assert seen.header(header[0]) == header[1]
    for request in upstream.requests:
        assert sum(KEY in value for _, value in request.headers) == 1
        assert KEY not in request.target


async def echo(exchange: Exchange) -> None:
    """An error that repeats every header it got, with an escape sequence."""
    text = f"bad\x1b[31m {exchange.seen.headers}"
    await status(400, {"error": {"message": text}})(exchange)


async def endless(exchange: Exchange) -> None:
    await exchange.head(200, JSON, ("transfer-encoding", "chunked"))
    while True:
        await exchange.chunk(b" " * 65536)


async def half_a_head(exchange: Exchange) -> None:
    await exchange.raw(b"HTTP/1.1 200 OK\r\ncontent-")
    exchange.close()


FAULTS: list[tuple[Script, str]] = [
    (status(503, {"error": {"message": "Loading model"}}), "HTTP 503: Loading model"),
    (status(400, {"detail": "Not authenticated"}), "HTTP 400: Not authenticated"),
    (status(400, {"message": "No such tenant"}), "HTTP 400: No such tenant"),
    (status(400, [{"error": {"code": 400, "message": "API key expired"}}]), "HTTP 400: API key expired"),
    (whole(502, b"<html><title>502 Bad Gateway</title>"), "HTTP 502: 502 Bad Gateway"),
    (whole(503, b""), "HTTP 503"),
    (
        status(401, {"error": {"message": "Incorrect API key provided: sk-ca"}}),
        "HTTP 401: the key is refused",
    ),
    (status(404, {}), "HTTP 404: no such endpoint; are base_url and kind right?"),
    (redirect, "HTTP 307: redirected; correct base_url"),
    (html, "the answer is not JSON; is base_url right?"),
    (compressed, "the answer is compressed although that was declined"),
    (endless, "the answer is larger than 4 MiB"),
    (half_a_head, "connection closed without an answer"),
]


@pytest.mark.parametrize(("script", "error"), FAULTS, ids=[row[1] for row in FAULTS])
async def test_each_fault_is_told_in_plain_words(script: Script, error: str) -> None:
    async with Upstream(script) as upstream:
        assert await polled(provider(upstream, kind="vllm", api_key_env="K")) == Poll("p", False, error)


async def test_a_reset_is_told() -> None:
    async with Upstream(reset) as upstream:
        assert (await polled(provider(upstream, kind="vllm"))).error == "connection reset"


@pytest.mark.fault("K13")
async def test_an_answer_that_quotes_the_key_shows_neither_key_nor_escapes() -> None:
    async with Upstream(echo) as upstream:
        result = await polled(provider(upstream, kind="vllm", api_key_env="K"))
    assert result.error.startswith("HTTP 400: bad [")
    assert "canary" not in result.error
    assert result.error.isprintable()


@pytest.mark.fault("K13")
async def test_where_an_answer_that_repeats_the_key_is_cut_no_part_of_the_key_is_left() -> None:
    said = {"error": {"message": f"{KEY} " * 10 + f"cut here: {KEY}"}}
    async with Upstream(status(400, said)) as upstream:
        result = await polled(provider(upstream, kind="vllm", api_key_env="K"))
    assert "canary" not in result.error


async def test_silence_ends_at_the_deadline() -> None:
    async with Upstream(stall) as upstream:
        seen = await observed(provider(upstream, kind="vllm"), {}, deadline_s=0.05)
    assert (seen.poll, seen.unreached) == (Poll("p", False, "no answer in time"), False)


async def test_a_handshake_that_stalls_is_lateness_of_a_host_that_is_there() -> None:
    async with server(silent) as port:
        seen = await observed(at(f"https://127.0.0.1:{port}"), {}, deadline_s=0.5)
    assert (seen.poll.error, seen.unreached) == ("no answer in time", False)


async def test_a_host_that_takes_no_connection_until_the_deadline_is_unreached() -> None:
    with black_hole() as port:
        seen = await observed(at(f"http://127.0.0.1:{port}"), {}, deadline_s=0.05)
    assert (seen.poll, seen.unreached) == (Poll("p", False, "no connection in time"), True)


async def test_a_host_that_was_reached_for_one_page_of_a_list_was_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names: dict[str, list[str] | Callable[[], None]] = {"here.test": ["127.0.0.1"]}
    resolve(monkeypatch, names)

    async def once(exchange: Exchange) -> None:
        names["here.test"] = lambda: None
        await ok_json({"data": [{"id": "m"}], "has_more": True, "last_id": "m"})(exchange)

    async with Upstream(once) as upstream:
        given = at(f"http://here.test:{upstream.port}", kind="anthropic", api_key_env="K")
        seen = await observed(given, {})
    assert (seen.poll, seen.unreached) == (Poll("p", False, "host name not found"), False)


async def test_a_provider_whose_key_is_missing_fails_without_a_request() -> None:
    async with Upstream(ok_json({"data": []})) as upstream:
        result = await polled(provider(upstream, kind="openai", api_key_env="UNSET"))
    assert result == Poll("p", False, "no key; `crtui check` tells why")
    assert upstream.requests == []


@pytest.mark.parametrize("code", [404, 405, 501])
async def test_a_server_without_a_model_list_is_reachable_all_the_same(code: int) -> None:
    async with Upstream(status(code, {})) as upstream:
        assert await polled(provider(upstream, kind="openai-compatible")) == Poll("p", True)


async def refused(client: httpx.AsyncClient) -> None:
    async with Upstream(html) as upstream:
        url = upstream.url
    await client.get(url)


async def hung_up_on(client: httpx.AsyncClient) -> None:
    async def close(exchange: Exchange) -> None:
        exchange.close()

    async with Upstream(close) as upstream:
        await client.get(upstream.url)


async def clear_text_to_tls(client: httpx.AsyncClient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        await client.get(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (refused, "connection refused"),
        (hung_up_on, "connection closed without an answer"),
        (clear_text_to_tls, "TLS handshake failed (does base_url need http instead of https?)"),
    ],
)
async def test_why_no_connection_came_about_is_told(
    attempt: Callable[[httpx.AsyncClient], Awaitable[None]],
    words: str,
) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.TransportError) as told:
            await attempt(client)
    assert diagnose(told.value) == Trouble(words)


@pytest.mark.parametrize(
    ("cause", "trouble"),
    [
        (socket.gaierror(-2, "canary"), Trouble("host name not found", unreached=True)),
        (ssl.SSLCertVerificationError("canary"), Trouble("TLS certificate refused")),
        (ExceptionGroup("canary", [OSError("v6"), ConnectionRefusedError()]), Trouble("connection refused")),
        (OSError("canary"), Trouble("no connection", unreached=True)),
    ],
)
@pytest.mark.fault("K12", "N03", "N08")
def test_the_reason_is_looked_for_behind_the_error_and_its_own_text_is_not_shown(
    cause: Exception, trouble: Trouble
) -> None:
    error = httpx.ConnectError("canary")
    error.__cause__ = OSError("canary")
    error.__cause__.__cause__ = cause
    assert diagnose(error) == trouble


def test_what_is_no_fault_of_the_connection_is_an_unusable_answer() -> None:
    assert diagnose(KeyError("canary")) == Trouble("unusable answer")


async def test_the_body_s_bound_is_exact() -> None:
    filler = b'{"data":[]}' + b" " * (MAX_BODY - 11)
    async with Upstream(whole(200, filler), whole(200, filler + b" ")) as upstream:
        given = provider(upstream, kind="openai-compatible")
        assert [(await polled(given)).ok, (await polled(given)).ok] == [True, False]


async def test_cancelling_a_poll_ends_it() -> None:
    async with Upstream(stall) as upstream:
        task = asyncio.create_task(polled(provider(upstream, kind="vllm")))
        await upstream.request(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.fault("N22")
async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Upstream(html) as proxy, Upstream(ok_json({"data": []})) as upstream:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert (await polled(provider(upstream, kind="vllm"))).ok
        assert proxy.requests == []
