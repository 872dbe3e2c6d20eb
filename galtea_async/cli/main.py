"""Finds the command that was asked for, runs it, and turns errors into one line and an exit code.

A command's module is imported when the command is asked for and not before, so that `--help` and a typing
error need not wait for what a client or an emulator imports.
"""

from __future__ import annotations

import os
import sys
from argparse import REMAINDER, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

from galtea_async._version import __version__
from galtea_async.cli.exit_code import ExitCode
from galtea_async.errors import ConfigurationError, GalteaError, InvalidRequestError, JournalError

if TYPE_CHECKING:
    from galtea_async.cli.command import Command

__all__ = ["main"]

_COMMANDS: Final = {
    "demo": "evaluate 2,500 sessions on a local emulator, and prove that each was evaluated once",
    "evaluate": "evaluate the sessions of a version, or those that a file names",
    "resume": "continue a job from its journal alone",
    "status": "say what a journal has of its job",
    "export": "write evaluations as JSON Lines or CSV",
    "emulate": "serve a local Galtea to try clients on",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments; by default those of the process.

    Returns:
        The exit code; see `ExitCode`.

    Raises:
        SystemExit: The arguments make no sense (2), or help was asked for (0).
    """
    chosen = _parser().parse_args(argv)
    command: Command = import_module(f"galtea_async.cli.{chosen.command}").COMMAND
    parser = ArgumentParser(
        prog=f"galtea-async {chosen.command}",
        description=command.description,
        epilog=command.epilog,
        formatter_class=RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    return _run(command, parser.parse_args(chosen.arguments))


def _parser() -> ArgumentParser:
    width = max(map(len, _COMMANDS))
    parser = ArgumentParser(
        prog="galtea-async",
        description="Evaluate recorded sessions on Galtea, each exactly once.",
        epilog="\n".join(
            [
                "commands:",
                *(f"  {name.ljust(width)}  {summary}" for name, summary in _COMMANDS.items()),
                "",
                "`galtea-async COMMAND --help` explains a command.",
            ]
        ),
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"galtea-async {__version__}")
    parser.add_argument("command", choices=_COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=REMAINDER, metavar="...", help="the arguments of the command")
    return parser


def _run(command: Command, arguments: Namespace) -> int:
    try:
        return command.run(arguments)
    except (ConfigurationError, InvalidRequestError, JournalError) as error:
        return _complain(error, ExitCode.USAGE)
    except GalteaError as error:
        return _complain(error, ExitCode.ENDED_EARLY)
    except KeyboardInterrupt:
        return _complain("interrupted", ExitCode.ENDED_EARLY)
    except BrokenPipeError:
        # Whoever read the output has left. Python would fail once more when it flushes at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.INCOMPLETE
    except OSError as error:
        return _complain(_reason(error), ExitCode.USAGE)


def _reason(error: OSError) -> str:
    subject = "" if error.filename is None else f"{error.filename}: "
    return f"{subject}{error.strerror or type(error).__name__}"


def _complain(problem: object, code: ExitCode) -> ExitCode:
    print(f"galtea-async: {' '.join(str(problem).split())}", file=sys.stderr)
    return code
