"""What the processes of other suites use, here too."""

from tests.cli.conftest import place
from tests.engine.conftest import clock, live

__all__ = ["clock", "live", "place"]
