"""A bulk report for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import attrs

from galtea_async.cli.table import table

if TYPE_CHECKING:
    from galtea_async.bulk.report import BulkReport

__all__ = ["report_as_json", "report_as_text"]

_FAILURES_SHOWN: Final = 10
_MESSAGES_SHOWN: Final = 5


def report_as_text(report: BulkReport) -> str:
    """Write a report as a table, with the first failures and messages below it."""
    rows = [
        ("sessions requested", f"{report.sessions_requested:,}"),
        ("  evaluated", f"{report.sessions_evaluated:,}"),
        ("  failed", f"{report.sessions_failed:,}"),
        ("  skipped", f"{report.sessions_skipped:,}"),
        ("  unresolved", f"{report.sessions_unresolved:,}"),
        ("evaluations created", f"{report.evaluations_created:,}"),
        ("requests sent", f"{report.requests:,}"),
        ("  of them repeats", f"{report.retries:,}"),
        ("sessions found by looking", f"{report.reconciled:,}"),
        ("seconds", f"{report.elapsed:,.2f}"),
    ]
    failures = [f"{failure.session_id}: {failure.error or 'no reason given'}" for failure in report.failures]
    return "\n".join(
        [
            "Report",
            table(rows),
            *_listed("Failures", failures, report.sessions_failed, _FAILURES_SHOWN),
            *_listed("Messages of the service", report.messages, len(report.messages), _MESSAGES_SHOWN),
        ]
    )


def report_as_json(report: BulkReport) -> str:
    """Write a report as one JSON object, its keys being the names of `BulkReport`."""
    return json.dumps(attrs.asdict(report), indent=2)


def _listed(title: str, lines: list[str] | tuple[str, ...], count: int, most: int) -> list[str]:
    if not lines:
        return []
    shown = [f"  {line}" for line in lines[:most]]
    return ["", title, *shown, *([f"  and {count - most:,} more"] if count > most else [])]
