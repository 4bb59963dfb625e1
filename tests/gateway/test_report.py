"""What an attempt without any usage told is taken to have cost."""

from __future__ import annotations

import pytest

from crtui.core.inputs import Usage
from crtui.core.plan import Ask
from crtui.gateway.attempt import StoppedError
from crtui.gateway.fault import AttemptError
from crtui.gateway.report import Report
from tests.wire.answers import CREATED, OUTPUT_TEXT, event, read

BODY = b'{"input":"' + b"x" * 400 + b'"}'
GONE = StoppedError("gone", "the client left")
LATE = AttemptError("timeout", "no answer within 2 s")
CUT = AttemptError("reset", "answer cut short")
REASONING = event({"type": "response.output_item.added", "item": {"type": "reasoning", "summary": []}})


@pytest.mark.parametrize("fault", [GONE, LATE])
@pytest.mark.parametrize("status", [None, 200])
def test_a_prompt_is_charged_once_it_is_out_and_was_not_refused(
    fault: AttemptError, status: int | None
) -> None:
    report = Report(Ask("responses"), "default", "a", 1, 0)
    assert report.attempt(fault, BODY, 9).usage is None
    report.goes_out()
    report.status = status
    ended = report.attempt(fault, BODY, 9)
    assert (ended.usage, ended.usage_estimated) == (Usage(100), True)
    report.status = 429
    assert report.attempt(fault, BODY, 9).usage is None
    report.goes_out()
    assert report.attempt(fault, BODY, 9).usage == Usage(100)


@pytest.mark.parametrize(
    ("said", "usage"),
    [(b"", None), (REASONING, Usage(100)), (REASONING + OUTPUT_TEXT, Usage(100, 1))],
    ids=["nothing", "thinking", "words"],
)
def test_one_that_the_provider_broke_off_is_charged_if_it_had_begun_to_work(
    said: bytes, usage: Usage | None
) -> None:
    report = Report(Ask("responses"), "default", "a", 1, 0)
    report.goes_out()
    report.reader = read("responses", CREATED, said)
    ended = report.attempt(CUT, BODY, 9)
    assert (ended.usage, ended.usage_estimated) == (usage, usage is not None)


def test_an_answer_that_tells_no_usage_counts_none_unless_it_was_streamed() -> None:
    report = Report(Ask("responses"), "default", "a", 1, 0)
    report.goes_out()
    assert report.attempt(None, BODY, 9).usage is None
    report.reader = read("responses", CREATED, OUTPUT_TEXT)
    assert report.attempt(None, BODY, 9).usage == Usage(100, 1)


def test_a_body_that_is_no_object_counts_nothing() -> None:
    report = Report(Ask("responses"), "default", "a", 1, 0)
    report.goes_out()
    assert report.attempt(GONE, b"[]", 9).usage == Usage()
