"""What the doctor finds without spending anything, and the line that mends it."""

from __future__ import annotations

import asyncio
from email.utils import formatdate

import pytest

from crtui.clock import SystemClock
from crtui.errors import ConfigError
from tests.doctor.conftest import KEY, Call, by_path, table
from tests.fakes.upstream import Exchange, Script, Upstream, html, ok_json, redirect, stall, status

LISTED = ok_json({"data": [{"id": "qwen3-coder"}, {"id": "gpt-oss-20b"}]})


def only_with(key: str) -> Script:
    async def script(exchange: Exchange) -> None:
        known = exchange.seen.header("authorization") == f"Bearer {key}"
        await (LISTED if known else status(401, {"error": {"message": f"bad key {key}"}}))(exchange)

    return script


async def test_a_healthy_provider_works_and_is_asked_for_nothing_that_costs(call: Call) -> None:
    async with Upstream(by_path({"/v1/models": only_with(KEY)})) as upstream:
        visit = await call(table(upstream.url, api_key_env="DOCTOR_KEY"))
    assert visit.code == 0
    assert {name: told[0] for name, told in visit.checks.items()} == {
        "connect": "ok",
        "key": "ok",
        "models": "ok",
    }
    assert {seen.method for seen in upstream.requests} == {"GET"}


async def test_a_refused_key_names_the_variable_and_never_the_key(call: Call) -> None:
    async with Upstream(by_path({"/v1/models": only_with("another")})) as upstream:
        visit = await call(table(upstream.url, api_key_env="DOCTOR_KEY"))
    status_, said, mend = visit.checks["key"]
    assert (visit.code, status_, said) == (1, "fail", "HTTP 401: the key is refused")
    assert mend is not None
    assert "DOCTOR_KEY" in mend


async def test_a_missing_key_is_told_beside_what_can_still_be_known(call: Call) -> None:
    async with Upstream(LISTED) as upstream:
        visit = await call(table(upstream.url, api_key_env="NOT_SET_ANYWHERE"))
        while not upstream.connections:  # noqa: ASYNC110 - a connection without a request is told to nobody
            await asyncio.sleep(0)
    assert (visit.code, upstream.requests) == (1, [])
    assert visit.checks["key"][:2] == ("fail", "no key: NOT_SET_ANYWHERE is not set; export it")
    assert visit.checks["connect"][0] == "ok"


async def test_a_list_that_is_open_to_anybody_proves_no_key(call: Call) -> None:
    async with Upstream(by_path({"/v1/models": LISTED})) as upstream:
        visit = await call(table(upstream.url, api_key_env="DOCTOR_KEY"))
    assert (visit.code, visit.checks["key"][0]) == (0, "note")
    assert [seen.header("authorization") for seen in upstream.requests] == [f"Bearer {KEY}", None]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (status(404, {}), "HTTP 404: no such endpoint"),
        (redirect, "HTTP 307: redirected"),
        (html, "not JSON"),
        (status(500, {"error": {"message": "boom"}}), "HTTP 500: boom"),
    ],
)
async def test_an_answer_of_another_kind_of_server_is_a_fault_of_the_address(
    call: Call, script: Script, said: str
) -> None:
    async with Upstream(script) as upstream:
        visit = await call(table(upstream.url, kind="vllm"))
    assert visit.code == 1
    assert said in visit.checks["answer"][1]


async def test_no_list_is_no_fault_where_a_server_may_do_without(call: Call) -> None:
    async with Upstream(status(404, {})) as upstream:
        visit = await call(table(upstream.url))
    assert (visit.code, visit.checks["models"][0]) == (0, "note")


async def test_a_provider_that_is_out_of_quota_can_work_later(call: Call) -> None:
    async with Upstream(status(429, {"error": {"message": "slow down"}})) as upstream:
        visit = await call(table(upstream.url))
    assert (visit.code, visit.checks["quota"]) == (0, ("warn", "HTTP 429: slow down", None))


