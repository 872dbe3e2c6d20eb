"""Evaluations and records of every shape, and an endless supply of them."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import attrs
from hypothesis import strategies as st

from galtea_async import Evaluation, EvaluationStatus
from galtea_async.results import EvaluationRecord
from galtea_async.results.evaluation_record import evaluation_record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOMENT = datetime.datetime(2023, 11, 7, 5, 31, 56, 123_000, tzinfo=datetime.UTC)

texts = st.none() | st.text(min_size=1) | st.sampled_from(["=1+1", "'", "''=", "-", "a,b", 'say "no"', "\r"])
shares = st.none() | st.floats(0, 1)
counts = st.none() | st.integers(0, 2**53)
truths = st.none() | st.booleans()
moments = st.none() | st.datetimes(timezones=st.timezones())


def evaluation(number: int = 1, **fields: Any) -> Evaluation:
    """A judged evaluation."""
    judged = Evaluation(
        id=f"evaluation_{number}",
        session_id=f"session_{number}",
        metric_id="metric_1",
        status=EvaluationStatus.SUCCESS,
        score=0.5,
        created_at=MOMENT,
    )
    return attrs.evolve(judged, **fields)


@st.composite
def evaluation_records_of_any_shape(draw: st.DrawFn) -> EvaluationRecord:
    """A record that may lack anything but an id, with texts that look like anything."""
    drawn = Evaluation(
        id=draw(st.text(min_size=1)),
        session_id=draw(texts),
        status=EvaluationStatus(draw(st.sampled_from(["SUCCESS", "FAILED", "INVENTED_TOMORROW"]))),
        score=draw(shares),
        passed=draw(truths),
        reason=draw(texts),
        judge_input_tokens=draw(counts),
        credits_used=draw(shares),
        created_at=draw(moments),
        evaluated_at=draw(moments),
    )
    return evaluation_record(drawn, session_custom_id=draw(texts), metric=draw(texts))


async def many_records(count: int) -> AsyncIterator[EvaluationRecord]:
    """So many records, made one by one."""
    for number in range(count):
        yield evaluation_record(
            evaluation(number, reason="Because it is so. " * 5), session_custom_id=None, metric="tone"
        )
