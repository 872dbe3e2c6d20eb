"""`galtea-async status`: say what a journal has of its job, without a key and without the network."""

from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser, Namespace
from typing import Final

import attrs

from galtea_async import (
    JournalSummary,
    OutcomeStatus,
    SessionOutcome,
    journal_outcomes,
    read_journal,
)
from galtea_async.cli.command import Command
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.report_text import report_as_text

__all__ = ["COMMAND"]

_ALL: Final = "all"

_EPILOG: Final = """\
Neither a key nor the service is needed, and the job may run meanwhile. An outcome is a line of three
columns with tabs between them: the session, what became of it, and why. With --json it is an object a line.

exit codes:
  0  the journal was read
  2  there is no such journal, or it cannot be read
"""


def _add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("journal", metavar="JOURNAL", help="the journal of the job")
    add(
        "--outcomes",
        choices=(_ALL, *OutcomeStatus),
        metavar="STATUS",
        help="list the sessions instead: evaluated, failed, skipped, unresolved or all",
    )
    add("--json", action="store_true", help="print JSON")


def _run(arguments: Namespace) -> ExitCode:
    if arguments.outcomes is None:
        summary = asyncio.run(read_journal(arguments.journal))
        print(_summary_as_json(summary) if arguments.json else _summary_as_text(summary), flush=True)
    else:
        asyncio.run(_print_outcomes(arguments))
    return ExitCode.DONE


async def _print_outcomes(arguments: Namespace) -> None:
    status = None if arguments.outcomes == _ALL else arguments.outcomes
    write = _outcome_as_json if arguments.json else _outcome_as_text
    async for outcome in journal_outcomes(arguments.journal, status):
        print(write(outcome))


def _outcome_as_text(outcome: SessionOutcome) -> str:
    # An error is the service's text, so it may have tabs and line ends of its own.
    columns = (outcome.session_id, outcome.status, " ".join((outcome.error or "").split()))
    return "\t".join(columns).rstrip()


def _outcome_as_json(outcome: SessionOutcome) -> str:
    fields = attrs.asdict(outcome)
    if outcome.scores is None:
        del fields["scores"]
    return json.dumps(fields)


def _summary_as_text(summary: JournalSummary) -> str:
    lines = {
        "what": summary.kind,
        "service": summary.target,
        **{name.replace("_", " "): text for name, text in summary.settings.items()},
        "begun": summary.created_at.isoformat(timespec="seconds"),
        "opened last by": summary.owner,
        "all ids read": "yes" if summary.input_complete else "no",
        "still to be sent": f"{summary.sessions_planned:,}",
    }
    width = max(map(len, lines))
    job = [f"  {name.ljust(width)}  {text}".rstrip() for name, text in lines.items()]
    return "\n".join(["Job", *job, "", report_as_text(summary.report)])


def _summary_as_json(summary: JournalSummary) -> str:
    fields = attrs.asdict(summary)
    return json.dumps({**fields, "created_at": summary.created_at.isoformat()}, indent=2)


COMMAND: Final = Command(
    description="Say what a journal has of its job, or what became of each session.",
    epilog=_EPILOG,
    add_arguments=_add_arguments,
    run=_run,
)
