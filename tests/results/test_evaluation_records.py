"""Evaluations as records, joined with metrics and sessions in few requests, against the emulator."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from results.shapes import evaluation

from galtea_async import AsyncGaltea, AuthenticationError, Evaluation, EvaluationStatus
from galtea_async.emulator import Answer, Fault, GalteaEmulator
from galtea_async.results import EvaluationRecord, evaluation_records
from support.blocking import PACKAGE_FOLDER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from galtea_async.emulator import RecordedRequest

COLUMNS = """\
evaluation_id session_id session_custom_id metric_id metric status score passed reason error human_score
human_reason confidence metric_pass_threshold can_retry retries_attempted credits_used judge_input_tokens
judge_output_tokens judge_reasoning_tokens product_id run_id test_case_id inference_result_id user_id
human_evaluator_id created_at evaluated_at
"""


def requests_to(emulator: GalteaEmulator, route: str) -> list[RecordedRequest]:
    """The requests that a route got."""
    return [request for request in emulator.requests if request.route == route]


def ids_asked_for(request: RecordedRequest) -> list[str]:
    """The ids in the query of a request."""
    return [value for name, value in request.query if name == "ids"]


async def records_of_version(galtea: AsyncGaltea, version_id: str) -> list[EvaluationRecord]:
    """All records of a version."""
    rows = galtea.evaluations.iterate(version_ids=version_id)
    return [record async for record in evaluation_records(galtea, rows)]


async def test_a_record_has_the_columns_that_are_documented() -> None:
    """Names and order of the columns stay, in `columns` as in each record."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        records = evaluation_records(galtea, [Evaluation(id="evaluation_1")])
        assert list(records.columns) == COLUMNS.split()
        (record,) = [record async for record in records]
    assert list(record) == COLUMNS.split()
    assert {name: cell for name, cell in record.items() if cell is not None} == {
        "evaluation_id": "evaluation_1"
    }
    assert emulator.requests == []


async def test_times_are_utc_and_of_one_length() -> None:
    """A time in any zone is written in UTC, with all its digits, so that texts sort as times."""
    east = datetime.timezone(datetime.timedelta(hours=2))
    rows = [
        evaluation(1, created_at=datetime.datetime(2023, 11, 7, 7, 31, 56, tzinfo=east), session_id=None),
        evaluation(2, created_at=datetime.datetime(9, 1, 1, 0, 0, 0, 1, tzinfo=datetime.UTC)),
    ]
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        records = [record async for record in evaluation_records(galtea, rows)]
    assert [record["created_at"] for record in records] == [
        "2023-11-07T05:31:56.000000Z",
        "0009-01-01T00:00:00.000001Z",
    ]


async def test_names_are_joined() -> None:
    """Each record has the name of its metric and the caller's id of its session."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        version_id = await emulator.add_version(sessions=1)
        mine = await galtea.sessions.create(version_id=version_id, custom_id="chat-7")
        (theirs,) = set(await emulator.session_ids(version_id)) - {mine.id}
        tone = await emulator.add_metric(name="Tone")
        await emulator.add_evaluations([mine.id, theirs], metric_id=tone)
        records = await records_of_version(galtea, version_id)
    joined = {record["session_id"]: (record["session_custom_id"], record["metric"]) for record in records}
    custom_id_of_theirs = joined.pop(theirs)[0]
    assert joined == {mine.id: ("chat-7", "Tone")}
    assert custom_id_of_theirs != "chat-7"


async def test_a_join_takes_few_requests() -> None:
    """1,500 evaluations of 500 sessions by three metrics: 40 sessions a request, each asked for once."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        version_id = await emulator.add_version(sessions=500)
        session_ids = await emulator.session_ids(version_id)
        metrics = [await emulator.add_metric(name=f"Metric {number}") for number in range(3)]
        for metric_id in metrics:
            await emulator.add_evaluations(session_ids, metric_id=metric_id)
        records = await records_of_version(galtea, version_id)
        looked_up = [ids_asked_for(request) for request in requests_to(emulator, "/sessions")]
        metrics_asked = [ids_asked_for(request) for request in requests_to(emulator, "/metrics")]
    assert len(records) == 1_500
    assert {record["metric"] for record in records} == {"Metric 0", "Metric 1", "Metric 2"}
    assert sorted(id_ for ids in looked_up for id_ in ids) == sorted(session_ids)
    assert len(looked_up) <= 14
    assert sorted(id_ for ids in metrics_asked for id_ in ids) == sorted(metrics)


