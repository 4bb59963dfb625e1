"""What a run remembers: it begins where the last one ended, and keeps its own history."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from crtui.clock import Clock
from crtui.core.core import Core
from crtui.core.events import Event
from crtui.core.now import Now
from crtui.core.saved import BadDumpError
from crtui.core.settings import CoreSettings
from crtui.engine.credentials import Credentials
from crtui.engine.history import restore
from crtui.engine.journal import Dump, Journal
from crtui.engine.journal_writer import JournalWriter
from crtui.engine.notices import Notices
from crtui.engine.retention import Retention
from crtui.engine.state_dir import StateDir
from crtui.engine.store import NotSavingError, Store


@dataclass(slots=True)
class Run:
    """The core to begin with, and where its history goes; nowhere while ``journal`` is None.

    ``state`` is what the core knew at ``now``, the beginning; None: nothing.
    """

    core: Core
    now: Now
    state: Dump | None = None
    events: tuple[Event, ...] = ()
    journal: Journal | None = None
    writer: JournalWriter | None = None


def begin_run(
    state: StateDir,
    settings: CoreSettings,
    config: Mapping[str, object],
    clock: Clock,
    notices: Notices,
    *,
    seed: int = 0,
    retention: Retention | None = None,
    credentials: Credentials | None = None,
) -> Run:
    """Open the journal, restore what it knows, and begin a new segment of it.

    A provider whose credential is another one than at the last start is no longer refused for that one.

    Whatever is wrong with the directory or the journal becomes a notice, and the run goes on in memory.
    """
    now = clock.now()
    if state.notice is not None:
        return Run(Core(settings, now, seed), now)
    store = Store(state.path)
    past, amiss = None, None
    try:
        damaged = store.open(now.wall, thorough=True)
    except NotSavingError as fault:
        if fault.final:
            notices.put("journal", str(fault))
            return Run(Core(settings, now, seed), now)
        amiss = fault
    else:
        if damaged is not None:
            notices.add(damaged)
        past = _past(store, settings, now, notices, credentials.changed if credentials else ())
    core, events = past or (Core(settings, now, seed), ())
    known, journal = core.dump(now) if past else None, Journal()
    journal.begin(known, events, now)
    writer = JournalWriter(journal, store, retention or Retention(), clock, notices, config=config, seed=seed)
    if amiss is not None:
        writer.stop_saving(amiss, now)
    # At once, so that who looks from now on finds this run, and not the last one.
    writer.turn()
    if credentials is not None:
        credentials.keep()
    return Run(core, now, known, events, journal, writer)


def _past(
    store: Store, settings: CoreSettings, now: Now, notices: Notices, renewed: Collection[str]
) -> tuple[Core, tuple[Event, ...]] | None:
    try:
        return restore(store.db, settings, now, renewed)
    except BadDumpError as fault:
        notices.add(f"the last run's state cannot be read ({fault}); starting afresh, its history is kept")
    except (sqlite3.Error, LookupError, TypeError, ValueError) as fault:
        notices.add(f"the last run cannot be read ({fault!r:.80}); starting afresh")
    return None
