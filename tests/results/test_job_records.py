"""Jobs as records: what became of each session, and the account of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from galtea_async import AsyncGaltea, evaluate_sessions, journal_outcomes, open_bulk_evaluation
from galtea_async.emulator import GalteaEmulator
from galtea_async.results import outcome_records, report_record

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
