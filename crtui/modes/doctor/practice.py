"""The examination of one provider after another: in what bounds, and what leads to what."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from crtui.clock import Clock
from crtui.config.model import Provider as ProviderTable
from crtui.modes.doctor.asking import Line
from crtui.modes.doctor.billed import announcement, bill, model_to_ask
from crtui.modes.doctor.cap import cap_checks
from crtui.modes.doctor.checks import Check, Diagnosis
from crtui.modes.doctor.free import examine, valid_key
from crtui.modes.doctor.named_models import declared_checks
from crtui.modes.doctor.reach import reach
from crtui.providers.prices import PriceList
from crtui.providers.probing import safe_words
from crtui.providers.provider import Provider

DEADLINE_S: Final = 5.0
"""For all of one provider's free checks."""
BILLED_S: Final = 60.0
AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Patient:
    """One provider: as the config has it, as it is used, and what is amiss with its key."""

    table: ProviderTable
    provider: Provider
    amiss: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Practice:
    """What all examinations share. ``billed``: requests that cost something may be made."""

    client: httpx.AsyncClient
    clock: Clock
    environ: Mapping[str, str]
    prices: PriceList
    allow_paid: bool
    billed: bool

    async def diagnose(self, patients: Iterable[Patient]) -> list[Diagnosis]:
        """Examine all of them, some at a time, in the order given."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(patient: Patient) -> Diagnosis:
            async with slots:
                return await self._diagnose(patient)

        return await asyncio.gather(*map(one, patients))

    async def _diagnose(self, patient: Patient) -> Diagnosis:
        provider = patient.provider
        checks = self._known(patient)
        try:
            checks += await self._examined(patient)
        except Exception as error:
            # Caught whole: what one provider's answer breaks must not end the others' examination.
            checks.append(Check("answer", "fail", safe_words(provider, error)))
        return Diagnosis(provider.name, provider.kind, provider.base_url, tuple(checks))

    def _known(self, patient: Patient) -> list[Check]:
        """What the config says by itself."""
        status = "fail" if patient.provider.lacks_key else "warn"
        checks = [Check("key", status, line, valid_key(patient.table)) for line in patient.amiss]
        checks += declared_checks(patient.table)
        if patient.table.paid and not self.allow_paid:
            said = "gets no requests until that is allowed"
            checks.append(Check("paid", "note", said, "[routing] allow_paid = true"))
        return checks

    async def _examined(self, patient: Patient) -> list[Check]:
        provider, table, wall = patient.provider, patient.table, self.clock.now().wall
        ends_at = asyncio.get_running_loop().time() + DEADLINE_S
        checks = await reach(provider, self.environ, wall, ends_at)
        if provider.lacks_key or checks[-1].status == "fail":
            return checks
        told, models = await examine(Line(provider, self.client, self.clock, ends_at), table)
        checks += told + cap_checks(table, provider, self.prices, wall)
        if self.billed and not any(check.status == "fail" for check in checks):
            checks += await self._billed(patient, models)
        return checks

    async def _billed(self, patient: Patient, models: tuple[str, ...]) -> list[Check]:
        provider, table, wall = patient.provider, patient.table, self.clock.now().wall
        if provider.auth == "client":
            return [Check("stream", "note", "needs the caller's own key; run the agent through crtui")]
        model = model_to_ask(table, provider, models, self.prices, wall)
        if model is None:
            return [Check("stream", "note", "not asked: the config names no model", 'model = "NAME"')]
        print(announcement(provider, model, self.prices, wall), file=sys.stderr)
        ends_at = asyncio.get_running_loop().time() + BILLED_S
        return await bill(Line(provider, self.client, self.clock, ends_at), table, model)
