"""The command itself: which providers, what is printed, and how it ends."""

from __future__ import annotations

import asyncio
import os

import orjson

from crtui.clock import SystemClock
from crtui.config.load import load_config
from crtui.config.model import Config
from crtui.errors import ConfigError
from crtui.modes.doctor.cap import wants_prices
from crtui.modes.doctor.checks import Diagnosis
from crtui.modes.doctor.practice import Patient, Practice
from crtui.modes.doctor.report import report
from crtui.modes.options import Options
from crtui.providers.prices import PriceList
from crtui.providers.probing import probe_client
from crtui.providers.provider import build_providers


def doctor(options: Options, name: str | None, *, billed: bool, as_json: bool) -> int:
    """Examine one provider or all. Exit 0, or 1 where one cannot work. Raises ``ConfigError``."""
    loaded = load_config(options.config, os.environ, options.listen)
    if loaded.path is None:
        raise ConfigError("there is no config, so no providers; `crtui init` writes one")
    patients = _patients(loaded.config, name)
    found = asyncio.run(_diagnose(loaded.config, patients, billed=billed))
    if as_json:
        rows = {"providers": [diagnosis.to_json() for diagnosis in found]}
        print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        print(report(found))
    return 1 if any(diagnosis.status == "fail" for diagnosis in found) else 0


def _patients(config: Config, name: str | None) -> list[Patient]:
    tables = [table for table in config.providers if name in (None, table.name)]
    if not tables:
        known = ", ".join(table.name for table in config.providers)
        asked = "there is no provider" if name is None else f"unknown provider {name!r}"
        raise ConfigError(f"{asked}; " + (f"the config has: {known}" if known else "add a [[provider]]"))
    providers, warnings = build_providers(config, os.environ)
    told = [warning.partition(": ")[::2] for warning in warnings]
    return [
        Patient(table, providers[table.name], tuple(line for about, line in told if about == table.name))
        for table in tables
    ]


async def _diagnose(config: Config, patients: list[Patient], *, billed: bool) -> list[Diagnosis]:
    prices = PriceList()
    if billed or any(wants_prices(patient.table) for patient in patients):
        prices.load()
    async with probe_client() as client:
        practice = Practice(
            client, SystemClock(), os.environ, prices, allow_paid=config.routing.allow_paid, billed=billed
        )
        return await practice.diagnose(patients)
