"""The way in: which ids are new, and how they become chunks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from galtea_async.bulk.intake import Intake, checked_ids
from galtea_async.bulk.journal import Journal
from galtea_async.bulk.known_ids import KnownIds
from galtea_async.bulk.plan import Plan
from galtea_async.bulk.provider import JobSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from galtea_async.bulk.intake import Ids

PLAN = Plan(kind="sessions", target="http://127.0.0.1", settings=JobSettings())
ids = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=4
).filter(str.strip) | st.sampled_from(["a", "b", "A", "a ", "1", "01", "é"])


@given(blocks=st.lists(st.lists(ids, max_size=12), max_size=6), known=st.lists(ids, max_size=6))
def test_claiming_is_a_set(blocks: list[list[str]], known: list[str]) -> None:
    """Each id is new once, in the order given, and is told apart from every other text."""
    claimed = KnownIds()
    try:
        claimed.add(known)
        expected = set(known)
        for block in blocks:
            new = [id_ for id_ in dict.fromkeys(block) if id_ not in expected]
            assert claimed.claim(block) == new
            expected.update(block)
    finally:
        claimed.close()


@given(
    given_ids=st.lists(ids, max_size=40),
    size=st.integers(1, 9),
    form=st.sampled_from(["list", "generator", "async generator"]),
)
async def test_chunks_hold_each_id_once(given_ids: list[str], size: int, form: str) -> None:
    """All chunks but the last are full; together they are the distinct ids in the order given."""

    async def streamed() -> AsyncIterator[str]:
        for id_ in given_ids:
            yield id_

    source: Ids = given_ids
    if form == "generator":
        source = iter(given_ids)
    elif form == "async generator":
        source = streamed()
    journal = await Journal(None, PLAN).open()
    try:
        intake = Intake(await checked_ids(source), journal, size)
        chunks: list[tuple[str, ...]] = []
        while (chunk := await intake.next()) is not None:
            chunks.append(chunk.session_ids)
        distinct = list(dict.fromkeys(given_ids))
        assert [id_ for chunk in chunks for id_ in chunk] == distinct
        assert [len(chunk) for chunk in chunks[:-1]] == [size] * (len(chunks) - 1)
        assert intake.total == len(distinct)
        assert await intake.next() is None
    finally:
        await journal.close(requests=0, retries=0, elapsed=0.0)


async def test_chunks_become_smaller_on_demand() -> None:
    """A chunk size that is lowered meanwhile holds from the next chunk on, and nothing is lost."""
    journal = await Journal(None, PLAN).open()
    try:
        intake = Intake([f"session_{number}" for number in range(30)], journal, 10)
        sizes: list[int] = []
        while (chunk := await intake.next()) is not None:
            sizes.append(len(chunk.session_ids))
            intake.chunk_size = 4
        assert sizes == [10, 4, 4, 4, 4, 4]
    finally:
        await journal.close(requests=0, retries=0, elapsed=0.0)


async def test_a_journal_reads_no_further_than_asked(tmp_path: Path) -> None:
    """The input is pulled chunk by chunk, also through a journal on disk."""
    pulled: list[int] = []

    async def counted() -> AsyncIterator[str]:
        for number in range(1_000):
            pulled.append(number)
            yield f"session_{number}"

    journal = await Journal(tmp_path / "job.db", PLAN).open()
    try:
        intake = Intake(counted(), journal, 10)
        for asked in (1, 2, 3):
            await intake.next()
            assert len(pulled) == 10 * asked
    finally:
        await journal.close(requests=0, retries=0, elapsed=0.0)
