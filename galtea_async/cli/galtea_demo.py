"""The demonstration on a Galtea: a version past the cap of one request."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Final

from galtea_async import AsyncGaltea, ReconcilePolicy, evaluate_version
from galtea_async.cli.exit_code import ExitCode
from galtea_async.cli.progress_line import ProgressLine
from galtea_async.cli.proof import Proof
from galtea_async.cli.report_text import report_as_text
from galtea_async.cli.scores import scores_as_text, settled_evaluations
from galtea_async.cli.sent import sent_as_text
from galtea_async.emulator import Fault, GalteaEmulator, Reset

__all__ = ["demonstrate_galtea", "galtea_proof"]

_JUDGING: Final = (0.2, 1.5)
"""Seconds that the emulated judge takes; the real one takes minutes."""

_SETTLE: Final = 1.0
"""Seconds for which rows must stay unchanged; the emulator does not go on working for long."""

_FAULTS: Final[Mapping[str, Sequence[Fault]]] = {
    "none": (),
    "lost-replies": (
        Fault(route="POST /evaluations/fromSessions", when="after", action=Reset(), nth={1, 3, 6}),
        Fault(route="GET *", when="after", action=Reset(), probability=0.1),
    ),
}


async def demonstrate_galtea(arguments: Namespace) -> ExitCode:
    """Evaluate a version on an emulator, and print what was sent, what came of it, and the proof."""
    emulator = GalteaEmulator(seed=arguments.seed, latency=arguments.latency, judging=_JUDGING)
    async with emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        version_id = await emulator.add_version(sessions=arguments.sessions)
        emulator.faults = _FAULTS[arguments.fault]
        print(f"Version {version_id} has {arguments.sessions:,} sessions, on an emulator at {emulator.url}")
        progress = ProgressLine(sys.stderr)
        report = await evaluate_version(
            galtea,
            version_id,
            strategy=arguments.strategy,
            chunk_size=arguments.chunk_size,
            reconcile=ReconcilePolicy(settle=_SETTLE),
            progress=progress,
        )
        progress.end()
        requests = emulator.requests.copy()
        print(f"\n{await sent_as_text(emulator, version_id, requests)}\n\n{report_as_text(report)}")
        evaluations = await settled_evaluations(galtea, version_id)
        print(f"\n{await scores_as_text(galtea, evaluations)}")
        proof = await galtea_proof(emulator, version_id)
        print(f"\n{proof}")
    done = proof.holds and report.sessions_evaluated == arguments.sessions
    return ExitCode.DONE if done else ExitCode.INCOMPLETE


async def galtea_proof(emulator: GalteaEmulator, version_id: str) -> Proof:
    """Count what an emulator holds for a version."""
    rows = await emulator.evaluations(version_id=version_id)
    return Proof.of(
        await emulator.session_ids(version_id),
        ((str(row["sessionId"]), str(row["metricId"])) for row in rows),
    )
