"""Each fault of the catalogue is proven by a test, or says why it is not; no claim is made of thin air."""

from __future__ import annotations

import re

from tests.faults.catalogue import GROUPS, Claim, claims, claims_in, proven, rows
from tests.readme import README, fault_table


def test_every_row_is_claimed_by_a_test_or_says_why_not() -> None:
    bare = [row.id for row in rows().values() if not row.excused and row.id not in proven()]

    assert bare == [], "claim them with @pytest.mark.fault, or write `open` or `not_applicable` with a reason"


def test_no_row_that_says_why_not_is_claimed() -> None:
    assert [row.id for row in rows().values() if row.excused and row.id in proven()] == []


def test_every_claim_is_of_a_row_there_is() -> None:
    assert [claim for claim in claims() if claim.id not in rows()] == []


def test_every_claim_stands_on_a_test_that_must_pass() -> None:
    assert [claim for claim in claims() if not claim.test or claim.skipped] == []


def test_every_row_is_whole_and_has_one_reason_at_most() -> None:
    for row in rows().values():
        assert re.fullmatch(f"[{''.join(GROUPS)}]\\d\\d", row.id), row.id
        assert row.fault.endswith("."), row.id
        assert row.expectation.endswith((".", "?")), row.id
        assert row.seam in SEAMS, row.id
        assert not (row.open and row.not_applicable), row.id


def test_rows_are_numbered_without_a_gap() -> None:
    for group in GROUPS:
        numbers = [int(name[1:]) for name in rows() if name.startswith(group)]
        assert numbers == list(range(1, len(numbers) + 1)), group


SEAMS = {"unit", "upstream", "client", "files", "terminal", "process", "load"}
SOURCE = """
@pytest.mark.timeout(9)
@pytest.mark.fault("N01", "N02")
async def test_a(): ...

@pytest.mark.xfail
@pytest.mark.fault(NAME)
def test_b(): ...

@pytest.mark.fault("N03")
def helper(): ...
"""


def test_claims_are_read_from_the_source_with_what_they_stand_on() -> None:
    assert sorted(claims_in(SOURCE, "f"), key=lambda claim: str(claim.id)) == [
        Claim("N01", "f", "test_a", False),
        Claim("N02", "f", "test_a", False),
        Claim("N03", "f", "", False),
        Claim("NAME", "f", "test_b", True),
    ]


def test_the_readme_counts_what_is_there() -> None:
    assert fault_table() in README.read_text("utf-8"), "run `python -m tests.readme`"
