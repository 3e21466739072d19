"""`vagus`: finds the command and runs it; each command imports what it needs only when it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from vagus.cli import diagnose, doctor, export, importing, renormalise, reprice, serve, sql, version
from vagus.errors import VagusError

INSTALL = "pip install 'vagus[server]'"
# The demo reads its own arguments: it needs the server installed even to list them.
_DEMO_HELP = "start a server with a simulated application and an incident in it"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 for good, 1 for a failure, 2 for wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["demo"]:
            from vagus.cli.demo import main as demo

            return demo(words[1:])
        arguments = build_parser().parse_args(words)
        status: int = arguments.run(arguments)
    except VagusError as e:
        print(f"vagus: {e}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as e:
        if (e.name or "").partition(".")[0] == "vagus":
            raise
        command = words[0] if words else ""
        print(
            f"vagus: `vagus {command}` needs the server ({e.name} is not installed): {INSTALL}",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough; what is still buffered must not raise at exit.
        sys.stdout = None
        return 0
    return status


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="vagus", description="Observability of AI applications: one server, one command line."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    serve.add_parser(commands)
    commands.add_parser("demo", help=_DEMO_HELP, add_help=False)
    doctor.add_parser(commands)
    diagnose.add_parser(commands)
    export.add_parser(commands)
    importing.add_parser(commands)
    sql.add_parser(commands)
    renormalise.add_parser(commands)
    reprice.add_parser(commands)
    version.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