async def test_a_refusal_is_told_in_the_words_of_whatever_form_it_has(call: Call) -> None:
    async with Upstream(status(403, {"detail": "Not authenticated"})) as upstream:
        visit = await call(table(upstream.url))
    assert visit.checks["key"][:2] == ("fail", "HTTP 403: Not authenticated")


async def test_the_callers_own_key_is_neither_asked_for_nor_made_up(call: Call) -> None:
    async with Upstream(status(404, {})) as upstream:
        visit = await call(table(upstream.url, kind="anthropic", auth="client"))
    assert (visit.code, visit.checks["key"][0]) == (0, "note")
    assert [seen.header("authorization") for seen in upstream.requests] == [None]


@pytest.mark.parametrize(
    ("kind", "model", "code", "status_"), [("vllm", "qwen3-codr", 1, "fail"), (None, "qwen3-codr", 0, "warn")]
)
async def test_a_model_that_is_not_listed_is_mended_by_the_nearest_one(
    call: Call, kind: str | None, model: str, code: int, status_: str
) -> None:
    """A local server has what it lists; a vendor may take an alias."""
    async with Upstream(by_path({"/v1/models": LISTED})) as upstream:
        visit = await call(table(upstream.url, model=model, **({"kind": kind} if kind else {})))
    assert visit.code == code
    assert visit.checks["models"] == (
        status_,
        "qwen3-codr is not among the 2 listed",
        'model = "qwen3-coder"',
    )


async def test_ollamas_names_without_a_tag_are_the_latest_and_a_missing_one_is_pulled(call: Call) -> None:
    tags = {"/api/tags": ok_json({"models": [{"name": "qwen3:latest"}]})}
    async with Upstream(by_path(tags)) as upstream:
        good = await call(table(upstream.url, kind="ollama", model="qwen3", declare_models=["qwen3"]))
        lacking = await call(table(upstream.url, kind="ollama", declare_models=["qwen3:4b"]))
    assert good.checks["models"][0] == "ok"
    assert lacking.checks["models"][2] == "ollama pull qwen3:4b"


@pytest.mark.parametrize(
    ("named", "listed"),
    [
        ("library/qwen3:4b", "qwen3:4b"),
        ("registry.ollama.ai/library/qwen3", "qwen3:latest"),
        ("hf.co/unsloth/Qwen3-GGUF", "hf.co/unsloth/Qwen3-GGUF:latest"),
        ("localhost:5000/team/m", "localhost:5000/team/m:latest"),
    ],
)
async def test_an_ollama_model_may_be_named_in_any_way_its_server_understands(
    call: Call, named: str, listed: str
) -> None:
    tags = {"/api/tags": ok_json({"models": [{"name": listed}]})}
    async with Upstream(by_path(tags)) as upstream:
        visit = await call(table(upstream.url, kind="ollama", model=named))
    assert (visit.code, visit.checks["models"][0]) == (0, "ok")


async def test_a_model_on_a_lists_second_page_is_listed(call: Call) -> None:
    first = ok_json({"data": [{"id": "a"}], "has_more": True, "last_id": "a"})
    second = ok_json({"data": [{"id": "b"}], "has_more": False, "last_id": "b"})
    claude = {"kind": "anthropic", "api_key_env": "DOCTOR_KEY", "model": "b"}
    async with Upstream(first, second) as upstream:
        good = await call(table(upstream.url, **claude))
    async with Upstream(first, status(500, {})) as upstream:
        cut = await call(table(upstream.url, **claude))
    assert [seen.target for seen in upstream.requests] == [
        "/v1/models?limit=1000",
        "/v1/models?limit=1000&after_id=a",
    ]
    assert good.checks["models"] == ("ok", "2 models listed", None)
    assert cut.checks["answer"][:2] == ("fail", "HTTP 500: {}")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"declare_models": ["m"], "poll_s": 0},
            ("warn", "they are never looked for without polls", "poll_s = 30"),
        ),
        ({"pull": True}, ("warn", "pull = true has none to fetch", 'declare_models = ["NAME"]')),
        ({"declare_models": ["m"], "pull": True}, None),
    ],
)
async def test_declared_models_that_nobody_would_look_for_are_told(
    call: Call, keys: dict[str, object], said: tuple[str, str, str] | None
) -> None:
    async with Upstream(by_path({"/api/tags": ok_json({"models": [{"name": "m:latest"}]})})) as upstream:
        visit = await call(table(upstream.url, kind="ollama", **keys))
    assert visit.checks.get("declared") == said


