"""A provider is passed over only for what it is known to lack."""

from __future__ import annotations

import pytest

from crtui.core.capability import missing
from crtui.core.plan import Ask, Content
from crtui.core.settings import Capabilities

NOTHING = Capabilities(vision=False, tools=False, thinking=False, context=0)


@pytest.mark.parametrize(
    ("capabilities", "content", "expected"),
    [
        (Capabilities(vision=False), Content(image=True), "vision"),
        (Capabilities(vision=True), Content(image=True), None),
        (Capabilities(vision=None), Content(image=True), None),
        (Capabilities(vision=False), Content(image=False), None),
        (Capabilities(tools=False), Content(tools=True), "tools"),
        (Capabilities(tools=True), Content(tools=True), None),
        (Capabilities(tools=None), Content(tools=True), None),
        (Capabilities(context=100), Content(chars=403), None),
        (Capabilities(context=100), Content(chars=404), "context"),
        (Capabilities(context=None), Content(chars=10**9), None),
        (NOTHING, Content(image=True, tools=True, chars=4), "vision"),
        (NOTHING, Content(tools=True, chars=4), "tools"),
        (NOTHING, Content(), None),
        (NOTHING, None, None),
    ],
)
def test_missing_names_the_first_known_lack(capabilities, content, expected):
    assert missing(capabilities, Ask("chat", content=content)) == expected
