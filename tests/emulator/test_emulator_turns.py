"""Inference results, the turns of sessions, over the emulated API."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from emulator.api import Api, connected
from hypothesis import given
from hypothesis import strategies as st

from galtea_async.emulator import EmulatorRules, GalteaEmulator

FIELDS_OF_THE_PAGE = {
    "id",
    "sessionId",
    "userId",
    "index",
    "status",
    "error",
    "input",
    "actualOutput",
    "retrievalContext",
    "latency",
    "inputTokens",
    "outputTokens",
    "cacheReadInputTokens",
    "tokens",
    "costPerInputToken",
    "costPerOutputToken",
    "costPerCacheReadInputToken",
    "cost",
    "creditsUsed",
    "conversationSimulatorVersion",
    "traceId",
    "createdAt",
    "deletedAt",
}
PATH = "/inferenceResults"


async def opened(emulator: GalteaEmulator, api: Api, **body: object) -> str:
    """Make a session, and return its id."""
    body = {"versionId": await emulator.add_version(), **body}
    return str((await api.post("/sessions", body)).json["id"])


def question(row: dict[str, Any]) -> str | None:
    """What the person said in a turn."""
    return None if row["input"] is None else str(row["input"]["user_message"])


async def test_a_turn_is_stored_as_it_was_sent() -> None:
    """Text becomes an object, numbers keep their kind, and the answer has every documented field."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        session_id = await opened(emulator, api)
        measured = {"latency": 12.5, "inputTokens": 7, "cost": 0.25, "retrievalContext": "a page"}
        answer = await api.post(
            PATH, {"sessionId": session_id, "input": "Hello?", "actualOutput": "Hello!", **measured}
        )
        turn = answer.json
        assert answer.status == 201
        assert turn.keys() == FIELDS_OF_THE_PAGE
        assert (turn["sessionId"], turn["index"], turn["status"]) == (session_id, 0, "GENERATED")
        assert (turn["input"], turn["actualOutput"]) == ({"user_message": "Hello?"}, "Hello!")
        assert {name: turn[name] for name in measured} == measured
        assert isinstance(turn["inputTokens"], int)
        assert (await api.get(f"{PATH}/{turn['id']}")).json == turn
        assert (await api.get(PATH, ("sessionIds[]", session_id))).json == [turn]


async def test_structured_texts_stay_as_they_are() -> None:
    """What is an object already is not wrapped once more."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        said, answered = {"user_message": "Hi", "tone": "calm"}, {"assistant_message": "Hi", "language": "en"}
        body = {"sessionId": await opened(emulator, api), "input": said, "actualOutput": answered}
        turn = (await api.post(PATH, body)).json
        assert (turn["input"], turn["actualOutput"]) == (said, answered)


async def test_a_conversation_becomes_turns() -> None:
    """Each question is paired with the answer behind it, and goes on where the session stands."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        session_id = await opened(emulator, api, customId="chat")
        await api.post(PATH, {"sessionId": session_id, "input": "first"})
        turns = [
            {"role": "assistant", "content": "Welcome."},
            {"role": "user", "content": "Anybody?"},
            {"role": "user", "content": "Hello?"},
            {"role": "assistant", "content": "Yes.", "retrieval_context": "a page"},
            {"role": "user", "content": "Bye."},
        ]
        answer = await api.post(f"{PATH}/batch", {"sessionId": session_id, "conversationTurns": turns})
        assert answer.status == 201
        assert [
            (
                row["index"],
                question(row),
                row["actualOutput"],
                row["retrievalContext"],
            )
            for row in answer.json
        ] == [
            (1, None, "Welcome.", None),
            (2, "Anybody?", None, None),
            (3, "Hello?", "Yes.", "a page"),
            (4, "Bye.", None, None),
        ]


