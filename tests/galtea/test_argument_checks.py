"""What is refused before it is sent: arguments of a wrong type, and numbers that are none."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from galtea_async import AsyncGaltea, InvalidRequestError
from support.raw_server import RawServer, json_answer

Mistake = Callable[[Any], Any]
"""A call that a type checker would refuse as well."""

VERSION = {"version_id": "version_1"}
NUL = "a\0b"
SURROGATE = "a\ud800"
NO_NUMBERS = {"a": [{"b": math.nan}]}

MISTAKES: dict[str, tuple[Mistake, str]] = {
    "nan in a context": (lambda g: g.sessions.create(**VERSION, context=NO_NUMBERS), "NaN or an infinity"),
    "nan in metadata": (lambda g: g.sessions.create(**VERSION, metadata=NO_NUMBERS), "NaN or an infinity"),
    "nan in a change": (lambda g: g.sessions.update("s", metadata={"a": math.inf}), "NaN or an infinity"),
    "nan in a turn": (
        lambda g: g.inference_results.create(session_id="s", input=NO_NUMBERS),
        "NaN or an infinity",
    ),
    "nan in a conversation": (
        lambda g: g.inference_results.create_batch(
            session_id="s", turns=[{"role": "user", "content": NO_NUMBERS}]
        ),
        "NaN or an infinity",
    ),
    "nan in any body": (lambda g: g.request("POST", "/x", json=[math.nan]), "NaN or an infinity"),
    "nan as a filter": (lambda g: g.evaluations.list(score_gt=math.nan), "score_gt"),
    "a list as metadata": (lambda g: g.sessions.create(**VERSION, metadata=[1]), r"a JSON object, not \[1\]"),
    "a text as metadata": (lambda g: g.sessions.create(**VERSION, metadata="x"), "metadata is a JSON object"),
    "pairs as metadata": (lambda g: g.sessions.create(**VERSION, metadata=[("a", 1)]), "metadata is a JSON"),
    "metadata to look up": (lambda g: g.sessions.get_or_create("c", **VERSION, metadata=5), "metadata is a"),
    "a number as a context": (
        lambda g: g.sessions.create(**VERSION, context=5),
        "context is a text or a JSON",
    ),
    "bytes as a context": (
        lambda g: g.sessions.create(**VERSION, context=b"x"),
        "context is a text or a JSON",
    ),
    "a context with half a character": (
        lambda g: g.sessions.create(**VERSION, context=SURROGATE),
        "context is a text",
    ),
    "a key that is no text": (
        lambda g: g.sessions.create(**VERSION, context={("a", "b"): 1}),
        "cannot be written as JSON",
    ),
    "a number as a status": (lambda g: g.sessions.create(**VERSION, status=5), "status is a SessionStatus"),
    "a text as is_production": (
        lambda g: g.sessions.create(**VERSION, is_production="no"),
        "is_production is True or False, not 'no'",
    ),
    "a number as an order": (lambda g: g.sessions.list(sort=5), "sort takes a list of pairs .*, not 5"),
    "a text as an order": (lambda g: g.runs.list(sort="created_at"), "not 'created_at'"),
    "a pair as an order": (lambda g: g.runs.list(sort=("created_at", "desc")), "and 'created_at' is none"),
    "numbers as an order": (lambda g: g.products.list(sort=[1]), "and 1 is none"),
    "a field that is no text": (lambda g: g.metrics.list(sort=[(5, "asc")]), r"and \(5, 'asc'\) is none"),
    "a direction that is none": (lambda g: g.metrics.list(sort=[("a", "up")]), r"and \('a', 'up'\) is none"),
    "an order to iterate in": (lambda g: first(g.versions.iterate(sort=5)), "sort takes"),
    "a text as a limit": (lambda g: g.sessions.list(limit="5"), "limit must be a whole number, at least 0"),
    "a list as a limit": (lambda g: g.sessions.list(limit=[5]), "limit must be a whole number"),
    "a truth as a limit": (lambda g: g.sessions.list(limit=True), "limit must be a whole number"),
    "a negative offset": (lambda g: g.sessions.list(offset=-1), "offset must be a whole number, at least 0"),
    "a truth as a page": (lambda g: first(g.sessions.iterate(page_size=True)), "page_size must be a whole"),
    "a number to retry": (lambda g: g.evaluations.retry(5), "ids is a list of ids, not 5"),
    "nothing to retry": (lambda g: g.evaluations.retry(None), "ids is a list of ids, not None"),
    "bytes to retry": (lambda g: g.evaluations.retry(b"ab"), "not the single text b'ab'"),
    "a number as sessions": (lambda g: g.evaluations.from_sessions(session_ids=5), "session_ids is a list"),
    "a number as specifications": (
        lambda g: g.evaluations.create(session_id="s", specification_ids=5),
        "specification_ids is a list of ids, not 5",
    ),
    "nul in the id of a route": (
        lambda g: g.sessions.get(NUL),
        r"id may have no NUL characters; 'a\\x00b' has",
    ),
    "nul in an id": (lambda g: g.sessions.create(version_id=NUL), "version_id may have no NUL characters"),
    "nul in an id to change": (lambda g: g.sessions.update("s", custom_id=NUL), "custom_id may have no NUL"),
    "nul in a list of ids": (lambda g: g.evaluations.retry([NUL]), "ids: an id may have no NUL characters"),
    "nul in the id of a run": (
        lambda g: g.evaluations.create(session_id="s", run_id=NUL),
        "run_id: an id may",
    ),
    "nul in the id of a product": (
        lambda g: g.runs.start(product_id=NUL),
        "product_id: an id may have no NUL",
    ),
    "half a character in an id": (lambda g: g.sessions.get(SURROGATE), "id may have no lone surrogates"),
    "half a character in ids": (
        lambda g: g.evaluations.retry([SURROGATE]),
        "an id may have no lone surrogates",
    ),
    "a blank id": (lambda g: g.sessions.get(" "), "id is a text that is not blank, not ' '"),
    "a number as an id": (lambda g: g.sessions.get(5), "id is a text that is not blank, not 5"),
}


async def first(rows: AsyncIterator[object]) -> object:
    """Ask for the first of many rows."""
    return await anext(rows)


@pytest.mark.parametrize("name", MISTAKES)
async def test_a_mistake_is_named_before_anything_is_sent(name: str) -> None:
    """It is an `InvalidRequestError` that says which argument it is, and what was given."""
    call, said = MISTAKES[name]
    async with (
        RawServer(json_answer(200, "{}")) as server,
        AsyncGaltea("gsk_1", base_url=server.url) as galtea,
    ):
        with pytest.raises(InvalidRequestError, match=said):
            await call(galtea)
        assert not server.requests


CORRECT: dict[str, Callable[[AsyncGaltea], Awaitable[object]]] = {
    "no order": lambda g: g.sessions.list(sort=[]),
    "lists for pairs": lambda g: g.sessions.list(sort=iter([("created_at", "desc"), ("id", "asc")])),
    "nothing but nulls": lambda g: g.sessions.create(version_id="v", context={"a": None, "b": [1.5, None]}),
    "keys that are numbers": lambda g: g.request("POST", "/x", json={1: None}),
    "an empty object": lambda g: g.sessions.create(version_id="v", metadata={}, is_production=False),
}


@pytest.mark.parametrize("name", CORRECT)
async def test_what_is_unusual_and_no_mistake(name: str) -> None:
    """It is sent."""
    answer = json_answer(200, "[]" if "order" in name or "pairs" in name else '{"id": "session_1"}')
    async with RawServer(answer) as server, AsyncGaltea("gsk_1", base_url=server.url) as galtea:
        await CORRECT[name](galtea)
        assert len(server.requests) == 1
