"""What `wait_for_evaluations` waits for: a version, a run, ids, or a bulk job by its journal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from galtea_async import AsyncGaltea, evaluate_sessions, evaluate_version
from galtea_async.emulator import GalteaEmulator
from galtea_async.errors import InvalidRequestError
from galtea_async.galtea.waiting import wait_for_evaluations
from support.clock import now
from support.evaluation_service import Row
from support.evaluation_waits import KEY, client_of, looks, settled_of
from support.raw_server import RawServer, json_answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


async def test_a_version_is_waited_for() -> None:
    """Every evaluation comes once, settled, although all were pending when the wait began."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=120)
        _ = await emulator.add_evaluations(await emulator.session_ids(version_id))
        settled = await wait_for_evaluations(galtea, version_id=version_id)
        expected = await emulator.evaluations(version_id=version_id)
        assert sorted(row.id for row in settled) == sorted(str(row["id"]) for row in expected)
        assert all(row.status is not None and row.status.is_settled for row in settled)
        assert len(looks(emulator.requests)) < 40


@pytest.mark.parametrize("selector", ["session_ids", "evaluation_ids", "version_id", "run_id"])
async def test_each_selector(selector: str) -> None:
    """The first request names what is waited for as the API does; others' evaluations are left alone."""
    names = {
        "session_ids": "sessionIds",
        "evaluation_ids": "ids",
        "version_id": "versionIds",
        "run_id": "runIds",
    }
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        product_id = await emulator.add_product()
        version_id = await emulator.add_version(product_id, sessions=3)
        other = await emulator.add_version(product_id, sessions=3)
        run = await galtea.request("POST", "/runs", json={"productId": product_id, "versionId": version_id})
        assert isinstance(run, dict)
        session_ids = await emulator.session_ids(version_id)
        _ = await emulator.add_evaluations(await emulator.session_ids(other))
        wanted = await emulator.add_evaluations(session_ids, run_id=str(run["id"]))
        values: dict[str, Any] = {
            "session_ids": session_ids,
            "evaluation_ids": wanted,
            "version_id": version_id,
            "run_id": run["id"],
        }
        settled = await wait_for_evaluations(galtea, **{selector: values[selector]})
        assert sorted(row.id for row in settled) == sorted(wanted)
        first = looks(emulator.requests)[0]
        chosen = values[selector]
        assert first.path == "/evaluations"
        assert [value for name, value in first.query if name == names[selector]] == (
            [chosen] if isinstance(chosen, str) else chosen
        )


@pytest.mark.parametrize("kind", ["version", "sessions"])
async def test_a_bulk_job_is_waited_for_by_its_journal(tmp_path: Path, kind: str) -> None:
    """The journal of a job says which evaluations to wait for."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=70)
        session_ids = await emulator.session_ids(version_id)
        journal = tmp_path / "job.db"
        if kind == "version":
            report = await evaluate_version(galtea, version_id, journal=journal)
        else:
            report = await evaluate_sessions(galtea, session_ids[:50], journal=journal)
        settled = await wait_for_evaluations(galtea, journal=journal)
        assert len(settled) == report.evaluations_created > 0
        assert {row.session_id for row in settled} == set(
            session_ids if kind == "version" else session_ids[:50]
        )
        by_report = await wait_for_evaluations(galtea, report=report)
        assert sorted(row.id for row in by_report) == sorted(row.id for row in settled)


async def test_a_report_without_a_journal_names_no_sessions() -> None:
    """A job that kept no journal cannot say what it evaluated, and the error says what to do."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=3)
        report = await evaluate_version(galtea, version_id)
        with pytest.raises(InvalidRequestError, match="wait by session_ids or version_id"):
            await wait_for_evaluations(galtea, report=report)


async def test_a_journal_of_another_service(tmp_path: Path) -> None:
    """A journal that was written for another service is refused, since its ids mean nothing here."""
    async with GalteaEmulator() as one, GalteaEmulator() as other, client_of(one) as galtea:
        version_id = await one.add_version(sessions=1)
        _ = await evaluate_version(galtea, version_id, journal=tmp_path / "job.db")
        async with client_of(other) as stranger:
            with pytest.raises(InvalidRequestError, match="is the journal of a job at"):
                await wait_for_evaluations(stranger, journal=tmp_path / "job.db")


async def test_ids_from_a_generator() -> None:
    """Ids may come from an async generator, repeat, and be many; few requests find what is pending."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=1_200)
        session_ids = await emulator.session_ids(version_id)
        wanted = await emulator.add_evaluations(session_ids)

        async def ids() -> AsyncGenerator[str]:
            for id_ in [*session_ids, *session_ids[:300]]:
                yield id_

        settled = await wait_for_evaluations(galtea, session_ids=ids())
        assert sorted(row.id for row in settled) == sorted(wanted)
        polls = [dict(request.query) for request in looks(emulator.requests)]
        assert {"productIds"} <= {
            name for poll in polls if poll.get("statuses") == "PENDING" for name in poll
        }
        assert len([poll for poll in polls if "sessionIds" not in poll]) < 80


async def test_sessions_without_evaluations_are_not_waited_for() -> None:
    """Where there is no row there is nothing to wait for: one request, and the wait ends."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=3)
        assert await wait_for_evaluations(galtea, version_id=version_id) == []
        assert len(looks(emulator.requests)) == 1


@pytest.mark.parametrize("status", ["PENDING_HUMAN", "CANCELLED", "OUTDATED", "REINCARNATED"])
async def test_pending_alone_is_unsettled(status: str) -> None:
    """A row that waits for a person, or has a status from the future, is not waited for."""
    began = now()
    ids, _, _ = await settled_of([Row("a", 0, [(0, status)])])
    assert ids == ["a"]
    assert now() - began < 0.5


async def test_rows_made_later_are_not_part_of_the_wait() -> None:
    """A wait ends although new evaluations never cease to come."""
    async with GalteaEmulator() as emulator, client_of(emulator) as galtea:
        version_id = await emulator.add_version(sessions=50)
        session_ids = await emulator.session_ids(version_id)
        wanted = await emulator.add_evaluations(session_ids)
        wait = asyncio.create_task(wait_for_evaluations(galtea, version_id=version_id))
        for _ in range(100):
            await asyncio.sleep(1)
            _ = await emulator.add_evaluations(session_ids[:5])
        assert sorted(row.id for row in await wait) == sorted(wanted)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"version_id": "a", "run_id": "b"},
        {"session_ids": "session_1"},
        {"session_ids": 5},
        {"evaluation_ids": ["a", ""]},
        {"evaluation_ids": iter(["a", 5])},
        {"version_id": " "},
        {"run_id": "a", "timeout": 0},
        {"run_id": "a", "timeout": "1"},
        {"run_id": "a", "poll_interval": -1},
        {"run_id": "a", "poll_interval": float("nan")},
    ],
)
async def test_arguments_that_cannot_be_right(arguments: dict[str, Any]) -> None:
    """Not exactly one selector, or a senseless value: refused, and nothing is sent."""
    async with RawServer(json_answer(200, "[]")) as server, AsyncGaltea(KEY, base_url=server.url) as galtea:
        with pytest.raises(InvalidRequestError):
            await wait_for_evaluations(galtea, **arguments)
        assert server.requests == []
