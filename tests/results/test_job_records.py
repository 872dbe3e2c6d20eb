"""Jobs as records: what became of each session, and the account of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from galtea_async import (
    AsyncGaltea,
    AsyncPandaProbe,
    evaluate_sessions,
    journal_outcomes,
    open_bulk_evaluation,
)
from galtea_async.emulator import GalteaEmulator, PandaProbeEmulator, PandaProbeRules
from galtea_async.results import outcome_records, report_record, score_records

if TYPE_CHECKING:
    from pathlib import Path


async def test_outcomes_of_a_journal_are_records(tmp_path: Path) -> None:
    """Each session of a job has a record, with the reason where it failed."""
    journal = tmp_path / "job.db"
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        ids = await emulator.session_ids(await emulator.add_version(sessions=3))
        await emulator.refuse(ids[:1], "no turns")
        report = await evaluate_sessions(galtea, ids, journal=journal)
    records = outcome_records(journal_outcomes(journal))
    assert list(records.columns) == ["session_id", "status", "error"]
    assert sorted([record async for record in records], key=lambda record: record["status"]) == [
        *({"session_id": id_, "status": "evaluated", "error": None} for id_ in ids[1:]),
        {"session_id": ids[0], "status": "failed", "error": report.failures[0].error},
    ]


async def test_outcomes_of_a_running_job_are_records() -> None:
    """The streaming form can be written while it runs."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        ids = await emulator.session_ids(await emulator.add_version(sessions=3))
        async with open_bulk_evaluation(galtea, ids, chunk_size=1) as bulk:
            records = [record async for record in outcome_records(bulk)]
    assert {record["session_id"] for record in records} == set(ids)
    assert {type(record["status"]) for record in records} == {str}


async def test_scores_of_a_job_are_records(tmp_path: Path) -> None:
    """Each score has a record, also one that could not be given; a session without any has none."""
    journal = tmp_path / "job.db"
    async with (
        PandaProbeEmulator(rules=PandaProbeRules(failed_share=0.5)) as emulator,
        AsyncPandaProbe(emulator.api_key, project_name=emulator.project_name, base_url=emulator.url) as panda,
    ):
        ids = await emulator.add_sessions(10)
        metrics = ["agent_reliability", "agent_consistency"]
        await evaluate_sessions(panda, [*ids, "session_unknown"], metrics=metrics, journal=journal)
        rows = await emulator.scores()
    expected = {
        (row["session_id"], row["name"]): None if row["value"] is None else float(str(row["value"]))
        for row in rows
    }
    assert None in expected.values()
    records = score_records(journal_outcomes(journal))
    assert list(records.columns) == ["session_id", "metric", "score"]
    assert {(record["session_id"], record["metric"]): record["score"] async for record in records} == expected


async def test_a_report_is_a_record_of_its_counts() -> None:
    """Every number of a report is in its record, under the same name and in the same order."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        ids = await emulator.session_ids(await emulator.add_version(sessions=3))
        report = await evaluate_sessions(galtea, ids)
    numbers = {name: value for name, value in attrs.asdict(report).items() if isinstance(value, int | float)}
    record = report_record(report)
    assert record == numbers
    assert list(record) == list(numbers)
    assert record["sessions_evaluated"] == 3
