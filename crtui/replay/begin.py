"""The core that a trace starts with: one that has seen nothing, or the state its header carries."""

from __future__ import annotations

from crtui.config.load import config_from_data
from crtui.core.core import Core
from crtui.core.saved import BadDumpError
from crtui.core.settings import CoreSettings
from crtui.errors import TraceError
from crtui.replay.reader import Header


def first_core(header: Header, name: str, settings: CoreSettings | None = None) -> Core:
    """The core at the trace's start; ``settings`` replaces its config.

    Raises ``TraceError`` or ``ConfigError``.
    """
    if settings is None:
        settings = config_from_data(header.config, f"{name}:1: config").to_core()
    if header.state is None:
        return Core(settings, header.at(0), header.seed)
    try:
        return Core.restore(settings, header.state, header.at(0))
    except BadDumpError as fault:
        raise TraceError(f"{name}:1: state: {fault}; it must be one that `crtui export` wrote") from fault
