from __future__ import annotations

from typing import Any

import httpx
import pytest

from crtui.demo.cast import CAST
from crtui.demo.limits import WARN_AT

from .conftest import PARTS, Opener, PatientClock

MESSAGES, CHAT = "/v1/messages", "/v1/chat/completions"


def body(name: str, **extra: object) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Find the slow test."}]
    return {"model": PARTS[name].models[0], "max_tokens": 64, "messages": messages} | extra


def client(base_url: str, name: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {PARTS[name].key}"}
    return httpx.AsyncClient(base_url=base_url.removesuffix("/v1"), headers=headers, trust_env=False)


async def post(
    opener: Opener, name: str, at_s: float, path: str = MESSAGES, **extra: object
) -> httpx.Response:
    provider = await opener(name, at_s)
    async with client(provider.base_url, name) as http:
        return await http.post(path, json=body(name, **extra))


@pytest.mark.parametrize("name", [part.name for part in CAST])
@pytest.mark.parametrize("stream", [False, True])
async def test_every_provider_serves_every_wire_it_lists(open_provider: Opener, name: str, stream: bool):
    provider = await open_provider(name, 0)
    async with client(provider.base_url, name) as http:
        for wire, path, marker in (("messages", MESSAGES, "message_stop"), ("chat", CHAT, "[DONE]")):
            answer = await http.post(path, json=body(name, stream=stream))
            assert answer.status_code == (200 if wire in PARTS[name].wires else 404)
            assert (marker in answer.text) == (stream and answer.status_code == 200)


@pytest.mark.parametrize("name", [part.name for part in CAST if part.key])
@pytest.mark.parametrize("path", [MESSAGES, "/v1/models"])
async def test_a_wrong_or_missing_key_is_refused_and_not_repeated(
    open_provider: Opener, name: str, path: str
):
    provider = await open_provider(name, 0)
    url = provider.base_url.removesuffix("/v1") + path
    async with httpx.AsyncClient(trust_env=False) as http:
        for headers in ({}, {"x-api-key": "sk-wrong"}, {"authorization": "Bearer sk-wrong"}):
            send = http.get(url, headers=headers) if path == "/v1/models" else http.post(url, headers=headers)
            answer = await send
            assert answer.status_code == 401
            assert "sk-" not in answer.text
        good = await http.get(
            provider.base_url.removesuffix("/v1") + "/v1/models", headers={"x-api-key": PARTS[name].key or ""}
        )
        assert good.status_code == 200


async def test_a_filling_subscription_tells_its_windows(open_provider: Opener, clock: PatientClock):
    headers = (await post(open_provider, "claude-max", 38)).headers
    prefix = "anthropic-ratelimit-unified-"
    assert headers[f"{prefix}status"] == headers[f"{prefix}5h-status"] == "allowed_warning"
    assert WARN_AT < float(headers[f"{prefix}5h-utilization"]) < 1
    assert headers[f"{prefix}7d-status"] == "allowed"
    in_s = int(headers[f"{prefix}5h-reset"]) - clock.now().wall / 1000
    assert in_s == pytest.approx(72 - 38, abs=1)
    assert int(headers[f"{prefix}7d-reset"]) > int(headers[f"{prefix}5h-reset"])


async def test_a_full_subscription_refuses_until_its_window_resets(open_provider: Opener):
    refused = await post(open_provider, "claude-max", 50)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "22"
    assert refused.headers["anthropic-ratelimit-unified-5h-status"] == "rejected"
    assert refused.headers["anthropic-ratelimit-unified-5h-utilization"] == "1.00"
    assert refused.json()["error"]["type"] == "rate_limit_error"
    again = await post(open_provider, "claude-max", 72)
    assert again.status_code == 200
    assert float(again.headers["anthropic-ratelimit-unified-5h-utilization"]) < 0.1


async def test_a_rate_limited_api_key_is_told_twenty_seconds(open_provider: Opener):
    refused = await post(open_provider, "anthropic-api", 14)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "20")
    assert refused.headers["anthropic-ratelimit-input-tokens-remaining"] == "0"
    served = await post(open_provider, "anthropic-api", 34)
    assert served.status_code == 200
    assert "retry-after" not in served.headers
    assert int(served.headers["anthropic-ratelimit-input-tokens-remaining"]) > 100_000


