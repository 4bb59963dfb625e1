"""Discovery finds keys and local servers, is not fooled by other programs, and sends no key."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from crtui.config.discover import Endpoint, discover, ollama_base, usual_endpoints
from crtui.config.init import render_config
from crtui.config.kinds import Kind
from crtui.config.load import parse
from tests.fakes.upstream import Script, Upstream, html, ok_json, reset, stall, status

OLLAMA = ok_json({"version": "0.14.2"})
LLAMACPP = ok_json({"object": "list", "data": [{"id": "m", "owned_by": "llamacpp"}]})
VLLM = ok_json({"object": "list", "data": [{"id": "m", "owned_by": "vllm"}]})
LMSTUDIO = ok_json({"object": "list", "data": [{"id": "m", "owned_by": "organization_owner"}]})
LOADING = status(503, {"error": {"message": "Loading model", "code": 503}}, ("server", "llama.cpp"))


@pytest.fixture
async def servers() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def serve(servers: AsyncExitStack, kind: Kind, script: Script) -> tuple[Endpoint, Upstream]:
    upstream = await servers.enter_async_context(Upstream(script))
    return Endpoint(kind, upstream.url), upstream


@pytest.mark.parametrize(
    ("kind", "script", "recognised"),
    [
        ("ollama", OLLAMA, True),
        ("ollama", ok_json({"version": 3}), False),
        ("ollama", ok_json({"name": "other", "version": "1"}), False),
        ("llamacpp", LLAMACPP, True),
        ("llamacpp", LOADING, True),
        ("llamacpp", VLLM, False),
        ("llamacpp", ok_json({"data": "x"}), False),
        ("vllm", VLLM, True),
        ("vllm", LLAMACPP, False),
        ("vllm", ok_json({"version": "1"}), False),
        ("vllm", ok_json([1]), False),
        ("lmstudio", LMSTUDIO, True),
        ("lmstudio", ok_json({"object": "list", "data": []}), True),
        ("lmstudio", VLLM, False),
        ("lmstudio", ok_json({"error": "no"}), False),
        ("llamacpp", html, False),
        ("llamacpp", reset, False),
        ("llamacpp", ok_json({"data": "x" * (1024 * 1024)}, ("server", "llama.cpp")), False),
    ],
)
async def test_a_server_counts_only_if_it_says_what_it_is(
    servers: AsyncExitStack, kind: Kind, script: Script, recognised: bool
) -> None:
    endpoint, _ = await serve(servers, kind, script)
    found = await discover({}, endpoints=[endpoint], deadline_s=5)
    assert [provider.kind for provider in found.config.providers] == [kind] * recognised


@pytest.mark.parametrize(
    ("rows", "model"),
    [
        ([{"id": "Qwen/Coder", "owned_by": "vllm"}, {"id": "my-lora", "owned_by": "vllm"}], "Qwen/Coder"),
        ([{"id": 'a "quoted" \\ näme', "owned_by": "vllm"}], 'a "quoted" \\ näme'),
        ([{"id": 7, "owned_by": "vllm"}], None),
        ([{"owned_by": "vllm"}], None),
        ([{"id": "", "owned_by": "vllm"}], None),
        ([{"id": "a\x1b[31m", "owned_by": "vllm"}], None),
    ],
)
async def test_a_vllm_server_is_asked_for_the_model_that_it_has(
    servers: AsyncExitStack, rows: list[object], model: str | None
) -> None:
    endpoint, _ = await serve(servers, "vllm", ok_json({"object": "list", "data": rows}))
    found = await discover({}, endpoints=[endpoint], deadline_s=5)
    assert [provider.model for provider in found.config.providers] == [model]
    config, faults = parse(render_config(found))
    assert faults == []
    assert [provider.model for provider in config.providers] == [model]


@pytest.mark.parametrize(
    ("rows", "model"),
    [
        ([{"name": "nomic-embed-text:latest"}, {"name": "qwen3:8b"}, {"name": "gemma3"}], "qwen3:8b"),
        ([{"name": "all-minilm:22m"}], None),
        ([{"name": 5}, "x"], None),
        ([], None),
    ],
)
async def test_ollamas_newest_model_stands_in_for_a_clouds_and_for_no_other(
    servers: AsyncExitStack, rows: list[object], model: str | None
) -> None:
    upstream = await servers.enter_async_context(Upstream(OLLAMA, ok_json({"models": rows})))
    found = await discover({}, endpoints=[Endpoint("ollama", upstream.url)], deadline_s=5)
    config, faults = parse(render_config(found))
    assert faults == []
    for (given,) in (found.config.providers, config.providers):
        sent = dict(given.models)
        assert (given.model, list(sent.values())) == (None, [] if model is None else [model])
        for pattern in sent:
            cloud, own = (
                ("claude-sonnet-4-6", "gpt-5", "o3", "gemini-3-pro"),
                ("gpt-oss:20b", "orca", "qwen3"),
            )
            assert [name for name in (*cloud, *own) if re.fullmatch(pattern, name)] == list(cloud)
    note = "" if model is None else f", {model} stands in for a cloud's model"
    assert found.found == [f"ollama: answers at {upstream.url}{note}"]


async def test_a_list_of_models_that_hangs_leaves_the_server_found(servers: AsyncExitStack) -> None:
    upstream = await servers.enter_async_context(Upstream(OLLAMA, stall))
    found = await discover({}, endpoints=[Endpoint("ollama", upstream.url)], deadline_s=0.5)
    assert [(given.name, given.models) for given in found.config.providers] == [("ollama", {})]


async def test_cloud_comes_before_local_and_no_key_is_sent(servers: AsyncExitStack) -> None:
    environ = {
        "ANTHROPIC_API_KEY": "sk-canary-a",
        "GEMINI_API_KEY": "canary-g",
        "GOOGLE_API_KEY": "canary-h",
        "GROQ_API_KEY": "canary-q",
        "OPENAI_API_KEY": "",
    }
    kinds: list[tuple[Kind, Script]] = [("llamacpp", LLAMACPP), ("ollama", OLLAMA), ("llamacpp", LLAMACPP)]
    served = [await serve(servers, kind, script) for kind, script in kinds]
    found = await discover(environ, endpoints=[endpoint for endpoint, _ in served], deadline_s=5)
    names = ["anthropic", "gemini", "groq", "llamacpp", "ollama", f"llamacpp-{served[2][1].port}"]
    assert list(found.config.profiles[0].chain) == names
    assert found.found[:2] == ["anthropic: ANTHROPIC_API_KEY is set", "gemini: GEMINI_API_KEY is set"]
    assert found.found[3] == f"llamacpp: answers at {served[0][0].base_url}"
    requests = [request for _, upstream in served for request in upstream.requests]
    assert len(requests) == 4
    for request in requests:
        assert (request.method, request.body) == ("GET", b"")
        assert request.header("authorization") is None
        assert "canary" not in f"{request.target}{request.headers}"


async def test_a_server_that_hangs_holds_nothing_up(servers: AsyncExitStack) -> None:
    hanging, _ = await serve(servers, "llamacpp", stall)
    good, _ = await serve(servers, "ollama", OLLAMA)
    async with asyncio.timeout(5):
        found = await discover({}, endpoints=[hanging, good], deadline_s=0.5)
    assert [provider.name for provider in found.config.providers] == ["ollama"]


async def test_the_same_address_is_found_once(servers: AsyncExitStack) -> None:
    endpoint, upstream = await serve(servers, "ollama", OLLAMA)
    found = await discover({}, endpoints=[endpoint, endpoint], deadline_s=5)
    assert len(found.found) == 1
    assert [request.target for request in upstream.requests] == ["/api/version", "/api/tags"]


@pytest.mark.parametrize(
    ("host", "base_url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("gpu", "http://gpu:11434"),
        ("gpu:99", "http://gpu:99"),
        (":99", "http://127.0.0.1:99"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("[::]:99", "http://[::1]:99"),
        ("http://gpu", "http://gpu:80"),
        ("https://gpu/", "https://gpu:443"),
        ("ftp://gpu", "http://127.0.0.1:11434"),
        ("169.254.169.254", "http://127.0.0.1:11434"),
        ('gpu"x', "http://127.0.0.1:11434"),
        ("gpu:nan", "http://127.0.0.1:11434"),
        ("[", "http://127.0.0.1:11434"),
    ],
)
def test_ollama_host_is_read_in_all_its_forms(host: str, base_url: str) -> None:
    assert ollama_base(host) == base_url


def test_the_usual_ports_are_looked_at() -> None:
    assert [(e.kind, e.base_url.rpartition(":")[2]) for e in usual_endpoints({"OLLAMA_HOST": ":5"})] == [
        ("ollama", "5"),
        ("lmstudio", "1234"),
        ("llamacpp", "8080"),
        ("llamacpp", "9931"),
        ("vllm", "8000"),
    ]


@pytest.mark.parametrize("environ", [{}, {"OPENAI_API_KEY": "canary", "MISTRAL_API_KEY": "canary"}])
async def test_the_first_config_loads_to_what_was_discovered(
    servers: AsyncExitStack, environ: dict[str, str]
) -> None:
    endpoint, _ = await serve(servers, "ollama", OLLAMA)
    found = await discover(environ, endpoints=[endpoint] if environ else [], deadline_s=5)
    text = render_config(found)
    config, faults = parse(text)
    assert faults == []
    assert config is not None
    assert config.to_data() == found.config.to_data()
    assert "canary" not in text


async def test_every_commented_option_of_the_first_config_is_valid(servers: AsyncExitStack) -> None:
    endpoint, _ = await serve(servers, "ollama", OLLAMA)
    text = render_config(await discover({}, endpoints=[endpoint], deadline_s=5))
    uncommented = re.sub(r"^# (?=\w+ = |\[\[)", "", text, flags=re.MULTILINE)
    assert uncommented.count("\n#") < text.count("\n#") - 12
    config, faults = parse(uncommented)
    assert [fault.text("init") for fault in faults] == []
    assert config is not None
    assert len(config.rules) == 1


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".codex").mkdir()
    return tmp_path


OAUTH = '{"claudeAiOauth": {"accessToken": "canary", "refreshToken": "canary"}}'


@pytest.mark.parametrize(
    ("file", "text", "logged_in"),
    [
        (".claude/.credentials.json", OAUTH, True),
        (".claude.json", '{"oauthAccount": {"emailAddress": "canary@example.com"}}', True),
        (".claude/.credentials.json", '{"mcpOAuth": {"x": 1}}', False),
        (".claude/.credentials.json", '{"claudeAiOauth": null}', False),
        (".claude/.credentials.json", "[" * 100_000, False),
        (".claude.json", "[]", False),
    ],
)
async def test_claude_codes_login_is_a_provider_that_forwards_it(
    home: Path, file: str, text: str, logged_in: bool
) -> None:
    (home / file).write_text(text)
    found = await discover({"HOME": str(home), "ANTHROPIC_API_KEY": "canary"}, endpoints=[])
    first = found.config.providers[0]
    assert (first.name, first.auth) == (("claude", "client") if logged_in else ("anthropic", "key"))
    assert (found.found[0] == "claude: Claude Code is logged in") is logged_in
    assert "canary" not in render_config(found) + "".join(found.found)


async def test_a_login_in_a_named_place_or_variable_counts_too(home: Path) -> None:
    (home / "elsewhere").mkdir()
    (home / "elsewhere" / ".credentials.json").write_text(OAUTH)
    (home / ".claude" / ".credentials.json").write_text("{}")
    for environ in ({"CLAUDE_CONFIG_DIR": str(home / "elsewhere")}, {"CLAUDE_CODE_OAUTH_TOKEN": "canary"}):
        found = await discover({"HOME": str(home), **environ}, endpoints=[])
        assert [provider.name for provider in found.config.providers] == ["claude"]


async def test_the_first_config_with_a_login_says_how_each_agent_gets_there(home: Path) -> None:
    (home / ".claude" / ".credentials.json").write_text(OAUTH)
    (home / ".codex" / "auth.json").write_text('{"tokens": {"access_token": "canary"}}')
    for agent in ("claude", "codex", "vim"):
        (home / agent).write_text("#!/bin/sh\n")
        (home / agent).chmod(0o755)
    found = await discover({"HOME": str(home), "PATH": str(home)}, endpoints=[])
    text = render_config(found)
    config, faults = parse(text)
    assert faults == []
    assert config is not None
    assert config.to_data() == found.config.to_data()
    assert found.agents == ("claude", "codex")
    assert "#   crtui run -- claude\n#   crtui run -- codex\n" in text
    assert "Codex is logged in with ChatGPT" in text


@pytest.mark.parametrize("text", ["{}", '{"tokens": null, "OPENAI_API_KEY": "canary"}', "no json"])
async def test_codex_with_a_key_is_no_subscription(home: Path, text: str) -> None:
    (home / ".codex" / "auth.json").write_text(text)
    assert not (await discover({"CODEX_HOME": str(home / ".codex")}, endpoints=[])).chatgpt
