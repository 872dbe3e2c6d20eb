"""`galtea-async export`: write evaluations as JSON Lines or CSV, with the names that go with them."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from galtea_async import AsyncGaltea, ConfigurationError
from galtea_async.cli.command import Command
from galtea_async.cli.exit_code import ExitCode
from galtea_async.results import evaluation_records, write_csv, write_json_lines
from galtea_async.results.text_output import Target

__all__ = ["COMMAND"]

_WRITERS: Final = {"jsonl": write_json_lines, "csv": write_csv}

_EPILOG: Final = """\
Each of --version-id, --session-id and --run-id may be repeated; together they narrow the choice.
The key is read from GALTEA_API_KEY, the address of the service from GALTEA_API_URL.

In CSV, a text that a spreadsheet could take for a formula gets an apostrophe in front.

exit codes:
  0  every evaluation was written
  1  the reader of standard output has left
  2  the arguments or the settings cannot be right, or the file cannot be written
  3  the export ended early; what was written is not all
"""


def _add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--version-id", action="append", metavar="ID", help="evaluations of the sessions of this version")
    add("--session-id", action="append", metavar="ID", help="evaluations of this session")
    add("--run-id", action="append", metavar="ID", help="evaluations that belong to this run")
    add("--format", choices=tuple(_WRITERS), default="jsonl", help="jsonl: an object a line; csv (jsonl)")
    add("--output", default="-", metavar="FILE", help="the file to write, replaced if it is there (stdout)")


def _run(arguments: Namespace) -> ExitCode:
    if not (arguments.version_id or arguments.session_id or arguments.run_id):
        raise ConfigurationError("export needs --version-id, --session-id or --run-id")
    with _target(arguments.output) as target:
        count = asyncio.run(_export(arguments, target))
    where = "standard output" if arguments.output == "-" else arguments.output
    print(f"{count:,} evaluation{'' if count == 1 else 's'} written to {where}", file=sys.stderr)
    return ExitCode.DONE


async def _export(arguments: Namespace, target: Target) -> int:
    async with AsyncGaltea() as galtea:
        evaluations = galtea.evaluations.iterate(
            version_ids=arguments.version_id, session_ids=arguments.session_id, run_ids=arguments.run_id
        )
        return await _WRITERS[arguments.format](target, evaluation_records(galtea, evaluations))


@contextmanager
def _target(path: str) -> Generator[Target]:
    """Give the path, or standard output, in UTF-8 and with the line ends of the format."""
    if path != "-":
        yield path
        return
    with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as output:
        yield output


COMMAND: Final = Command(
    description="Write evaluations as JSON Lines or CSV, with the names of their metrics and your own ids\n"
    "of their sessions. They are streamed, in flat memory.",
    epilog=_EPILOG,
    add_arguments=_add_arguments,
    run=_run,
)
