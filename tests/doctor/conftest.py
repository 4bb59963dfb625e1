"""The doctor as a user calls it, on scripted providers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from crtui.config.importers.toml import value
from crtui.modes.doctor import doctor
from crtui.modes.options import Options
from tests.fakes.upstream import Exchange, Script, status

KEY = "sk-canary-0123456789abcdef"


@dataclass
class Visit:
    """What a call of the doctor left."""

    code: int
    out: str
    err: str

    @property
    def checks(self) -> dict[str, tuple[str, str, str | None]]:
        """Of the only provider: by the check's name its status, detail and mend."""
        [row] = orjson.loads(self.out)["providers"]
        return {c["check"]: (c["status"], c["detail"], c["mend"]) for c in row["checks"]}


Call = Callable[..., Awaitable[Visit]]


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setenv("DOCTOR_KEY", KEY)

    async def call(
        config: str, name: str | None = None, *, billed: bool = False, as_json: bool = True
    ) -> Visit:
        file = tmp_path / "config.toml"
        file.write_text(config)
        code = await asyncio.to_thread(doctor, Options(config=file), name, billed=billed, as_json=as_json)
        out, err = capsys.readouterr()
        assert KEY not in out + err
        return Visit(code, out, err)

    return call


def table(url: str, **keys: object) -> str:
    """One provider as TOML."""
    given = {"name": "p", "kind": "openai-compatible", "base_url": url, **keys}
    return "\n".join(["[[provider]]", *(f"{key} = {value(said)}" for key, said in given.items())])


def by_path(scripts: Mapping[str, Script]) -> Script:
    async def script(exchange: Exchange) -> None:
        path = exchange.seen.target.partition("?")[0]
        await scripts.get(path, status(404, {"error": {"message": "no such path"}}))(exchange)

    return script
