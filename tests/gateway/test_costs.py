"""What an answer costs: by the model that it names."""

from __future__ import annotations

import pytest

from crtui.core.money import Rates
from crtui.providers.prices import PriceList, Tariff
from tests.fakes.upstream import Upstream, ok_json, stream
from tests.gateway.conftest import Open, provider
from tests.gateway.wires import (
    COMPLETION,
    MESSAGE,
    MESSAGE_END,
    MESSAGE_START,
    chat_request,
    message_request,
    message_text,
)


class TwoModels(PriceList):
    """A list of a loopback vendor's prices: pico-dollars for a token of output."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded = True

    def tariff(self, base_url: str, model: str, wall: int) -> Tariff | None:
        price = {"claude-sonnet-4-6": 5, "gpt-5": 7}.get(model)
        return None if price is None else Tariff(((0, Rates(0, price, 0, 0, 0)),))


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_message_is_priced_by_the_model_that_it_names(house: Open, streamed: bool) -> None:
    script = stream(MESSAGE_START, message_text("Hi"), MESSAGE_END) if streamed else ok_json(MESSAGE)
    async with Upstream(script) as upstream:
        vendor = provider("a", upstream.url, local=False)
        async with house(vendor, prices=TwoModels()) as gateway:
            await gateway.message(message_request(model="sonnet-latest", stream=streamed))
            ended = await gateway.end()
    assert ended.usage is not None
    assert (ended.model, ended.usage.cost) == ("sonnet-latest", 3 * 5)


async def test_an_answer_that_names_none_is_priced_by_the_model_sent(house: Open) -> None:
    nameless = {key: value for key, value in COMPLETION.items() if key != "model"}
    async with Upstream(ok_json(nameless)) as upstream:
        vendor = provider("a", upstream.url, local=False)
        async with house(vendor, prices=TwoModels()) as gateway:
            await gateway.chat(chat_request())
            ended = await gateway.end()
    assert ended.usage is not None
    assert ended.usage.cost == 3 * 7
