"""Arguments of a job that cannot be right: refused before anything is sent and before a journal is made."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
from bulk.import_world import open_import_world
from bulk.panda_world import METRICS, open_panda_world
from bulk.services import WorldOpener, both_services
from bulk.world import open_world

from galtea_async import (
    AsyncGaltea,
    AsyncPandaProbe,
    InvalidRequestError,
    JournalError,
    LifecycleError,
    create_sessions,
    evaluate_sessions,
    evaluate_version,
    imported_sessions,
    journal_outcomes,
    open_bulk_evaluation,
    read_journal,
    resume_bulk_evaluation,
    wait_for_evaluations,
    watch_evaluations,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path


def names(folder: Path) -> list[str]:
    """The files of a folder."""
    return [file.name for file in folder.iterdir()]


async def told(progress: object) -> None:
    raise AssertionError(progress)


async def generated(progress: object) -> AsyncIterator[object]:
    yield progress


class Listener:
    """Something that is called like a function, and would have to be awaited."""

    async def __call__(self, progress: object) -> None:
        """Be told."""
        raise AssertionError(progress)


WRONG: dict[str, dict[str, Any]] = {
    "stop_on a mapping": {"stop_on": {"failures": 5}},
    "stop_on a list": {"stop_on": ["401"]},
    "progress a number": {"progress": 5},
    "progress async": {"progress": told},
    "progress async with arguments": {"progress": functools.partial(told, 5)},
    "progress an async generator": {"progress": generated},
    "progress an async object": {"progress": Listener()},
    "reconcile nothing": {"reconcile": None},
    "reconcile a number": {"reconcile": 10.0},
    "retry_failed a text": {"retry_failed": "no"},
    "retry_failed nothing": {"retry_failed": None},
    "chunk_size zero": {"chunk_size": 0},
}
wrong_options = pytest.mark.parametrize("wrong", list(WRONG.values()), ids=list(WRONG))

WRONG_PATHS: list[Any] = [5, True, b"job.db", "", "  ", "a\0b", ":memory:", "half \ud800 a character"]
wrong_paths = pytest.mark.parametrize("path", WRONG_PATHS, ids=repr)


@both_services
@wrong_options
async def test_wrong_options_are_refused(
    wrong: dict[str, Any], open_service: WorldOpener, tmp_path: Path
) -> None:
    """Every option is looked at first; nothing is sent and there is no journal afterwards."""
    async with open_service(sessions=2) as world:
        with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
            await world.evaluate(journal=tmp_path / "job.db", **wrong)
        assert world.emulator.requests == []
        assert names(tmp_path) == []


@wrong_options
async def test_wrong_options_are_refused_by_every_helper(wrong: dict[str, Any], tmp_path: Path) -> None:
    """The stream, a version, a resumed job and an import are as strict."""
    async with open_world(sessions=2) as world:
        galtea, done = world.galtea, tmp_path / "done.db"
        await evaluate_sessions(galtea, world.session_ids, journal=done)
        before = (len(world.emulator.requests), done.read_bytes())
        path = tmp_path / "job.db"

        async def stream() -> None:
            async with open_bulk_evaluation(galtea, world.session_ids, journal=path, **wrong):
                pass

        calls: list[Callable[[], Awaitable[object]]] = [
            stream,
            lambda: evaluate_version(galtea, world.version_id, journal=path, **wrong),
            lambda: resume_bulk_evaluation(galtea, done, **wrong),
        ]
        if not wrong.keys() & {"stop_on", "chunk_size"}:
            calls.append(lambda: create_sessions(galtea, [], journal=path, **wrong))
        for call in calls:
            with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
                await call()
        assert (len(world.emulator.requests), done.read_bytes()) == before
        assert not path.exists()


async def test_what_an_import_tells_of_outcomes_is_not_awaited_either() -> None:
    """An async `on_outcome` is refused like an async `progress`."""
    async with open_import_world() as world:
        with pytest.raises(InvalidRequestError, match="on_outcome is a plain function"):
            await create_sessions(world.galtea, world.chats(2), on_outcome=told)
        assert world.emulator.requests == []


@pytest.mark.parametrize("completion", [5, "fast", {}])
async def test_a_completion_that_is_no_policy_is_refused(completion: Any, tmp_path: Path) -> None:
    """Also when a job is resumed, and when one run is waited for, which has to have one."""
    async with open_panda_world(sessions=2) as world:
        ids = world.session_ids
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: evaluate_sessions(world.panda, ids, metrics=METRICS, completion=completion),
            lambda: resume_bulk_evaluation(world.panda, tmp_path / "job.db", completion=completion),
            lambda: world.panda.session_runs.wait("run_1", completion=completion),
            lambda: world.panda.session_runs.wait("run_1", completion=None),  # type: ignore[arg-type]  # wrong on purpose
        ]
        for call in calls:
            with pytest.raises(InvalidRequestError, match="completion is a CompletionPolicy"):
                await call()
        assert world.emulator.requests == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"specification_ids": 5},
        {"specification_ids": b"specification"},
        {"specification_ids": [["specification_1"]]},
        {"specification_ids": ["a\0b"]},
        {"metrics": ["\ud800"]},
        {"metrics": ["a\0b"]},
        {"metrics": [{"id": "a\0b"}]},
        {"metrics": 5},
    ],
    ids=str,
)
@both_services
async def test_what_sessions_are_evaluated_with_is_refused(
    wrong: dict[str, Any], open_service: WorldOpener
) -> None:
    """A metric or specification that cannot be sent, or that PandaProbe breaks over, is never sent."""
    options: dict[str, Any] = {"metrics": METRICS, **wrong}
    async with open_service(sessions=2) as world:
        with pytest.raises(InvalidRequestError, match=r"metric|specification"):
            await evaluate_sessions(world.client, world.session_ids, **options)
        assert world.emulator.requests == []


@wrong_paths
async def test_a_journal_is_the_path_of_a_file(
    path: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is none is refused by all that write a journal and by all that read one."""
    monkeypatch.chdir(tmp_path)
    async with open_world(sessions=2) as world:
        galtea = world.galtea

        async def outcomes() -> list[object]:
            return [outcome async for outcome in journal_outcomes(path)]

        async def imported() -> list[object]:
            return [outcome async for outcome in imported_sessions(path)]

        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: evaluate_sessions(galtea, world.session_ids, journal=path),
            lambda: evaluate_version(galtea, world.version_id, journal=path),
            lambda: create_sessions(galtea, [], journal=path),
            lambda: resume_bulk_evaluation(galtea, path),
            lambda: read_journal(path),
            lambda: wait_for_evaluations(galtea, journal=path),
            outcomes,
            imported,
        ]
        for call in calls:
            with pytest.raises(InvalidRequestError, match="journal"):
                await call()
        assert world.emulator.requests == []
        assert names(tmp_path) == []


