"""The first config: what was discovered, as TOML that explains itself. Keys appear by variable name only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crtui.config.discover import Discovery
from crtui.config.importers import toml
from crtui.config.kinds import KINDS
from crtui.config.model import Provider

_HEAD: Final = """\
# crtui: who may serve, in which order, and when to pass somebody over.
# Check it with `crtui check`. Keys never stand here, only the names of the variables that hold them.

[gateway]
listen = "127.0.0.1:4747"        # any other address needs a token
# token_env = "CRTUI_TOKEN"      # the variable with the token that clients then send
# allowed_hosts = []             # further Host headers to take, if a proxy stands in front
# max_body_mb = 64
# max_in_flight = 256

[routing]
default_profile = "default"
allow_paid = false               # providers with paid = true stay out until this is true

[health]
threshold = 3                    # failures in a row: DEGRADED at this many, UNHEALTHY at twice as many
recovery_s = 300                 # how long UNHEALTHY lasts before a trial
probe = true                     # make that trial with a free request where there is one
"""

_OPTIONS: Final = """\
# paid = true                    # only used with allow_paid
# model = "..."                  # always send this model
# models = { "pattern" = "..." } # or: the model to send, by what was asked for
# daily_tokens = 2_000_000       # out for the rest of the UTC day when used up
# monthly_usd = 50.0             # out for the rest of the month when spent
# price = { input = 3.0, output = 15.0 }   # USD per million tokens, instead of the vendor's list price
# capacity = 4                   # requests at a time
# poll_s = 30                    # free status request every so often; 0 = never
"""

_NONE: Final = """\
# Nothing was found: no login, no known key in the environment, no local server on its usual port.
# [[provider]]
# name = "anthropic"
# kind = "anthropic"             # openai, openrouter, gemini, ollama, lmstudio, llamacpp, vllm,
# api_key_env = "ANTHROPIC_API_KEY"   # or openai-compatible with a base_url
"""

_PROFILE: Final = """\
[[profile]]
name = "default"
chain = [{chain}]
tactic = "priority"              # or tier, random, token_based, latency_based, speed_based, ...
health_action = "demote"         # off | warn | demote | exclude
memory_pressure_action = "skip"  # off | warn | skip, for memory_pressure_cooldown_s
# adaptive = true                # move slow and failing providers back
# affinity_s = 1800              # a session stays with its provider this long
"""

_RULE: Final = """\
# [[rule]]                       # the first that matches chooses the profile
# when = { model_pattern = "claude-.*haiku.*" }
# profile = "default"
"""


_CHATGPT: Final = """\
# Codex is logged in with ChatGPT, whose endpoint takes nobody's requests but its own. Its limits are
# shown all the same; to route Codex, give a provider with the responses wire a key.
"""

_CLIENT: Final = """\
auth = "client"                  # the caller's own login or key is forwarded, to this provider only
"""


def render_config(discovery: Discovery) -> str:
    """The text of a config file with what was discovered; it loads without a fault."""
    providers = discovery.config.providers
    parts = [_HEAD, *("".join(_provider(given, first=i == 0)) for i, given in enumerate(providers))]
    if providers:
        chain = ", ".join(f'"{given.name}"' for given in providers)
        parts.append(_PROFILE.format(chain=chain))
    else:
        parts.append(_NONE)
    return "\n".join([*parts, _RULE, *_agents(discovery)])


def _agents(discovery: Discovery) -> Iterator[str]:
    """How each agent that is installed here reaches the gateway."""
    if discovery.agents:
        yield "# The agents found here; each of these starts one with its requests going through crtui:"
        yield from (f"#   crtui run -- {agent}" for agent in discovery.agents)
        yield ""
    if discovery.chatgpt:
        yield _CHATGPT


def _provider(given: Provider, *, first: bool) -> Iterator[str]:
    facts = KINDS[given.kind]
    yield f'[[provider]]\nname = "{given.name}"\nkind = "{given.kind}"\n'
    if given.base_url != facts.base_url:
        yield f'base_url = "{given.base_url}"\n'
    if given.model is not None:
        yield f"model = {toml.value(given.model)}  # the only one it has, whatever an agent asks for\n"
    if given.models:
        yield f"# instead of a cloud's\nmodels = {toml.value(given.models)}\n"
    if given.auth == "client":
        yield _CLIENT
    if given.api_key_env is not None:
        yield f'api_key_env = "{given.api_key_env}"\n'
    if first:
        yield _OPTIONS
