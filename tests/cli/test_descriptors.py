"""With few file descriptors the gateway refuses what is too much, says so once, and serves on."""

from __future__ import annotations

import resource
import socket
import urllib.error
import urllib.request
from itertools import repeat

import pytest

from crtui.gateway.descriptors import connection_cap, raise_limit
from tests.cli.conftest import Place
from tests.cli.test_run import NOBODY

HARD = 128
TRIES = 500
"""It may take the server a moment to see all of them leave."""


@pytest.mark.fault("X14")
def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 512:
        pytest.skip("this machine allows too few descriptors to lower the limit")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        raised = raise_limit()
        assert raised == resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 256
        assert raise_limit() == raised
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(("descriptors", "cap"), [(1024, 511), (65_536, 32_767), (3, 1)])
@pytest.mark.fault("X14")
def test_the_cap_is_below_half(descriptors: int, cap: int) -> None:
    assert connection_cap(descriptors) == cap


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.mark.fault("X14")
def test_more_clients_than_descriptors_are_told_503_and_the_log_stays_quiet(place: Place) -> None:
    """RELIABILITY X14."""
    with place.serving(place.config(NOBODY), limit=HARD) as serving:
        host, port = serving.url.removeprefix("http://").split(":")
        clients = [socket.create_connection((host, int(port))) for _ in range(2 * HARD)]
        first = [client.recv(12) for client in clients[HARD:]]
        for client in clients:
            client.close()
        assert 200 in map(status, repeat(f"{serving.url}/healthz", TRIES))
        log = list(serving.log)
    assert set(first) == {b"HTTP/1.1 503"}
    assert len(log) < 5
