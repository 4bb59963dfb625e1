"""Bodies that come compressed, unpacked within a bound: Codex packs its requests with zstd."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

UNCODED: Final = (b"", b"identity")
CODINGS: Final = (*UNCODED, b"gzip", b"x-gzip", b"deflate", b"zstd")
"""Values of ``content-encoding``, in lower case, that are read."""

_GZIP, _ZLIB, _RAW = 31, 15, -15
"""What zlib calls the three forms."""
_FED: Final = 16 * 1024
_PIECE: Final = 256 * 1024
_WINDOW: Final = 8 * 1024 * 1024
"""The most a zstd decoder of contents has to offer. RFC 9659."""


class BadCodingError(Exception):
    """A body that is not what its ``content-encoding`` says, or one that is not read."""


class UnpackedTooLargeError(Exception):
    """A body that is larger than its limit once it is unpacked."""


def unpacked(data: bytes, coding: bytes, limit: int) -> bytes:
    """The body behind ``coding``, at most ``limit`` bytes; one that is not coded is given back as it is.

    Counted before any of it is kept: a few hundred bytes can stand for a gigabyte.
    Raises ``BadCodingError`` or ``UnpackedTooLargeError``.
    """
    if coding in UNCODED:
        return data
    size = 0
    for piece in _pieces(data, coding):
        size += len(piece)
        if size > limit:
            raise UnpackedTooLargeError
    return b"".join(_pieces(data, coding))


def _pieces(data: bytes, coding: bytes) -> Iterator[bytes]:
    match coding:
        case b"gzip" | b"x-gzip":
            return _inflated(data, _GZIP)
        case b"deflate":
            return _inflated(data, _ZLIB if _has_zlib_head(data) else _RAW)
        case b"zstd":
            return _zstd(data)
        case _:
            raise BadCodingError


def _inflated(data: bytes, form: int) -> Iterator[bytes]:
    stream = zlib.decompressobj(form)
    try:
        for at in range(0, len(data), _FED):
            rest = data[at : at + _FED]
            while rest:
                yield stream.decompress(rest, _PIECE)
                rest = stream.unconsumed_tail
        yield stream.flush()
    except zlib.error:
        raise BadCodingError from None
    if not stream.eof or stream.unused_data:
        raise BadCodingError


def _has_zlib_head(data: bytes) -> bool:
    """Whether it has the two bytes that the standard wants and some senders leave out. RFC 1950."""
    return data[:1] == b"\x78" and int.from_bytes(data[:2], "big") % 31 == 0


def _zstd(data: bytes) -> Iterator[bytes]:
    import zstandard  # most clients never need it

    decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    try:
        with decoder.stream_reader(data, read_across_frames=True) as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except zstandard.ZstdError:
        raise BadCodingError from None