async def test_what_is_gone_has_no_name() -> None:
    """A deleted session costs its own name and no other's, and two requests more."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        version_id = await emulator.add_version()
        ids = [
            (await galtea.sessions.create(version_id=version_id, custom_id=f"chat-{number}")).id
            for number in range(30)
        ]
        metric_id = await emulator.add_metric(name="Tone")
        await emulator.add_evaluations(ids, metric_id=metric_id)
        rows = await galtea.evaluations.list(version_ids=version_id)
        await emulator.delete_session(ids[7])
        await emulator.delete_session(ids[20])
        emulator.requests.clear()
        records = [record async for record in evaluation_records(galtea, rows)]
    custom_ids = {record["session_id"]: record["session_custom_id"] for record in records}
    gone = {ids[7], ids[20]}
    assert custom_ids == {id_: None if id_ in gone else f"chat-{number}" for number, id_ in enumerate(ids)}
    assert [request.status for request in requests_to(emulator, "/sessions")] == [404, 200]


async def test_a_metric_that_is_gone_has_no_name() -> None:
    """A metric that the service does not list any more leaves `metric` empty, and its id in place."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        (session_id,) = await emulator.session_ids(await emulator.add_version(sessions=1))
        tone = await emulator.add_metric(name="Tone")
        rows = [
            evaluation(number, session_id=session_id, metric_id=metric_id)
            for number, metric_id in enumerate([tone, "metric_of_yesterday"])
        ]
        records = [record async for record in evaluation_records(galtea, rows)]
    assert [(record["metric_id"], record["metric"]) for record in records] == [
        (tone, "Tone"),
        ("metric_of_yesterday", None),
    ]


async def test_a_proxy_that_refuses_long_urls_is_obeyed() -> None:
    """Where a look-up is too long for a proxy, it is asked in halves."""
    too_long = Fault(route="GET /sessions", action=Answer(414), nth=1)
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        version_id = await emulator.add_version(sessions=9)
        session_ids = await emulator.session_ids(version_id)
        await emulator.add_evaluations(session_ids)
        emulator.faults = [too_long]
        records = await records_of_version(galtea, version_id)
        sizes = [len(ids_asked_for(request)) for request in requests_to(emulator, "/sessions")]
    assert len(records) == 9
    assert sizes == [9, 4, 5]


async def test_a_look_up_that_fails_is_raised_as_it_is() -> None:
    """An error of the service comes out alone, not in a group, and ends the other look-ups."""
    async with GalteaEmulator() as emulator, AsyncGaltea(emulator.api_key, base_url=emulator.url) as galtea:
        version_id = await emulator.add_version(sessions=200)
        await emulator.add_evaluations(await emulator.session_ids(version_id))
        rows = await galtea.evaluations.list(version_ids=version_id)
        await emulator.revoke_key()
        with pytest.raises(AuthenticationError):
            await anext(evaluation_records(galtea, rows))


async def test_nothing_is_asked_for_before_it_is_read() -> None:
    """Making records sends nothing, and evaluations are pulled a thousand at a time."""
    pulled = 0

    async def endless() -> AsyncIterator[Evaluation]:
        nonlocal pulled
        while True:
            pulled += 1
            yield evaluation(pulled, session_id=None, metric_id=None, status=EvaluationStatus.PENDING)

    async with AsyncGaltea("gsk_0123456789", base_url="http://127.0.0.1:9") as galtea:
        records = evaluation_records(galtea, endless())
        assert pulled == 0
        first = await anext(records)
    assert first["status"] == "PENDING"
    assert pulled == 1_000


def test_the_library_stays_light() -> None:
    """`import galtea_async` leaves results alone, and these leave pandas and polars alone."""
    probe = (
        "import sys, galtea_async; print('galtea_async.results' in sys.modules)\n"
        "import galtea_async.results; print('pandas' in sys.modules, 'polars' in sys.modules)"
    )
    command = [sys.executable, *(["-P"] if "site-packages" in str(PACKAGE_FOLDER) else []), "-c", probe]
    output = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=PACKAGE_FOLDER.parent, timeout=30
    ).stdout
    assert output.split() == ["False", "False", "False"]
