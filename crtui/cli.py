"""Arguments to mode. No logic lives here; every mode is imported only when it is asked for."""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn, TextIO

from crtui import __version__
from crtui.errors import CrtuiError

_AGENTS: Final = ("claude", "codex", "aider", "opencode", "gemini", "openai", "anthropic")
_IMPORTED: Final = ("coderouter", "litellm", "claude-code-router")
_ORDERS: Final = ("demote", "drain", "pin", "reset")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_OUTPUT: Final = "the output cannot be written"
_Add = Callable[..., argparse.ArgumentParser]
_LONGEST: Final = 36_500
"""Days, in a time that is an argument."""
_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class _Parser(argparse.ArgumentParser):
    """A usage error is one line on stderr and exit code 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code; a fault with a remedy is one line on stderr."""
    # httpx would bring a command line of its own into every process: 3 MiB of click and Pygments.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: there is no such module
    _open_closed_streams()
    _print_what_can_be_printed()
    code = _outcome(argv)
    for stream in (sys.stdout, sys.stderr):
        code = _let_go(stream) or code
    sys.exit(code)


def _outcome(argv: Sequence[str] | None) -> int:
    try:
        return _run(parser().parse_args(argv))
    except CrtuiError as fault:
        return _complain(str(fault), fault.exit_code)
    except BrokenPipeError:
        return 0  # nobody reads it any more, which is no fault of the command
    except OSError as fault:
        if fault.filename is None:
            _discard(sys.stdout)
        return _complain(f"{fault.filename or _OUTPUT}: {fault.strerror or fault}", CrtuiError.exit_code)
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:  # of the parser, or by a signal
        return end.code if isinstance(end.code, int) else 0


def _complain(words: str, code: int) -> int:
    with contextlib.suppress(OSError):
        print(f"crtui: {words}", file=sys.stderr)
    return code


def _open_closed_streams() -> None:
    """Give a closed standard stream the null device: the next file would get its number, and its words."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))


def _print_what_can_be_printed() -> None:
    """A character that the terminal's encoding lacks is a question mark, and no fault."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def _discard(stream: TextIO) -> None:
    """Send to nowhere what could not be written: else it is tried again, and told by the interpreter."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def _let_go(stream: TextIO) -> int:
    """Write out what is left. The exit code where that cannot be, else 0."""
    try:
        stream.flush()
    except OSError as fault:
        _discard(stream)
        if stream is sys.stdout and not isinstance(fault, BrokenPipeError):
            return _complain(f"{_OUTPUT}: {fault.strerror}", CrtuiError.exit_code)
    return 0


def _run(args: argparse.Namespace) -> int:
    """Lead to the mode. The imports are here so that no mode pays for another's."""
    from crtui.modes.options import Options

    options = Options(
        config=args.config,
        listen=args.listen,
        profile=args.profile,
        state_dir=args.state_dir,
        no_color=args.no_color,
        ascii=args.ascii,
        read_only=args.read_only,
        strip=args.strip,
    )
    match args.mode:
        case None | "demo" | "attach":
            # Nothing worth collecting exists before the first frame, which turns this on again.
            gc.disable()
            if args.mode == "attach":
                from crtui.modes.attach import attach

                return attach(options, args.urls)
            if args.mode == "demo":
                from crtui.modes.demo import demo

                return demo(options, seed=args.seed, speed=args.speed, trace=args.trace)
            from crtui.modes.screen import dashboard

            return dashboard(options, trace=args.trace)
        case "serve":
            from crtui.modes.serve import serve

            return serve(options, log_format=args.log_format, trace=args.trace, owner=args.owner)
        case "run":
            from crtui.modes.run import run

            return run(options, args.command)
        case "status":
            from crtui.modes.ask import status

            return status(options, args.url, as_json=args.json)
        case "check" | "init" | "env":
            from crtui.modes import setup

            if args.mode == "check":
                return setup.check(options, args.file)
            if args.mode == "env":
                return setup.env(options, args.agent)
            return setup.init(options, force=args.force)
        case "doctor":
            from crtui.modes.doctor import doctor

            return doctor(options, args.provider, billed=args.billed, as_json=args.json)
        case "import":
            from crtui.modes.importing import import_config

            return import_config(args.tool, args.file)
        case "export":
            from crtui.modes.export import export

            return export(options, args.since, args.out)
        case "signals":
            from crtui.modes.signals import signals

            return signals(options, args.provider, refresh=args.refresh, as_json=args.json)
        case "usage":
            from crtui.modes.usage import usage

            return usage(options, days=args.days, utc=args.utc, as_json=args.json)
        case "statusline":
            from crtui.modes.statusline import statusline

            return statusline(options, args.command)
        case "replay" if args.tui:
            gc.disable()
            from crtui.modes.recording import replay

            return replay(options, args.trace_file, speed=args.speed)
        case "replay":
            from crtui.replay.run import replay as fold

            return fold(args.trace_file, config=args.config, final_state=args.final_state)
        case order:
            from crtui.modes.ask import give_order

            name = "reset_all" if order == "reset" and args.all else order
            return give_order(options, name, args.provider or "", args.duration)


