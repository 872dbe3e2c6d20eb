"""Evaluations as records, joined with the names of metrics and the custom ids of sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from typing import Final

from galtea_async.galtea import AsyncGaltea
from galtea_async.models.evaluation import Evaluation
from galtea_async.results.columns import columns_of
from galtea_async.results.evaluation_record import EvaluationRecord, evaluation_record
from galtea_async.results.names import Names
from galtea_async.results.records import Records, each_of

__all__ = ["evaluation_records"]

_BLOCK: Final = 1_000
_TURN: Final = 200
"""Records after which other tasks may run."""


def evaluation_records(
    galtea: AsyncGaltea, evaluations: AsyncIterable[Evaluation] | Iterable[Evaluation]
) -> Records[EvaluationRecord]:
    """Make flat records of evaluations, with the names of metrics and your own ids of sessions.

    The order of the evaluations stays. They are read a thousand at a time; the sessions and metrics of these
    are then looked up, up to 40 a request, each once as long as it is remembered (the last 10,000 sessions
    are). So memory stays flat.

    Args:
        galtea: The client.
        evaluations: Evaluations from anywhere: of `galtea.evaluations.iterate`, with any of its filters, or a
            list of them.

    Returns:
        The records, an async iterator; `columns` says what is in them. Nothing is asked for before the first
        is read.

    Raises:
        GalteaError: While reading: a look-up failed, or whatever the evaluations raise.

    Example:
        >>> _ = await galtea.evaluations.from_sessions(version_id=version_id)
        >>> rows = galtea.evaluations.iterate(version_ids=version_id)
        >>> async for record in evaluation_records(galtea, rows):
        ...     print(record["session_id"] in session_ids, record["metric"], record["status"])
        True accuracy PENDING
        True accuracy PENDING
        True accuracy PENDING
        True accuracy PENDING
        True accuracy PENDING
    """
    return Records(_joined(galtea, evaluations), columns=columns_of(EvaluationRecord))


async def _joined(
    galtea: AsyncGaltea, evaluations: AsyncIterable[Evaluation] | Iterable[Evaluation]
) -> AsyncIterator[EvaluationRecord]:
    custom_ids = Names(lambda ids: _custom_ids(galtea, ids))
    metrics = Names(lambda ids: _metric_names(galtea, ids))
    async for block in _blocks(evaluations):
        custom_id_of = await custom_ids.of(evaluation.session_id for evaluation in block)
        metric_of = await metrics.of(evaluation.metric_id for evaluation in block)
        for index, evaluation in enumerate(block):
            if index % _TURN == 0:
                await asyncio.sleep(0)
            yield evaluation_record(
                evaluation,
                session_custom_id=custom_id_of.get(evaluation.session_id or ""),
                metric=metric_of.get(evaluation.metric_id or ""),
            )


async def _blocks(
    evaluations: AsyncIterable[Evaluation] | Iterable[Evaluation],
) -> AsyncIterator[list[Evaluation]]:
    block: list[Evaluation] = []
    async for evaluation in each_of(evaluations):
        block.append(evaluation)
        if len(block) == _BLOCK:
            yield block
            block = []
    if block:
        yield block


async def _custom_ids(galtea: AsyncGaltea, ids: Sequence[str]) -> Mapping[str, str | None]:
    return {session.id: session.custom_id for session in await galtea.sessions.list(ids=ids)}


async def _metric_names(galtea: AsyncGaltea, ids: Sequence[str]) -> Mapping[str, str | None]:
    return {metric.id: metric.name for metric in await galtea.metrics.list(ids=ids)}