async def test_a_local_server_out_of_memory_says_so_and_unloads(open_provider: Opener):
    provider = await open_provider("ollama", 19)
    async with client(provider.base_url, "ollama") as http:
        for path in (MESSAGES, CHAT):
            answer = await http.post(path, json=body("ollama"))
            assert answer.status_code == 500
            assert answer.json()["error"].startswith("model requires more system memory (")
        assert (await http.get("/api/ps")).json() == {"models": []}


async def test_ollama_answers_its_free_endpoints(open_provider: Opener):
    provider = await open_provider("ollama", 0)
    async with client(provider.base_url, "ollama") as http:
        tags = (await http.get("/api/tags")).json()["models"]
        running = (await http.get("/api/ps")).json()["models"]
        assert [entry["name"] for entry in tags] == list(PARTS["ollama"].models)
        assert running[0]["name"] == tags[0]["name"]
        assert running[0]["size_vram"] > 0
        assert (await http.get("/api/version")).json()["version"]
        assert (await http.get("/api/nothing")).status_code == 404


async def test_a_loading_server_answers_503_to_everything(open_provider: Opener):
    provider = await open_provider("vllm-lab", 25)
    async with client(provider.base_url, "vllm-lab") as http:
        for answer in (
            await http.get("/health"),
            await http.get("/v1/models"),
            await http.post(CHAT, json=body("vllm-lab")),
        ):
            assert answer.status_code == 503
            assert "Loading model" in answer.text


async def test_a_crashed_server_refuses_connections_until_the_script_brings_it_back(
    open_provider: Opener, clock: PatientClock
):
    provider = await open_provider("vllm-lab", 0)
    url = provider.base_url
    async with client(url, "vllm-lab") as http:
        clock.advance(8_000)
        await provider.follow_script()
        with pytest.raises(httpx.ConnectError):
            await http.get("/health")
        clock.advance(22_000)
        await provider.follow_script()
        assert provider.base_url == url
        assert (await http.get("/health")).status_code == 200


async def read_as_far_as_it_goes(answer: httpx.Response) -> tuple[bytes, bool]:
    seen = b""
    try:
        async for data in answer.aiter_bytes():
            seen += data
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return seen, False
    return seen, True


async def test_one_stream_is_cut_without_an_end_and_the_next_is_whole(open_provider: Opener):
    provider = await open_provider("anthropic-api", 50)
    async with client(provider.base_url, "anthropic-api") as http:
        async with http.stream("POST", MESSAGES, json=body("anthropic-api", stream=True)) as answer:
            seen, whole = await read_as_far_as_it_goes(answer)
        assert not whole
        assert b"text_delta" in seen
        assert b"message_stop" not in seen
        after = await http.post(MESSAGES, json=body("anthropic-api", stream=True))
        assert "message_stop" in after.text


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"not json", 400), (b"[]", 400), (b'{"model":"x"}', 400), (b'{"model":"x","messages":[]}', 404)],
)
async def test_a_body_it_cannot_use_is_refused_in_the_wire_s_form(
    open_provider: Opener, content: bytes, status: int
):
    provider = await open_provider("openrouter", 0)
    async with client(provider.base_url, "openrouter") as http:
        answer = await http.post(CHAT, content=content)
        assert answer.status_code == status
        assert answer.json()["error"]["message"]


async def test_the_pace_follows_the_clock(open_provider: Opener, clock: PatientClock):
    await post(open_provider, "ollama", 0, stream=True)
    assert 1_000 < sum(clock.waits_ms) < 10_000