def parser() -> argparse.ArgumentParser:
    """The whole command line; also the source of the README's table."""
    # Parsers share the actions of a parent: one that sets defaults needs a parent of its own.
    common = _common()
    top = _Parser(
        prog="crtui",
        parents=[_common()],
        description="A terminal dashboard and local gateway for live LLM routing state. "
        "Without a command: the dashboard, with gateway and routing core in the same program.",
    )
    top.add_argument("--version", action="version", version=f"crtui {__version__}")
    top.set_defaults(
        config=None,
        state_dir=None,
        listen=None,
        profile=None,
        no_color=False,
        ascii=False,
        read_only=False,
        strip=False,
    )
    top.add_argument("--trace", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    modes = top.add_subparsers(dest="mode", metavar="COMMAND", parser_class=_Parser)
    _add_running(modes.add_parser, common)
    _add_asking(modes.add_parser, common)
    _add_orders(modes.add_parser, common)
    return top


def _common() -> argparse.ArgumentParser:
    # SUPPRESS: a subcommand that does not name an option must not overwrite what stood before it.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    for name, metavar, words in (
        ("--config", "FILE", "the config file (else $CRTUI_CONFIG, else the platform's config directory)"),
        ("--state-dir", "DIR", "where state is kept (else $CRTUI_STATE_DIR, else the platform's)"),
    ):
        common.add_argument(name, type=Path, metavar=metavar, default=argparse.SUPPRESS, help=words)
    common.add_argument("--listen", metavar="HOST:PORT", help="the gateway's address (127.0.0.1:4747)")
    common.add_argument("--profile", metavar="NAME", help="the profile for requests that name none")
    common.add_argument("--no-color", action="store_true", help="no colour (also NO_COLOR)")
    common.add_argument("--ascii", action="store_true", help="plain ASCII glyphs")
    common.add_argument("--read-only", action="store_true", help="the dashboard gives no orders")
    common.add_argument("--strip", action="store_true", help="the dashboard in three lines")
    return common


def _add_running(add: _Add, common: argparse.ArgumentParser) -> None:
    demo = add("demo", parents=[common], help="the dashboard on simulated providers and generated traffic")
    demo.add_argument("--seed", type=int, default=1, help="the same seed, the same story")
    demo.add_argument("--speed", type=_speed, default=1.0, help="time runs so much faster (0.1 to 100)")
    demo.add_argument("--trace", type=Path, metavar="FILE", help="record the run's inputs as a trace")
    serve = add("serve", parents=[common], help="core and gateway without a screen")
    serve.add_argument("--log-format", choices=("text", "json"), default="text", help="one line an event")
    serve.add_argument("--trace", type=Path, metavar="FILE", help="record the run's inputs as a trace")
    serve.add_argument("--owner", type=int, metavar="FD", help=argparse.SUPPRESS)
    run = add("run", parents=[common], help="run a coding agent with its requests going to the gateway")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="claude, codex, aider …")
    attach = add("attach", parents=[common], help="the dashboard on gateways that run already")
    attach.add_argument(
        "urls", nargs="*", metavar="URL", help="default: the address in the config; several: one tab each"
    )