@given(roles=st.lists(st.sampled_from(["user", "assistant"]), min_size=1, max_size=12))
async def test_no_word_of_a_conversation_is_lost(roles: list[str]) -> None:
    """Whoever speaks when: each text is in exactly one turn, and the turns keep the order."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        turns = [{"role": role, "content": f"{number}"} for number, role in enumerate(roles)]
        body = {"sessionId": await opened(emulator, api), "conversationTurns": turns}
        rows = (await api.post(f"{PATH}/batch", body)).json
        texts = [text for row in rows for text in (question(row), row["actualOutput"])]
        assert [text for text in texts if text is not None] == [str(number) for number in range(len(roles))]
        assert [row["index"] for row in rows] == list(range(len(rows)))


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("", {}, 400, "Exactly one of sessionId or sessionCustomId"),
        ("", {"sessionId": "SESSION", "sessionCustomId": "chat"}, 400, "Exactly one"),
        ("", {"sessionId": "session_x"}, 404, "Session session_x not found"),
        ("", {"sessionCustomId": "chat"}, 400, "versionId or productId"),
        (
            "",
            {"sessionCustomId": "other", "versionId": "VERSION"},
            400,
            "No session with the customId 'other'",
        ),
        (
            "",
            {"sessionId": "SESSION", "status": "DONE"},
            400,
            "Accepted: PENDING, GENERATED, FAILED, SKIPPED",
        ),
        ("", {"sessionId": "SESSION", "input": 7}, 400, "input"),
        ("/batch", {"sessionId": "SESSION"}, 400, "conversationTurns"),
        ("/batch", {"sessionId": "SESSION", "conversationTurns": []}, 400, "must not be empty"),
        (
            "/batch",
            {"sessionId": "SESSION", "conversationTurns": [{"role": "tool", "content": "x"}]},
            400,
            "Invalid role tool",
        ),
    ],
)
async def test_a_turn_without_a_place_or_a_shape_is_refused(
    path: str, body: dict[str, object], status: int, text: str
) -> None:
    """Each mistake has its status, says what is wrong, and leaves nothing behind."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        version_id = await emulator.add_version()
        session = await api.post("/sessions", {"versionId": version_id, "customId": "chat"})
        known = {"SESSION": session.json["id"], "VERSION": version_id}
        sent = {name: known.get(str(value), value) for name, value in body.items()}
        answer = await api.post(PATH + path, sent)
        assert (answer.status, text in answer.message) == (status, True), answer.message
        assert (await api.get(PATH)).json == []


async def test_a_session_is_found_by_its_custom_id() -> None:
    """On a version it is one session, on a product the latest of that name."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        product_id = await emulator.add_product()
        sessions: dict[str, str] = {}
        for _ in range(2):
            version_id = await emulator.add_version(product_id)
            body = {"versionId": version_id, "customId": "chat"}
            sessions[version_id] = (await api.post("/sessions", body)).json["id"]
            await asyncio.sleep(1)
        for version_id, session_id in sessions.items():
            turn = await api.post(PATH, {"sessionCustomId": "chat", "versionId": version_id})
            assert turn.json["sessionId"] == session_id
        turn = await api.post(PATH, {"sessionCustomId": "chat", "productId": product_id})
        assert turn.json["sessionId"] == list(sessions.values())[-1]


async def test_a_turn_reopens_a_closed_session() -> None:
    """As the service does of itself: the turn is stored and the session is PENDING again."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        session_id = await opened(emulator, api)
        assert (await api.post(PATH, {"sessionId": session_id})).status == 201
        assert (await api.get(f"/sessions/{session_id}")).json["status"] == "PENDING"


async def test_the_rules_can_keep_a_closed_session_closed() -> None:
    """A turn for it is refused, or answered as usual and forgotten."""
    for rule, status in (("refuse", 400), ("ignore", 201)):
        rules = EmulatorRules(closed_session=rule)  # type: ignore[arg-type]  # the loop goes over its values
        async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
            session_id = await opened(emulator, api)
            answer = await api.post(PATH, {"sessionId": session_id, "input": "Hello?"})
            assert answer.status == status
            assert (await api.get(PATH)).json == []
            assert (await api.get(f"/sessions/{session_id}")).json["status"] == "COMPLETED"
            still_open = await opened(emulator, api, status="PENDING")
            assert (await api.post(PATH, {"sessionId": still_open})).status == 201
            assert len((await api.get(PATH)).json) == 1


