"""How the rows of a journal are read."""

from __future__ import annotations

import sqlite3

from galtea_async.bulk.chunk import Chunk, ChunkState, NewChunk
from galtea_async.bulk.totals import FAILURES_KEPT, MESSAGES_KEPT, Totals
from galtea_async.models.batch_evaluation import SessionFailure
from galtea_async.models.converter import converter, read_json
from galtea_async.models.metric_input import MetricInput

__all__ = ["read_chunk", "read_ids", "read_metrics", "read_scores", "read_totals"]


def read_totals(connection: sqlite3.Connection) -> Totals:
    """Read what the settled chunks of a journal add up to."""
    counts = connection.execute(
        "SELECT total(evaluated), total(failed), total(skipped), total(evaluations), total(reconciled) "
        "FROM chunk WHERE state = 'settled'"
    ).fetchone()
    failures = connection.execute(
        "SELECT session_id, error FROM outcome WHERE status = 'failed' LIMIT ?", (FAILURES_KEPT,)
    )
    messages = connection.execute(
        "SELECT message FROM chunk WHERE message IS NOT NULL GROUP BY message ORDER BY min(number) LIMIT ?",
        (MESSAGES_KEPT,),
    )
    evaluated, failed, skipped, evaluations, reconciled = (int(count) for count in counts)
    job = dict(connection.execute("SELECT name, value FROM job").fetchall())
    return Totals(
        evaluated=evaluated,
        failed=failed,
        skipped=skipped,
        evaluations=evaluations,
        reconciled=reconciled,
        failures=[SessionFailure(session_id=id_, error=error) for id_, error in failures],
        messages=[message for (message,) in messages],
        requests=int(job.get("requests", 0)),
        retries=int(job.get("retries", 0)),
        elapsed=float(job.get("elapsed", 0.0)),
    )


def read_chunk(
    row: tuple[int, str, int, str | None, str | None, bytes, float | None, str | None],
) -> Chunk:
    """Read a chunk: number, state, attempts, version, metrics, ids, since and the runs it was accepted as."""
    number, state, attempts, version_id, metrics, ids, since, accepted_as = row
    content = NewChunk(
        session_ids=tuple(read_ids(ids)),
        version_id=version_id,
        metrics=read_metrics(metrics),
        attempts=attempts,
    )
    return Chunk(
        number=number,
        content=content,
        state=ChunkState(state),
        since=since,
        accepted_as=() if accepted_as is None else tuple(read_ids(accepted_as.encode())),
    )


def read_metrics(text: str | None) -> tuple[MetricInput, ...] | None:
    """Read the metrics of a chunk that has its own."""
    return None if text is None else tuple(converter.structure(read_json(text.encode()), list[MetricInput]))


def read_ids(blob: bytes) -> list[str]:
    """Read the ids of a chunk."""
    ids = read_json(bytes(blob))
    return converter.structure(ids, list[str])


def read_scores(blob: bytes) -> dict[str, dict[str, float | None]]:
    """Read the scores of a chunk, by session and metric."""
    return converter.structure(read_json(bytes(blob)), dict[str, dict[str, float | None]])
