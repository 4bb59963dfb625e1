"""An HTTP client that shows the bytes: it tells a whole answer from a cut one, and it can be rude."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """An answer as it stood on the wire. ``whole``: its length was honoured or its last chunk came."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    whole: bool = False
    raw: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RudeClient:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._reader = reader
        self._writer = writer
        self._port = port

    @classmethod
    async def connect(cls, port: int, *, small_buffer: bool = False) -> RudeClient:
        """Connect; with ``small_buffer`` the kernel takes only a few KiB that are not read."""
        raw = socket.socket()
        raw.setblocking(False)
        if small_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
        except OSError:
            raw.close()
            raise
        reader, writer = await asyncio.open_connection(sock=raw, limit=4096 if small_buffer else 2**16)
        return cls(reader, writer, port)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        """Send a request. Header names may be written with underscores."""
        await self.send(self.head(method, path, len(body), **headers) + body)

    def head(self, method: str, path: str, length: int | None = None, **headers: str) -> bytes:
        fields = {"host": f"127.0.0.1:{self._port}"}
        if method == "POST":
            fields["content-type"] = "application/json"
        if length:
            fields["content-length"] = str(length)
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    async def read_head(self) -> Answer:
        raw = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = raw[:-4].decode("latin-1").split("\r\n")
        headers = [
            (name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)
        ]
        return Answer(int(first.split(" ")[1]), headers, raw=raw)

    async def read_some(self, wanted: bytes) -> bytes:
        """Raw bytes up to and with ``wanted``."""
        return await self._reader.readuntil(wanted)

    async def read(self) -> Answer:
        """A whole answer, or what there is of it when the connection ends."""
        answer = await self.read_head()
        length = answer.header("content-length")
        try:
            if length is not None:
                answer.body = await self._reader.readexactly(int(length))
                answer.whole = True
            else:
                await self._chunks(answer)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            answer.whole = False
        return answer

    async def rest(self) -> bytes:
        """Everything until the connection ends; a reset counts as an end."""
        data = b""
        try:
            while piece := await self._reader.read(65536):
                data += piece
        except ConnectionResetError:
            pass
        return data

    async def rest_until(self, end: bytes) -> bytes:
        """Everything up to the piece that holds ``end``."""
        data = bytearray()
        while end not in data[-len(end) - 65536 :]:
            data += await self._reader.read(65536)
        return bytes(data)

    def reset(self) -> None:
        """Leave with a RST."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        """Leave."""
        self._writer.close()

    async def _chunks(self, answer: Answer) -> None:
        while True:
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            data = await self._reader.readexactly(size + 2)
            if size == 0:
                answer.whole = True
                return
            answer.body += data[:-2]
