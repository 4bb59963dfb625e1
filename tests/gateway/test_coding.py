"""Compressed requests are unpacked within the limit of a body, and nothing of a bomb is kept."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from crtui.gateway.coding import BadCodingError, UnpackedTooLargeError, unpacked
from tests.fakes.upstream import Upstream, ok_json

from .conftest import Open
from .wires import COMPLETION, chat_request

MIB = 2**20


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "deflate without its head": raw_deflate,
    "zstd": zstandard.ZstdCompressor().compress,
}


def coding(name: str) -> bytes:
    return name.partition(" ")[0].encode()


@pytest.mark.parametrize("name", PACKERS)
@given(st.binary(max_size=200), st.integers(min_value=1, max_value=5000))
def test_what_was_packed_comes_out_again(name: str, data: bytes, times: int) -> None:
    data *= times
    packed = PACKERS[name](data)
    assert unpacked(packed, coding(name), len(data)) == data
    if data:
        with pytest.raises(UnpackedTooLargeError):
            unpacked(packed, coding(name), len(data) - 1)


@pytest.mark.parametrize("name", PACKERS)
def test_of_a_bomb_nothing_is_kept(name: str) -> None:
    packed = PACKERS[name](bytes(64 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(UnpackedTooLargeError):
            unpacked(packed, coding(name), 32 * MIB)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * MIB


def test_a_frame_that_wants_a_window_of_its_own_size_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=27)
    packed = zstandard.ZstdCompressor(compression_params=wide).compress(bytes(200 * MIB))
    with pytest.raises(BadCodingError):
        unpacked(packed, b"zstd", 400 * MIB)


@pytest.mark.parametrize("name", [*PACKERS, "br"])
@given(st.binary(min_size=1, max_size=50))
def test_what_is_nothing_of_the_kind_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(BadCodingError):
        unpacked(b"\xff" + data, coding(name), MIB)


@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_a_part_is_not_the_whole(name: str) -> None:
    packed = PACKERS[name](b"hello" * 100)
    for wrong in (packed[:-1], packed + b"x"):
        with pytest.raises(BadCodingError):
            unpacked(wrong, coding(name), MIB)


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
async def test_a_compressed_request_goes_up_uncompressed(house: Open, name: str) -> None:
    body = chat_request()
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(PACKERS[name](body), content_encoding=name)
        seen = upstream.requests[0]
    assert answer.json == COMPLETION
    assert (seen.body, seen.header("content-encoding")) == (body, None)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (gzip.compress(bytes(2 * MIB), mtime=0), 413, "the body is over 1 MiB"),
        (chat_request(), 400, "the body is not valid gzip, as its content-encoding says"),
        (b"", 400, "the body is not valid gzip, as its content-encoding says"),
    ],
)
async def test_one_that_cannot_be_unpacked_is_refused_and_says_why(
    house: Open, body: bytes, status: int, words: str
) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(body, content_encoding="gzip")
    assert (answer.status, json.loads(answer.body)["error"]["message"]) == (status, words)
    assert upstream.requests == []
