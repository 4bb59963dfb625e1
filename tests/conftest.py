"""For all tests."""

from __future__ import annotations

import os


def pytest_xdist_auto_num_workers() -> int:
    """Half as many workers again as there are cores: a third of the tests' time is waiting for processes."""
    return (os.cpu_count() or 2) * 3 // 2
