"""What a vLLM server tells of itself: https://docs.vllm.ai/en/latest/usage/metrics.html."""

from __future__ import annotations

from crtui.core.views import ServerView
from crtui.providers.exposition import fullest, read_gauges, total
from crtui.providers.reading import parse, text
from crtui.providers.seen import Seen


def read_vllm_version(body: bytes, wall: int) -> Seen:
    """``GET /version``."""
    return Seen(server=ServerView(version=text(parse(body), "version")))


def read_vllm_metrics(body: bytes, wall: int) -> Seen:
    """``GET /metrics``: requests and the key-value cache, summed over engines (the fullest cache counts).

    The cache's gauge was called ``gpu_cache_usage_perc`` before 0.10.
    """
    gauges = read_gauges(body)
    return Seen(
        server=ServerView(
            running=total(gauges, "vllm:num_requests_running"),
            waiting=total(gauges, "vllm:num_requests_waiting"),
            cache_ratio=fullest(gauges, "vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
        )
    )
