"""What attempts cost: whose price is looked up, what comes late, and that a replay needs no price list."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import orjson
import pytest

from crtui.clock import ManualClock
from crtui.config.load import config_from_data
from crtui.core.encode import snapshot_json
from crtui.core.inputs import Attempt, Charge, Usage
from crtui.engine.engine import Engine
from crtui.engine.notices import Notices
from crtui.engine.pricing import Pricing
from crtui.engine.recorder import TraceRecorder
from crtui.providers.prices import PriceList
from crtui.providers.provider import build_providers
from crtui.replay.run import Replay, write_outputs

KEYS = {"KEY": "sk-aaaaaaaaaaaa"}
CLAUDE = {"name": "a", "kind": "anthropic", "api_key_env": "KEY", "paid": True}
MODEL = "claude-sonnet-4-6"
MILLION = 1_000_000


class Shop:
    """An engine with its pricing, and a trace of what it was fed."""

    def __init__(self, folder: Path, *tables: dict[str, object], prices: PriceList | None = None) -> None:
        config = config_from_data({"provider": list(tables)}, "test")
        clock, settings = ManualClock(), config.to_core()
        self.providers, _ = build_providers(config, KEYS)
        self.trace = folder / f"{len(list(folder.iterdir()))}.jsonl"
        self.recorder = TraceRecorder(self.trace, config.to_data(), 0, Notices())
        self.recorder.begin(None, (), clock.now())
        self.pricing = Pricing(settings, self.providers, prices or PriceList())
        self.engine = Engine(
            settings, self.providers, clock, url="", record=self.recorder, pricing=self.pricing
        )

    def serve(self, usage: Usage, model: str | None = MODEL, answered: str | None = None) -> None:
        self.engine.end(Attempt("a", True, status=200, model=model, usage=usage), answered)

    @property
    def spent(self) -> tuple[float | None, int]:
        budget = self.engine.provider_view("a").budget
        return budget.spent_usd, budget.unpriced_requests

    @asynccontextmanager
    async def priced(self) -> AsyncIterator[None]:
        """With the list loading as it does in a running gateway."""
        self.charged = asyncio.Event()

        def charge(late: Charge) -> None:
            self.engine.charge(late)
            self.charged.set()

        run = asyncio.create_task(self.pricing.run(charge, self.engine.notices))
        try:
            yield
        finally:
            run.cancel()
            with suppress(asyncio.CancelledError):
                await run


Open = Callable[..., Shop]


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_one(*tables: dict[str, object], prices: PriceList | None = None) -> Shop:
            shop = Shop(tmp_path, *tables, prices=prices)
            stack.callback(shop.recorder.close)
            return shop

        yield open_one


@pytest.fixture(scope="module")
def loaded() -> PriceList:
    prices = PriceList()
    prices.load()
    return prices


def test_an_attempt_is_priced_by_the_model_that_was_sent(open_shop: Open, loaded: PriceList):
    shop = open_shop(CLAUDE, prices=loaded)
    shop.serve(Usage(MILLION, 0, MILLION, MILLION, MILLION))
    assert shop.spent == (3.0 + 0.3 + 6.0, 0)


@pytest.mark.parametrize(
    ("sent", "answered", "spent"),
    [
        ("claude-haiku-4-5", MODEL, 3.0),
        (None, MODEL, 3.0),
        (MODEL, "claude-of-tomorrow", 3.0),
        (MODEL, "x" * 5000, 3.0),
    ],
    ids=["another", "none was sent", "one that no list knows", "no model's name"],
)
def test_the_model_that_answered_is_priced_where_the_list_knows_it(
    open_shop: Open, loaded: PriceList, sent: str | None, answered: str, spent: float
):
    shop = open_shop(CLAUDE, prices=loaded)
    shop.serve(Usage(MILLION), sent, answered)
    assert shop.spent == (spent, 0)


async def test_the_model_that_answered_is_priced_also_when_the_list_comes_late(open_shop: Open):
    shop = open_shop(CLAUDE)
    async with shop.priced():
        shop.serve(Usage(MILLION), "claude-of-tomorrow", MODEL)
        async with asyncio.timeout(10):
            await shop.charged.wait()
    assert shop.spent == (3.0, 0)


def test_a_model_that_no_list_knows_is_unknown_and_counted_as_such(open_shop: Open, loaded: PriceList):
    shop = open_shop(CLAUDE, prices=loaded)
    shop.serve(Usage(MILLION), "claude-of-tomorrow")
    shop.serve(Usage(MILLION), None)
    assert shop.spent == (None, 2)


async def test_what_ended_before_the_list_was_there_is_charged_when_it_is(open_shop: Open):
    shop = open_shop(CLAUDE)
    async with shop.priced():
        shop.serve(Usage(MILLION))
        shop.serve(Usage(MILLION), "claude-of-tomorrow")
        assert (shop.spent, shop.pricing.waiting) == ((None, 2), 2)
        async with asyncio.timeout(10):
            await shop.charged.wait()
    assert (shop.spent, shop.pricing.waiting) == ((3.0, 1), 0)


@pytest.mark.parametrize(
    "table",
    [
        {"name": "a", "kind": "anthropic", "auth": "client"},
        {"name": "a", "kind": "ollama"},
        {**CLAUDE, "base_url": "http://127.0.0.1:9"},
        {**CLAUDE, "price": {"input": 1.0}},
    ],
    ids=["the caller's own credential", "a local kind", "on this machine", "configured"],
)
def test_no_list_is_loaded_for_what_it_says_nothing_of(open_shop: Open, table: dict[str, object]):
    shop = open_shop(table)
    shop.serve(Usage(MILLION))
    assert shop.spent == ((1.0, 0) if "price" in table else (None, 1))
    assert shop.pricing.waiting == 0


def test_openrouters_word_on_the_cost_is_taken_and_another_servers_is_not(open_shop: Open):
    router = {"name": "a", "kind": "openrouter", "api_key_env": "KEY"}
    other = {"name": "a", "kind": "openai-compatible", "base_url": "https://llm.example.com", "auth": "none"}
    shops = [open_shop(table) for table in (router, other)]
    for shop in shops:
        shop.serve(Usage(10, cost=25 * 10**10))
    assert [shop.spent for shop in shops] == [(0.25, 0), (None, 1)]


async def test_a_list_that_cannot_be_loaded_is_a_notice_and_nothing_else(open_shop: Open):
    class Broken(PriceList):
        def load(self) -> None:
            raise ImportError("no module named genai_prices")

    shop = open_shop(CLAUDE, prices=Broken())
    notices = Notices()
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    notices.listen(lambda _: loop.call_soon_threadsafe(told.set))
    run = asyncio.create_task(shop.pricing.run(shop.engine.charge, notices))
    shop.serve(Usage(MILLION))
    async with asyncio.timeout(10):
        await told.wait()
    run.cancel()
    assert [line for line in notices if "reinstall genai-prices" in line]
    assert shop.spent == (None, 1)


async def test_a_replay_of_the_record_gives_the_same_spend_without_any_list(open_shop: Open):
    capped: dict[str, object] = {**CLAUDE, "monthly_usd": 5.0}
    shop = open_shop(capped)
    async with shop.priced():
        shop.serve(Usage(MILLION, 1, 1, 1))
        async with asyncio.timeout(10):
            await shop.charged.wait()
        shop.serve(Usage(MILLION - 1, 3))
    shop.recorder.close()
    out = io.BytesIO()
    with shop.trace.open("rb") as lines:
        write_outputs(Replay(lines, "trace"), out, final_state=True)
    outputs = [orjson.loads(line) for line in out.getvalue().splitlines()]
    assert [line["kind"] for line in outputs if line.get("kind", "").startswith("budget")] == [
        "budget.exceeded"
    ]
    [live] = snapshot_json(shop.engine.snapshot())["providers"]
    [again] = outputs[-1]["providers"]
    assert (again["budget"], again["usage"]) == (live["budget"], live["usage"])
