"""What was sent to the emulator in order to evaluate a version, as the emulator saw it."""

from __future__ import annotations

from collections.abc import Sequence

from galtea_async.cli.named_sessions import named_sessions
from galtea_async.cli.table import table
from galtea_async.emulator import GalteaEmulator, RecordedRequest

__all__ = ["sent_as_text"]


async def sent_as_text(emulator: GalteaEmulator, version_id: str, requests: Sequence[RecordedRequest]) -> str:
    """Write a table of the calls that evaluate, and of those that only look."""
    batches = [request for request in requests if request.route == "/evaluations/fromSessions"]
    by_ids = [named for request in batches if (named := named_sessions(request))]
    explicit = {id_ for named in by_ids for id_ in named}
    covered = {str(row["sessionId"]) for row in await emulator.evaluations(version_id=version_id)}
    by_version = len(covered - explicit)
    left_out = len(await emulator.session_ids(version_id)) > by_version
    rows = [
        (
            _calls(len(batches) - len(by_ids), "by version"),
            f"{by_version:,} sessions",
            "truncated by the service" if left_out and by_version else "",
        ),
        (_calls(len(by_ids), "by explicit ids"), f"{sum(map(len, by_ids)):,} sessions", ""),
        (_calls(len(requests) - len(batches), "that only read"), "", ""),
    ]
    lost = sum(request.status is None for request in batches)
    remark = f"\n  The answers to {lost} of the calls that evaluate were lost." if lost else ""
    return f"What was sent\n{table([row for row in rows if not row[0].startswith('0 ')])}{remark}"


def _calls(count: int, kind: str) -> str:
    return f"{count} call{'' if count == 1 else 's'} {kind}"
