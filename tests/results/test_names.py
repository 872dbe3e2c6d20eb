"""Looking names up: each once, many at a time, whatever the service refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import NotFoundError, RequestBlockedError, ServerError
from galtea_async.results.names import Names

ids = st.lists(st.integers(0, 99).map(lambda number: f"session_{number}"))


@attrs.define
class Catalogue:
    """A service that answers 404 where it does not know all, and refuses long lists."""

    known: set[str]
    most: int = 40
    refusal: str = "Sessions not found: {}"
    asked: list[list[str]] = attrs.field(factory=list[list[str]])

    async def ask(self, ids: Sequence[str]) -> Mapping[str, str | None]:
        """Answer with the name of each."""
        self.asked.append(list(ids))
        if len(ids) > self.most:
            raise RequestBlockedError(414, "too long")
        if missing := [id_ for id_ in ids if id_ not in self.known]:
            raise NotFoundError(404, self.refusal.format(", ".join(missing)))
        return {id_: f"name of {id_}" for id_ in ids}


@given(
    wanted=ids,
    known=ids,
    most=st.integers(1, 50),
    refusal=st.sampled_from(["Sessions not found: {}", "Sessions not found: [{}].", "Not found"]),
)
async def test_every_id_gets_its_own_name(
    wanted: list[str], known: list[str], most: int, refusal: str
) -> None:
    """What the service knows has its name and nothing else has one, however it refuses."""
    catalogue = Catalogue(set(known), most, refusal)
    names = await Names(catalogue.ask).of([*wanted, None])
    assert names == {id_: f"name of {id_}" if id_ in catalogue.known else None for id_ in wanted}


async def test_a_name_is_asked_for_once() -> None:
    """What was looked up is remembered, also that there is no name."""
    catalogue = Catalogue({"a"})
    names = Names(catalogue.ask)
    assert await names.of(["a", "b", "a"]) == {"a": "name of a", "b": None}
    assert await names.of(["b", "a"]) == {"a": "name of a", "b": None}
    assert catalogue.asked == [["a", "b"], ["a"]]


async def test_what_was_used_last_is_remembered() -> None:
    """A bounded memory forgets what was not used for the longest time."""
    catalogue = Catalogue({"a", "b", "c"})
    names = Names(catalogue.ask, remembered=2)
    for id_ in ["a", "b", "a", "c", "a", "b"]:
        assert await names.of([id_]) == {id_: f"name of {id_}"}
    assert catalogue.asked == [["a"], ["b"], ["c"], ["b"]]


async def test_one_id_too_long_for_a_proxy_is_an_error() -> None:
    """A refusal that nothing can make smaller is raised."""
    with pytest.raises(RequestBlockedError):
        await Names(Catalogue({"a", "b"}, most=0).ask).of(["a", "b"])


async def test_another_failure_is_raised_alone() -> None:
    """The first failure of many look-ups is raised, not a group of them, and those not yet sent are not."""
    requests = 0

    async def ask(_: Sequence[str]) -> Mapping[str, str | None]:
        nonlocal requests
        requests += 1
        await asyncio.sleep(0.05)
        raise ServerError(503, "down")

    with pytest.raises(ServerError, match="down"):
        await Names(ask).of(str(number) for number in range(4_000))
    assert requests <= 8
