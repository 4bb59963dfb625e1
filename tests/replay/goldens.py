"""What the hand-written traces print, byte for byte.

``python -m tests.replay.goldens`` writes the expected outputs anew; look at the difference before
you keep it. ``python -m tests.replay.goldens --digest`` prints one digest of all of them, to hold
interpreters against each other.
"""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path

from crtui import __version__
from crtui.replay.run import Replay, write_outputs

TRACES = Path(__file__).parent.parent / "data" / "traces"
EXPECTED = TRACES / "expected"


def traces() -> list[Path]:
    """Every hand-written trace."""
    return sorted(TRACES.glob("*.jsonl"))


def printed(trace: Path) -> bytes:
    """What ``crtui replay --final-state`` prints for a trace, whichever version of crtui runs it."""
    out = io.BytesIO()
    with trace.open("rb") as lines:
        write_outputs(Replay(lines, trace.name), out, final_state=True)
    return out.getvalue().replace(f'"version":"{__version__}"'.encode(), b'"version":"*"')


def digest() -> str:
    """One digest of all outputs."""
    return hashlib.sha256(b"".join(printed(trace) for trace in traces())).hexdigest()


if __name__ == "__main__":
    if "--digest" in sys.argv:
        print(digest())
    else:
        EXPECTED.mkdir(exist_ok=True)
        for trace in traces():
            (EXPECTED / trace.name).write_bytes(printed(trace))
