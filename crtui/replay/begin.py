"""What a trace starts with: a core that has seen nothing, or the state its header carries."""

from __future__ import annotations

from crtui.config.load import config_from_data
from crtui.core.saved import BadDumpError
from crtui.core.settings import CoreSettings
from crtui.engine.fold import Fold, core_at
from crtui.errors import TraceError
from crtui.replay.reader import Header


def first_fold(header: Header, name: str, settings: CoreSettings | None = None) -> Fold:
    """All that is known at the trace's start; ``settings`` replaces its config.

    Raises ``TraceError`` or ``ConfigError``.
    """
    if settings is None:
        settings = config_from_data(header.config, f"{name}:1: config").to_core()
    try:
        core = core_at(header.at(0), settings, header.seed, header.state)
    except BadDumpError as fault:
        raise TraceError(f"{name}:1: state: {fault}; it must be one that `crtui export` wrote") from fault
    return Fold(core, header.events, header.requests)