@pytest.mark.parametrize(("off_s", "said"), [(-600, "10 min ahead"), (7200, "2 h behind"), (2, "agrees")])
async def test_a_clock_that_is_off_is_told_by_how_much(call: Call, off_s: int, said: str) -> None:
    date = ("date", formatdate(SystemClock().now().wall // 1000 + off_s, usegmt=True))
    async with Upstream(ok_json({"data": [{"id": "m"}]}, date)) as upstream:
        visit = await call(table(upstream.url))
    assert visit.checks["clock"][0] == ("ok" if off_s == 2 else "warn")
    assert said.split()[-1] in visit.checks["clock"][1]


async def test_a_silent_provider_is_given_up_and_holds_up_no_other(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crtui.modes.doctor.practice.DEADLINE_S", 0.3)
    async with Upstream(stall) as silent, Upstream(by_path({"/v1/models": LISTED})) as good:
        visit = await call(f"{table(silent.url)}\n{table(good.url, name='q')}", as_json=False)
    assert visit.code == 1
    assert "p: cannot work" in visit.out
    assert "fail  answer   no answer in time" in visit.out
    assert "q: works" in visit.out
    assert visit.out.endswith("cannot work: p\n")


async def test_the_report_fits_a_terminal_whatever_the_provider_says(call: Call) -> None:
    rude = status(500, {"error": {"message": "\x1b[31m" + "no " * 200}})
    async with Upstream(rude) as upstream:
        visit = await call(table(f"{upstream.url}/{'a/' * 60}", name="p" * 64), as_json=False)
    assert max(map(len, visit.out.splitlines())) <= 80
    assert "\x1b" not in visit.out


async def test_only_the_named_provider_is_examined_and_an_unknown_one_is_refused(call: Call) -> None:
    async with Upstream(by_path({"/v1/models": LISTED})) as first, Upstream(LISTED) as second:
        config = f"{table(first.url)}\n{table(second.url, name='q')}"
        visit = await call(config, "p")
        with pytest.raises(ConfigError, match="unknown provider 'z'; the config has: p, q"):
            await call(config, "z")
    assert (visit.code, second.requests) == (0, [])
    assert visit.checks["models"][0] == "ok"


@pytest.mark.parametrize(
    ("keys", "status_", "said"),
    [
        ({"auth": "none"}, "warn", "counts nothing: no list has its price"),
        ({"api_key_env": "DOCTOR_KEY"}, "warn", "counts nothing: no list has its price"),
        ({"auth": "none", "price": {"input": 1.0}}, "ok", "$5 a month"),
        ({"api_key_env": "DOCTOR_KEY", "kind": "openrouter"}, "ok", "$5 a month"),
    ],
    ids=["local", "unknown vendor", "configured", "told"],
)
async def test_a_cap_that_cannot_hold_is_mended_by_a_price(
    call: Call, keys: dict[str, object], status_: str, said: str
) -> None:
    async with Upstream(by_path({"/v1/models": LISTED, "/api/v1/key": ok_json({"data": {}})})) as upstream:
        visit = await call(table(upstream.url, monthly_usd=5.0, **keys))
    assert visit.checks["cap"][:2] == (status_, said)
    assert (visit.checks["cap"][2] is not None) == (status_ == "warn")


async def test_a_paid_provider_that_is_kept_out_is_told_with_the_line_that_lets_it_in(call: Call) -> None:
    async with Upstream(by_path({"/v1/models": LISTED})) as upstream:
        kept_out = await call(table(upstream.url, paid=True))
        let_in = await call(f"[routing]\nallow_paid = true\n{table(upstream.url, paid=True)}")
    assert kept_out.checks["paid"][2] == "[routing] allow_paid = true"
    assert (kept_out.code, "paid" in let_in.checks) == (0, False)
