"""Secrets that are known beforehand, and searched for in everything that leaves a running gateway."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from pathlib import Path

import httpx
import pytest

from crtui.cli import main
from tests.cli.conftest import Place
from tests.fakes.terminal import Terminal, crtui, environ
from tests.fakes.upstream import SSE, Exchange, Upstream, ok_json, status
from tests.gateway.wires import CHAT_START, COMPLETION, chat_request, chat_text

OURS = "sk-canary-ours-0123456789abcdefghij"
TOKEN = "canary-token-0123456789abcdefghij"
CALLERS = "sk-canary-callers-0123456789abcdef"
PROMPT = "canary-prompt-my-innermost-thoughts"
ANSWER = "canary-answer-as-secret-as-the-prompt"
SESSIONS = itertools.count()
CANARIES = (OURS, TOKEN, CALLERS, PROMPT, ANSWER)
FORGED = "2026-11-20T09:00:00.000Z attempt.ok forged"


def provider(name: str, upstream: Upstream) -> str:
    return (
        f'[[provider]]\nname = "{name}"\nkind = "openai-compatible"\nbase_url = "{upstream.url}"\n'
        'auth = "key"\napi_key_env = "OUR_KEY"\npoll_s = 0\n'
    )


async def echo(exchange: Exchange) -> None:
    """An error that quotes everything it got, over several lines."""
    seen = exchange.seen
    text = f"no such thing\n{FORGED}\n\x1b]0;owned\x07 {seen.headers} {OURS}"
    await status(500, {"error": {"message": text}}, ("x-request-id", OURS))(exchange)


async def echo_in_the_stream(exchange: Exchange) -> None:
    """The same after content."""
    await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
    await exchange.chunk(CHAT_START + chat_text(ANSWER))
    await asyncio.sleep(0.1)  # so that the content has been passed on
    error = json.dumps({"error": {"message": f"key {OURS}\n{FORGED}", "code": 500}})
    await exchange.chunk(b"data: " + error.encode() + b"\n\n")
    await exchange.end()


async def ask(url: str, *, stream: bool = False) -> bytes:
    headers = {
        "content-type": "application/json",
        "authorization": f"Bearer {TOKEN}",
        "x-forwarded-for": CALLERS,
        "cookie": CALLERS,
        "x-claude-code-session-id": f"session-{OURS}-{next(SESSIONS)}",
    }
    model = f"a-model-{OURS}"
    body = chat_request(stream=stream, model=model, messages=[{"role": "user", "content": PROMPT}])
    got = b""
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("POST", f"{url}/v1/chat/completions", content=body, headers=headers) as answer,
    ):
        got += repr(answer.headers).encode()
        with contextlib.suppress(httpx.RemoteProtocolError):
            async for piece in answer.aiter_raw():
                got += piece
    return got


async def get(url: str, path: str) -> bytes:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{url}{path}", headers={"x-api-key": TOKEN})
        assert answer.status_code == 200
        return answer.content


def found(where: dict[str, bytes], *but: str) -> list[tuple[str, str]]:
    return [
        (name, canary)
        for name, data in where.items()
        for canary in CANARIES
        if canary.encode() in data and canary not in but
    ]


def files(folder: Path) -> dict[str, bytes]:
    # The token file of the state directory holds the control token, which is none of these.
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.fault("K10", "K11", "K13", "K25", "K29")
async def test_no_secret_is_in_anything_that_is_written_or_told(
    place: Place, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    good = ok_json({**COMPLETION, "choices": [{"message": {"content": ANSWER}}]})
    async with Upstream(echo, echo, echo_in_the_stream) as a, Upstream(good) as b:
        config = place.config(provider("a", a) + provider("b", b))
        keys = {"OUR_KEY": OURS, "CRTUI_TOKEN": TOKEN}
        trace = place.path / "trace.jsonl"
        with place.serving(config, "--trace", str(trace), **keys) as serving:
            told = {
                "failed over": await ask(serving.url),
                "failed over again": await ask(serving.url),
                "broken off": await ask(serving.url, stream=True),
            }
            for path in ("/crtui/v1/state", "/metrics", "/v1/models"):
                told[path] = await get(serving.url, path)
            with pytest.raises(SystemExit):
                main(["export", "--state-dir", str(place.path / "state")])
            told["export"] = b"".join(capsysbinary.readouterr())
            await asyncio.to_thread(serving.logged, "attempt.ok")
            serving.process.terminate()
            serving.process.wait(10)
            assert serving.process.stderr is not None
            told["log"] = "\n".join(serving.log).encode() + serving.process.stderr.read().encode()
        lines = list(serving.log)
    told |= files(place.path / "state")
    told["trace"] = trace.read_bytes()
    assert b'"crtui":"trace"' in told["export"]
    answers = {name: told.pop(name) for name in ("failed over", "failed over again", "broken off")}
    assert found(told) == []
    assert found(answers, ANSWER) == []
    assert all(ANSWER.encode() in data for data in answers.values())
    assert b'"error"' in answers["broken off"]
    assert [seen.header("authorization") for seen in a.requests] == [f"Bearer {OURS}"] * len(a.requests)
    assert TOKEN not in str([seen.headers for seen in (*a.requests, *b.requests)])
    assert [line for line in lines if line.startswith(FORGED)] == []
    assert len([line for line in lines if "attempt.failed" in line]) == 2
    assert not {"\x1b", "\x07"} & set("".join(lines))


@pytest.mark.long
@pytest.mark.fault("K11", "K14", "X22")
async def test_a_second_screen_attaches_shows_no_secret_and_keeps_no_state(place: Place) -> None:
    async with Upstream(echo) as a:
        keys = {"OUR_KEY": OURS, "CRTUI_TOKEN": TOKEN}
        with place.serving(place.config(provider("a", a)), **keys) as serving:
            await ask(serving.url)
            argv = crtui("attach", serving.url, "--state-dir", str(place.path / "other"), "--read-only")
            with Terminal(argv, environ(place.path, **keys), (140, 40)) as terminal:
                terminal.until("no such thing")
                terminal.send("x")
                terminal.until("Esc")
                terminal.send("\x1b")
                terminal.read(0.3)
                terminal.send("q")
                assert terminal.wait() == 0
                assert found({"screen": bytes(terminal.output)}) == []
                assert b"\x1b]0;owned" not in terminal.output
    assert not (place.path / "other" / "journal.db").exists()
