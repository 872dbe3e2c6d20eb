"""The demonstration on a PandaProbe: sessions that a worker scores while the job waits."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Final

from galtea_async import (
    AsyncPandaProbe,
    CompletionPolicy,
    OutcomeStatus,
    SessionOutcome,
    open_bulk_evaluation,
)
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.named_sessions import named_sessions
from galtea_async.cli.progress_line import ProgressLine
from galtea_async.cli.proof import Proof
from galtea_async.cli.report_text import report_as_text
from galtea_async.cli.score_table import MetricScores, score_table
from galtea_async.cli.table import table
from galtea_async.emulator import Fault, PandaProbeEmulator, PandaProbeRules, RecordedRequest, Reset

__all__ = ["demonstrate_pandaprobe", "pandaprobe_proof"]

_METRICS: Final = ("agent_reliability", "agent_consistency")
_RULES: Final = PandaProbeRules(seconds_per_session=0.002)
"""The emulated judges take two milliseconds a session; real ones take seconds a turn."""

_COMPLETION: Final = CompletionPolicy(poll_interval=0.25)

_FAULTS: Final[Mapping[str, Sequence[Fault]]] = {
    "none": (),
    "lost-replies": (
        Fault(route="POST /evaluations/session-runs/batch", when="after", action=Reset(), nth={1, 3, 6}),
        Fault(route="GET *", when="after", action=Reset(), probability=0.1),
    ),
}


async def demonstrate_pandaprobe(arguments: Namespace) -> ExitCode:
    """Evaluate a project on an emulator, and print what was sent, what came of it, and the proof."""
    emulator = PandaProbeEmulator(seed=arguments.seed, latency=arguments.latency, rules=_RULES)
    async with (
        emulator,
        AsyncPandaProbe(emulator.api_key, project_name=emulator.project_name, base_url=emulator.url) as panda,
    ):
        session_ids = await emulator.add_sessions(arguments.sessions, traces=2)
        emulator.faults = _FAULTS[arguments.fault]
        print(f"A project has {arguments.sessions:,} sessions, on an emulator at {emulator.url}")
        progress = ProgressLine(sys.stderr)
        async with open_bulk_evaluation(
            panda,
            session_ids,
            metrics=_METRICS,
            chunk_size=arguments.chunk_size,
            completion=_COMPLETION,
            progress=progress,
        ) as bulk:
            outcomes = [outcome async for outcome in bulk]
        progress.end()
        report = bulk.report
        print(f"\n{_sent_as_text(emulator.requests)}\n\n{report_as_text(report)}")
        print(f"\n{score_table(_given(metric, outcomes) for metric in _METRICS)}")
        proof = await pandaprobe_proof(emulator)
        print(f"\n{proof}")
    done = proof.holds and report.sessions_evaluated == arguments.sessions
    return ExitCode.DONE if done else ExitCode.INCOMPLETE


async def pandaprobe_proof(emulator: PandaProbeEmulator) -> Proof:
    """Count what an emulator holds for its project."""
    rows = await emulator.scores()
    return Proof.of(
        await emulator.session_ids(), ((str(row["session_id"]), str(row["name"])) for row in rows)
    )


def _given(metric: str, outcomes: Sequence[SessionOutcome]) -> MetricScores:
    scores = [
        outcome.scores[metric]
        for outcome in outcomes
        if outcome.status is OutcomeStatus.EVALUATED and outcome.scores and metric in outcome.scores
    ]
    given = [score for score in scores if score is not None]
    return MetricScores(metric=metric, evaluations=len(scores), scores=given, failed=len(scores) - len(given))


def _sent_as_text(requests: Sequence[RecordedRequest]) -> str:
    """Write a table of the calls that book runs, and of those that only look."""
    bookings = [request for request in requests if request.method == "POST"]
    sessions = sum(len(named_sessions(request)) for request in bookings)
    rows = [
        (f"{len(bookings)} calls that book a run", f"{sessions:,} sessions"),
        (f"{len(requests) - len(bookings)} calls that only read", ""),
    ]
    lost = sum(request.status is None for request in bookings)
    remark = f"\n  The answers to {lost} of the calls that book were lost." if lost else ""
    return f"What was sent\n{table(rows)}{remark}"
