"""The two ends of a measurement: a provider that answers at once, and a client that only measures.

Both are bare protocols on uvloop, so that what is measured is what lies between them.

    python -m tests.bench.load upstream            prints its port, serves until killed
    python -m tests.bench.load client URL ...      prints one JSON line of results
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import cast
from urllib.parse import urlsplit

import uvloop

ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hi there"}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
    }
).encode()
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(ANSWER),
    ANSWER,
)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNKS = 100
CHUNK_EVERY_S = 0.01


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Upstream(asyncio.Protocol):
    """Answers every request at once; one that says ``"stream":true`` with paced chunks."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, mark, rest = self._buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            length = 0
            for line in head.split(b"\r\n"):
                if line[:15].lower() == b"content-length:":
                    length = int(line[15:])
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            if b'"stream":true' in rest[:length] or b'"stream": true' in rest[:length]:
                self._transport.write(STREAM_HEAD)
                self._pace(CHUNKS)
            else:
                self._transport.write(WHOLE)

    def _pace(self, left: int) -> None:
        if self._transport.is_closing():
            return
        if left == 0:
            self._transport.write(_chunk(_event({}, "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n")
            return
        self._transport.write(_chunk(_event({"content": "word "})))
        asyncio.get_running_loop().call_later(CHUNK_EVERY_S, self._pace, left - 1)


class Client(asyncio.Protocol):
    """One connection that asks again as soon as it has its answer."""

    def __init__(self, request: bytes, results: Results) -> None:
        self._request = request
        self._results = results
        self._buffer = b""
        self._asked = 0.0
        self._chunks = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        if time.perf_counter() >= self._results.until:
            self._transport.close()
            self._results.finished()
            return
        self._buffer, self._chunks = b"", 0
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if self._results.stream:
            self._streamed(data, now)
            return
        self._buffer += data
        head, mark, body = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        if at >= 0:
            length = int(lowered[at + 15 :].split(b"\r\n", 1)[0])
            if len(body) < length:
                return
        elif not self._buffer.endswith(b"0\r\n\r\n"):
            return
        self._results.add(now - self._asked, ok=head.startswith(b"HTTP/1.1 200"))
        self._ask()

    def _streamed(self, data: bytes, now: float) -> None:
        if self._chunks == 0 and b"data: " in data:
            self._results.first.append(now - self._asked)
        count = data.count(b"data: ")
        self._chunks += count
        self._results.chunks += count
        self._buffer = (self._buffer + data)[-16:]
        # A head may end in these bytes too, where its last header's value ends in 0.
        if self._chunks and self._buffer.endswith(b"0\r\n\r\n"):
            self._results.add(now - self._asked, ok=self._chunks >= CHUNKS)
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if time.perf_counter() < self._results.until:
            self._results.failed += 1
            self._results.finished()


class Results:
    """What all connections of one run have seen."""

    def __init__(self, connections: int, seconds: float, *, stream: bool) -> None:
        self.stream = stream
        self.began = time.perf_counter()
        self.warm = self.began + min(1.0, seconds / 5)
        self.until = self.began + seconds
        self.times: list[float] = []
        self.first: list[float] = []
        self.chunks = 0
        self.failed = 0
        self._left = connections
        self.done = asyncio.Event()

    def add(self, seconds: float, *, ok: bool) -> None:
        if not ok:
            self.failed += 1
        elif time.perf_counter() >= self.warm:
            self.times.append(seconds)

    def finished(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self.done.set()

    def json(self) -> str:
        times, first = sorted(self.times), sorted(self.first)
        length = self.until - self.warm
        return json.dumps(
            {
                "requests": len(times),
                "per_s": len(times) / length,
                "p50_ms": _at(times, 0.5),
                "p99_ms": _at(times, 0.99),
                "first_p50_ms": _at(first, 0.5),
                "first_p99_ms": _at(first, 0.99),
                "chunks_per_s": self.chunks / (self.until - self.began),
                "stream_p50_ms": _at(times, 0.5) if self.stream else None,
                "failed": self.failed,
            }
        )


def _at(values: list[float], share: float) -> float | None:
    return round(values[min(len(values) - 1, int(share * len(values)))] * 1000, 4) if values else None


async def _upstream() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


async def _client(args: argparse.Namespace) -> None:
    url = urlsplit(args.url)
    assert url.hostname is not None
    body = {"model": "m", "stream": args.stream, "messages": [{"role": "user", "content": "x" * args.prompt}]}
    raw = json.dumps(body, separators=(",", ":")).encode()
    request = (
        f"POST {url.path} HTTP/1.1\r\nhost: {url.netloc}\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer sk-bench\r\ncontent-length: {len(raw)}\r\n\r\n"
    ).encode() + raw
    results = Results(args.connections, args.seconds, stream=args.stream)
    loop = asyncio.get_running_loop()
    for _ in range(args.connections):
        await loop.create_connection(lambda: Client(request, results), url.hostname, url.port)
    await asyncio.wait_for(results.done.wait(), args.seconds + 30)
    print(results.json())


def main() -> None:
    """Be one of the two ends."""
    parser = argparse.ArgumentParser()
    ends = parser.add_subparsers(dest="end", required=True)
    ends.add_parser("upstream")
    client = ends.add_parser("client")
    client.add_argument("url")
    client.add_argument("--connections", type=int, default=1)
    client.add_argument("--seconds", type=float, default=5)
    client.add_argument("--prompt", type=int, default=300)
    client.add_argument("--stream", action="store_true")
    args = parser.parse_args()
    uvloop.run(_upstream() if args.end == "upstream" else _client(args))


if __name__ == "__main__":
    main()