def _add_asking(add: _Add, common: argparse.ArgumentParser) -> None:
    status = add("status", parents=[common], help="one snapshot of a running gateway")
    status.add_argument("--json", action="store_true", help="the state as JSON")
    status.add_argument("url", nargs="?", metavar="URL", help="default: the address in the config")
    signals = add("signals", parents=[common], help="what was last heard of each provider")
    signals.add_argument("provider", nargs="?", metavar="PROVIDER", help="default: all of the config")
    signals.add_argument("--refresh", action="store_true", help="ask their free endpoints first")
    signals.add_argument("--json", action="store_true", help="as JSON")
    usage = add("usage", parents=[common], help="the tokens in coding agents' logs, by day and model")
    usage.add_argument("--days", type=_days, metavar="N", help="only the last N times 24 hours")
    usage.add_argument("--utc", action="store_true", help="days of UTC instead of this machine's zone")
    usage.add_argument("--json", action="store_true", help="as JSON")
    line = add("statusline", parents=[common], help="keep the limits Claude Code hands its status line")
    line.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the one to go on with")
    check = add("check", parents=[common], help="validate a config")
    check.add_argument("file", nargs="?", type=Path, metavar="FILE")
    doctor = add("doctor", parents=[common], help="what is wrong with each provider, and what mends it")
    doctor.add_argument("provider", nargs="?", metavar="PROVIDER", help="default: all of the config")
    doctor.add_argument("--billed", action="store_true", help="ask a model for a stream and a tool call too")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    init = add("init", parents=[common], help="write a first config from what is found here")
    init.add_argument("--force", action="store_true", help="replace an existing config")
    imported = add("import", parents=[common], help="another tool's config as one of crtui, on stdout")
    imported.add_argument("tool", choices=_IMPORTED, metavar=f"{{{','.join(_IMPORTED)}}}")
    imported.add_argument("file", type=Path, metavar="FILE")
    env = add("env", parents=[common], help="print the export lines for an agent")
    env.add_argument("agent", nargs="?", choices=_AGENTS, metavar=f"{{{','.join(_AGENTS)}}}")
    export = add("export", parents=[common], help="the journal of the last run as a trace")
    export.add_argument(
        "--since", type=_duration, metavar="2h", help="only from the checkpoint before then (else all of it)"
    )
    export.add_argument("--out", type=Path, metavar="FILE", help="a new file (else standard output)")
    replay = add("replay", parents=[common], help="run a trace through the core on virtual time")
    replay.add_argument("trace_file", type=_trace_path, metavar="TRACE", help="a file, or - for stdin")
    replay.add_argument("--final-state", action="store_true", help="end with the state")
    replay.add_argument("--tui", action="store_true", help="in the dashboard, with a time line")
    replay.add_argument("--speed", type=_speed, default=1.0, help="with --tui: so much faster (0.1 to 100)")


def _add_orders(add: _Add, common: argparse.ArgumentParser) -> None:
    words = {
        "demote": "put a provider at the back of every chain",
        "drain": "send a provider no new requests",
        "pin": "put a provider first while it can serve",
        "reset": "lift a provider's override and clear its guards",
    }
    for order in _ORDERS:
        sub = add(order, parents=[common], help=words[order])
        if order == "reset":
            which = sub.add_mutually_exclusive_group(required=True)
            which.add_argument("--all", action="store_true", help="every provider")
            which.add_argument("provider", nargs="?", metavar="PROVIDER")
            sub.set_defaults(duration=None)
        else:
            sub.add_argument("provider", metavar="PROVIDER")
            sub.add_argument(
                "--for", dest="duration", type=_duration, metavar="30m", help="then lift it again"
            )


def _duration(text: str) -> int:
    """``30m``, ``90s``, ``2h`` or bare seconds, in milliseconds."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time like 30m, 90s or 2h")
    ms = float(match[1]) * _UNITS[match[2] or "s"]
    if ms > _LONGEST * _UNITS["d"]:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is too long; at most {_LONGEST}d")
    return max(1, round(ms))


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to 10000")
    return int(text)


def _trace_path(text: str) -> Path:
    return Path("/dev/stdin") if text == "-" else Path(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.1 <= speed <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0.1 to 100")
    return speed