async def test_no_journal_cannot_be_resumed() -> None:
    """`None` stands for a temporary journal where one is made, and for nothing where one is read."""
    async with open_world(sessions=1) as world:
        with pytest.raises(InvalidRequestError, match="a journal is the path of a file, not None"):
            await resume_bulk_evaluation(world.galtea, None)  # type: ignore[arg-type]  # wrong on purpose


async def test_a_journal_is_no_folder(tmp_path: Path) -> None:
    """A folder is refused, and no lock file is left beside it."""
    folder = tmp_path / "jobs"
    folder.mkdir()
    async with open_world(sessions=1) as world:
        with pytest.raises(JournalError, match="is a folder"):
            await evaluate_sessions(world.galtea, world.session_ids, journal=folder)
        assert names(tmp_path) == ["jobs"]


@pytest.mark.parametrize("client", [None, 5, AsyncGaltea, AsyncPandaProbe], ids=str)
async def test_what_is_no_client_is_refused(client: Any, tmp_path: Path) -> None:
    """Neither nothing nor a class is a client; every helper says what it needs."""
    path = tmp_path / "job.db"

    async def watch() -> None:
        async with watch_evaluations(client, version_id="version_1"):
            pass

    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: evaluate_sessions(client, ["session_1"], journal=path),
        lambda: evaluate_version(client, "version_1", journal=path),
        lambda: create_sessions(client, [], journal=path),
        watch,
    ]
    for call in calls:
        with pytest.raises(InvalidRequestError, match=r"an open (AsyncGaltea|client)"):
            await call()
    assert names(tmp_path) == []


async def test_helpers_for_galtea_say_so_to_pandaprobe(tmp_path: Path) -> None:
    """What PandaProbe has no versions, imports or evaluations for is refused with what to use instead."""
    async with open_panda_world(sessions=2) as world:
        panda: Any = world.panda
        calls: list[tuple[Callable[[], Awaitable[object]], str]] = [
            (lambda: evaluate_version(panda, "version_1"), "use evaluate_sessions"),
            (lambda: create_sessions(panda, []), "use traces.create"),
            (lambda: wait_for_evaluations(panda, session_ids=world.session_ids), "session_runs.wait"),
            (
                lambda: evaluate_sessions(
                    panda, world.session_ids, metrics=METRICS, grouping="run", journal=tmp_path / "job.db"
                ),
                "runs of the caller's own",
            ),
        ]
        for call, instead in calls:
            with pytest.raises(InvalidRequestError, match=instead):
                await call()
        assert world.emulator.requests == []
        assert names(tmp_path) == []


async def test_a_client_that_is_not_open_is_no_early_end(tmp_path: Path) -> None:
    """It is told as what it is, before a journal is made."""
    path = tmp_path / "job.db"
    galtea = AsyncGaltea("gsk_key")
    panda = AsyncPandaProbe("sk_pp_" + "a" * 64, project_name="support bot")
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: evaluate_sessions(galtea, ["session_1"], journal=path),
        lambda: evaluate_sessions(panda, ["session_1"], metrics=METRICS, journal=path),
        lambda: evaluate_version(galtea, "version_1", journal=path),
        lambda: create_sessions(galtea, [], journal=path),
    ]
    for call in calls:
        with pytest.raises(LifecycleError, match="not open"):
            await call()
    assert names(tmp_path) == []
