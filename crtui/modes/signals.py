"""``crtui signals``: what was last heard of each provider, from the state directory; no gateway is needed."""

from __future__ import annotations

import asyncio
import os

import orjson

from crtui.clock import Clock, SystemClock
from crtui.config.load import load_config
from crtui.core.inputs import Poll
from crtui.engine.refresh import DEADLINE_S, Refresher
from crtui.engine.signals import Signal, SignalFiles
from crtui.errors import ConfigError, CrtuiError
from crtui.modes.options import Options
from crtui.modes.text import span
from crtui.providers.probing import poll, probe_client
from crtui.providers.provider import Provider, build_providers


def signals(options: Options, name: str | None, *, refresh: bool, as_json: bool) -> int:
    """Print the signals of one provider or of all; ``refresh`` asks the free endpoints first.

    Exit 0, or 2 for an unknown provider.
    """
    loaded = load_config(options.config, os.environ, options.listen)
    known = [table.name for table in loaded.config.providers]
    if loaded.path is None:
        raise ConfigError("there is no config, so no providers; `crtui init` writes one")
    if name is not None and name not in known:
        raise ConfigError(f"unknown provider {name!r}; the config has: {', '.join(known) or 'none'}")
    names = known if name is None else [name]
    files, clock = SignalFiles(options.state_path), SystemClock()
    if refresh:
        providers, _ = build_providers(loaded.config, os.environ)
        asked = [providers[each] for each in names if each in providers and providers[each].probes]
        try:
            asyncio.run(_refresh(files, clock, asked))
        except OSError as fault:
            raise CrtuiError(
                f"{files.folder}: {fault.strerror or fault}; choose another directory with --state-dir"
            ) from fault
    found = [files.read(each) or Signal(each) for each in names]
    wall = clock.now().wall
    if as_json:
        rows = [{**signal.to_json(), "fresh": signal.fresh(wall)} for signal in found]
        print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        width = max(map(len, names), default=0)
        print("\n".join(_line(signal, width, wall) for signal in found))
    return 0


async def _refresh(files: SignalFiles, clock: Clock, providers: list[Provider]) -> None:
    by_name = {provider.name: provider for provider in providers}
    async with probe_client() as client:

        async def ask(name: str) -> Poll:
            provider = by_name[name]
            return await poll(provider, provider.probes, client, clock.now().wall, DEADLINE_S)

        refresher = Refresher(files, ask, clock)
        await asyncio.gather(*(refresher.refresh(name) for name in by_name))


def _line(signal: Signal, width: int, wall: int) -> str:
    parts = [f"{signal.status:9}  {signal.provider:{width}}"]
    if signal.recorded_at is not None:
        age = span(wall - signal.recorded_at)
        parts.append(f"{age} ago" if signal.fresh(wall) else f"{age} ago (stale)")
    if signal.recent_p50_latency_ns is not None:
        parts.append(f"p50 {signal.recent_p50_latency_ns / 1e6:.0f} ms")
    if signal.quota_reset_at is not None and signal.quota_reset_at > wall:
        parts.append(f"resets in {span(signal.quota_reset_at - wall)}")
    if signal.last_error_msg and signal.status != "available":
        parts.append(signal.last_error_msg)
    return "  ".join(parts).rstrip()