async def test_a_turn_can_be_changed_and_deleted() -> None:
    """A change empties what is null; an output completes a pending turn; a deleted one is gone."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        body = {"sessionId": await opened(emulator, api), "input": "Hello?", "status": "PENDING", "cost": 1.5}
        before = (await api.post(PATH, body)).json
        path = f"{PATH}/{before['id']}"
        assert (await api.patch(path, {"index": 4, "cost": None})).json == before | {"index": 4, "cost": None}
        answered = (await api.patch(path, {"actualOutput": "Hello!"})).json
        assert (answered["status"], answered["actualOutput"]) == ("GENERATED", "Hello!")
        failed = (await api.patch(path, {"status": "FAILED", "error": "odd", "input": None})).json
        assert (failed["status"], failed["error"], failed["input"]) == ("FAILED", "odd", None)
        assert (await api.patch(path, {"actualOutput": "Late."})).json["status"] == "FAILED"
        assert (await api.patch(path, {"status": "DONE"})).status == 400
        assert (await api.delete(path)).status == 204
        assert [(await api.get(path)).status, (await api.delete(path)).status] == [404, 404]
        assert (await api.get(PATH)).json == []


async def test_a_session_with_a_pending_turn_is_skipped() -> None:
    """No evaluation, no failure, only a count with its reason, unless the rules say otherwise."""
    for rule, evaluated in (("skip", 0), ("evaluate", 1)):
        rules = EmulatorRules(pending_turns=rule)  # type: ignore[arg-type]  # the loop goes over its values
        async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
            session_id = await opened(emulator, api)
            await api.post(PATH, {"sessionId": session_id, "status": "PENDING"})
            metric = {"id": await emulator.add_metric()}
            batch = (await api.evaluate([session_id], metrics=[metric])).json
            assert (batch["sessionsEvaluated"], batch["sessionsFailed"]) == (evaluated, 0)
            assert ("1 with a turn that is pending" in batch["message"]) == (rule == "skip")
            single = await api.post(
                "/evaluations/fromSession", {"sessionId": session_id, "metrics": [metric]}
            )
            assert (single.status, len(single.json)) == (201, evaluated)


async def test_the_rules_can_hide_the_retrieval_context() -> None:
    """With that rule the context is taken and not shown."""
    rules = EmulatorRules(retrieval_context_in_answer=False)
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        body = {"sessionId": await opened(emulator, api), "retrievalContext": "a page"}
        assert "retrievalContext" not in (await api.post(PATH, body)).json
        assert "retrievalContext" not in (await api.get(PATH)).json[0]


async def test_an_older_service_wraps_the_list_of_turns() -> None:
    """In the same envelope as the list of sessions."""
    rules = EmulatorRules(session_envelope="data")
    async with GalteaEmulator(rules=rules) as emulator, connected(emulator) as api:
        await emulator.add_version(sessions=2, turns=2)
        page = (await api.get(PATH, ("limit", "3"), ("sort", "index"), ("sort", "asc"))).json
        assert ([row["index"] for row in page["data"]], page["total"], page["limit"]) == ([0, 0, 1], 4, 3)


async def test_recorded_sessions_can_come_with_turns() -> None:
    """Sessions that are added with turns are closed, and each of their turns has a question and an answer."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        [session_id] = await emulator.add_sessions(await emulator.add_version(), 1, turns=4)
        turns = (await api.get(PATH, ("sessionIds", session_id), ("sort", "index"), ("sort", "asc"))).json
        assert [turn["index"] for turn in turns] == [0, 1, 2, 3]
        assert all(turn["input"] and turn["actualOutput"] for turn in turns)
        assert turns[3]["input"] == turns[0]["input"]
        assert (await api.get(f"/sessions/{session_id}")).json["status"] == "COMPLETED"


async def test_the_simulated_user_asks_until_the_last_turn() -> None:
    """Each call opens a pending turn; the last of them says why the conversation ends."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        session_id = await opened(emulator, api, status="PENDING")
        path = "/conversationSimulator/generateNextUserMessage"
        first = (await api.post(path, {"sessionId": session_id, "maxTurns": 2})).json
        assert (first["finished"], first["stoppingReason"]) == (False, None)
        turn = (await api.get(f"{PATH}/{first['inferenceResultId']}")).json
        assert (turn["status"], turn["input"]) == ("PENDING", {"user_message": first["nextMessage"]})
        last = (await api.post(path, {"sessionId": session_id, "maxTurns": 2})).json
        assert (last["finished"], last["stoppingReason"]) == (True, "GOAL_ACHIEVED")
        assert last["nextMessage"] != first["nextMessage"]
        assert (await api.post(path, {"sessionId": "session_x"})).status == 404
