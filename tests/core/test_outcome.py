"""What the end of an attempt means: the table of statuses and words."""

import pytest

from crtui.core.outcome import classify

CASES = [
    # status, error kind, body, class, next provider?
    (400, None, "bad field", "client", False),
    (405, None, "", "client", False),
    (411, None, "", "client", False),
    (413, None, "", "client", False),
    (415, None, "", "client", False),
    (422, None, "", "client", False),
    (501, None, "", "client", False),
    (404, None, "model 'x' not found", "model", True),
    (400, None, "prompt is too long: 9 tokens > 5 maximum", "context", True),
    (400, None, '{"error":{"code":"context_length_exceeded"}}', "context", True),
    (400, None, '{"error":{"type":"exceed_context_size_error"}}', "context", True),
    (400, None, "greater than the context length (n_keep: 13055>= n_ctx: 4096)", "context", True),
    (500, None, "the model is loaded with context length of only 4096 tokens", "context", True),
    (502, None, "This model's maximum context length is 4096 tokens", "context", True),
    (401, None, "", "auth", True),
    (403, None, "", "auth", True),
    (402, None, "", "credit", True),
    (429, None, '{"error":{"code":"insufficient_quota"}}', "credit", True),
    (429, None, "slow down", "limit", True),
    (529, None, "", "overload", True),
    (500, None, '{"error":{"type":"overloaded_error"}}', "overload", True),
    (200, "protocol", '{"error":{"type":"overloaded_error"}}', "overload", True),
    *[(status, None, "", "fault", True) for status in (408, 425, 500, 502, 503, 504, 520, 523, 527)],
    *[(None, kind, "", "fault", True) for kind in ("connect", "timeout", "reset", "protocol")],
    (200, "reset", "", "fault", True),
    (200, None, "", "fault", True),
    (None, None, "", "fault", True),
    (None, "client", "", "gone", False),
    (200, "client", "", "gone", False),
]


@pytest.mark.parametrize(("status", "kind", "body", "expected", "next_provider"), CASES)
@pytest.mark.fault("S15")
def test_each_ending_has_its_class(status, kind, body, expected, next_provider):
    outcome = classify(status, kind, body)

    assert outcome.kind == expected
    assert outcome.next_provider is next_provider


def test_only_faults_and_overloads_count_against_health():
    counted = {case[3] for case in CASES if classify(*case[:3]).failed}

    assert counted == {"fault", "overload"}


def test_answers_that_are_the_callers_own_affair_pass_through():
    through = {case[3] for case in CASES if classify(*case[:3]).passes_through}

    assert through == {"client", "model", "context"}
