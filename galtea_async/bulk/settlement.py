"""Decides how a chunk ends, from an answer, from a refusal, or from what was found. Pure: no I/O."""

from __future__ import annotations

import re
from typing import Final

from galtea_async.bulk.chunk import Chunk, NewChunk, Settlement
from galtea_async.bulk.outcome import OutcomeStatus, SessionOutcome
from galtea_async.bulk.provider import BatchAnswer, Findings
from galtea_async.errors import ApiError
from galtea_async.models.metric_input import MetricInput

__all__ = ["blames", "by_answer", "by_answer_and_rows", "by_refusal", "by_rows", "name_all", "outcomes"]

_MOST_ATTEMPTS: Final = 20
"""A session that was alone in its last requests, and of which nothing ever came, has then failed."""

_SPLIT_FROM: Final = 3
"""After so many requests that came to nothing, a chunk is split: one of its sessions may be to blame."""

_SHORTEST_NAME: Final = 6
"""A shorter word of a message may be an id by chance."""

_WORD: Final = re.compile(r"[^\s,;\"'()\[\]{}<>]+")


def by_answer(chunk: Chunk, answer: BatchAnswer) -> Settlement | None:
    """Settle a chunk by its answer alone.

    Args:
        chunk: What was sent.
        answer: What the service answered.

    Returns:
        How it ends; `None` where the answer counts sessions without naming them.
    """
    if chunk.content.version_id is not None:
        return _whole_version(answer)
    ids = chunk.content.session_ids
    failures = {id_: error for id_, error in answer.failures.items() if id_ in set(ids)}
    unnamed = len(ids) - answer.evaluated - len(failures)
    if unnamed > 0 and answer.evaluated > 0:
        return None
    rest = [id_ for id_ in ids if id_ not in failures] if unnamed > 0 else []
    return _settled(chunk, answer, failures, rest, reconciled=0)


def by_answer_and_rows(chunk: Chunk, answer: BatchAnswer, findings: Findings) -> Settlement:
    """Settle a chunk by its answer, with its rows to tell the unnamed sessions apart.

    Args:
        chunk: What was sent.
        answer: What the service answered.
        findings: What it has made.

    Returns:
        How it ends.
    """
    if chunk.content.version_id is not None:
        failures = {id_: (OutcomeStatus.FAILED, error) for id_, error in answer.failures.items()}
        return Settlement(
            evaluated=len(findings.covered),
            others=failures,
            evaluations=answer.evaluations,
            message=answer.message,
            available=answer.available,
            handled_ids=(*findings.covered, *answer.failures),
            complete=False,
        )
    ids = chunk.content.session_ids
    failed = {id_: error for id_, error in answer.failures.items() if id_ in set(ids)}
    rest = [id_ for id_ in ids if id_ not in failed and id_ not in findings.covered]
    return _settled(chunk, answer, failed, rest, reconciled=len(rest))


def name_all(answer: BatchAnswer | None, findings: Findings) -> bool:
    """Tell whether findings name every session that an answer only counts.

    Args:
        answer: What the service answered; `None` where that was lost, and nobody knows how many there are.
        findings: What was found up to now.

    Returns:
        Whether there can be no more.
    """
    return answer is not None and answer.is_final and len(findings.covered) >= answer.evaluated


def by_rows(chunk: Chunk, findings: Findings, reason: str) -> Settlement:
    """Settle a chunk whose answer was lost, by the rows that it made.

    Args:
        chunk: What was sent.
        findings: What was made, believed.
        reason: Why there is no answer.

    Returns:
        How it ends: covered sessions are evaluated, those that lack metrics go on with these, those that
        the batch was done with have failed, and those of which there is nothing are sent again.
    """
    evaluations = sum(findings.covered.values())
    complete = len(findings.covered) - len(findings.missing)
    completions = [
        NewChunk(session_ids=tuple(ids), metrics=metrics) for metrics, ids in _by_metrics(findings).items()
    ]
    if chunk.content.version_id is not None:
        return Settlement(
            evaluated=complete,
            evaluations=evaluations,
            reconciled=complete,
            handled_ids=tuple(findings.covered),
            complete=False,
            children=tuple(completions),
        )
    content = chunk.content
    attempts = content.attempts + 1
    others: dict[str, tuple[OutcomeStatus, str | None]] = {
        id_: (OutcomeStatus.FAILED, error) for id_, error in findings.failures.items()
    }
    absent = [id_ for id_ in content.session_ids if id_ not in findings.covered and id_ not in others]
    children = completions
    if len(absent) == 1 and attempts >= _MOST_ATTEMPTS:
        error = f"no verdict in {attempts} requests, and no evaluation was made; the last: {reason}"
        others[absent[0]] = (OutcomeStatus.FAILED, error)
    elif attempts >= _SPLIT_FROM and len(absent) == len(content.session_ids):
        children += [
            NewChunk(session_ids=half, metrics=content.metrics, attempts=attempts)
            for half in _halves(tuple(absent))
        ]
    elif absent:
        children.append(NewChunk(session_ids=tuple(absent), metrics=content.metrics, attempts=attempts))
    return Settlement(
        evaluated=complete,
        others=others,
        evaluations=evaluations,
        reconciled=complete + len(others),
        children=tuple(children),
        scores=findings.scores,
    )


def by_refusal(chunk: Chunk, error: ApiError) -> Settlement:
    """Settle a chunk that the service refused, which did nothing.

    Args:
        chunk: What was sent.
        error: The refusal.

    Returns:
        How it ends: sessions that the refusal names fail, and so does one that was sent alone; the others
        go on in smaller chunks.
    """
    content = chunk.content
    named = _named(content.session_ids, error) if error.status in (400, 404, 422) else []
    if len(content.session_ids) == 1:
        named = list(content.session_ids)
    rest = tuple(id_ for id_ in content.session_ids if id_ not in set(named))
    parts = [rest] if named and rest else _halves(rest)
    return Settlement(
        others=dict.fromkeys(named, (OutcomeStatus.FAILED, f"{error.status} {error.message}")),
        children=tuple(
            NewChunk(session_ids=part, metrics=content.metrics, attempts=content.attempts) for part in parts
        ),
    )


def blames(settled: Settlement, error: ApiError) -> bool:
    """Tell whether it is known whose fault a refusal was, or will be once smaller chunks are sent.

    Args:
        settled: How the refused chunk ends.
        error: The refusal.

    Returns:
        Whether it names a session or the chunk goes on in others; not where it met one session alone.
    """
    return bool(settled.children) or any(id_ in error.message for id_ in settled.others)


def outcomes(chunk: Chunk, settled: Settlement) -> list[SessionOutcome]:
    """Return the outcome of every session that ended with the chunk."""
    moved = {id_ for child in settled.children for id_ in child.session_ids}
    evaluated = (OutcomeStatus.EVALUATED, None)
    return [
        SessionOutcome(id_, *settled.others.get(id_, evaluated), settled.scores.get(id_))
        for id_ in settled.handled_ids or chunk.content.session_ids
        if id_ not in moved
    ]


def _whole_version(answer: BatchAnswer) -> Settlement | None:
    """Settle the request for a version where it covered all of it; else its sessions have to be found."""
    if answer.truncated or (
        answer.available is not None and answer.available > answer.evaluated + answer.failed
    ):
        return None
    return Settlement(
        evaluated=answer.evaluated,
        others={id_: (OutcomeStatus.FAILED, error) for id_, error in answer.failures.items()},
        evaluations=answer.evaluations,
        message=answer.message,
        available=answer.available,
    )


def _settled(
    chunk: Chunk, answer: BatchAnswer, failures: dict[str, str | None], rest: list[str], *, reconciled: int
) -> Settlement:
    """Settle by an answer: the rest was skipped, unless the answer counts failures that it does not name.

    A chunk with metrics of its own completes sessions that have evaluations already: there, a skip only
    means that the missing metrics do not apply.
    """
    if chunk.content.metrics is not None:
        rest = []
    unnamed_failure = (OutcomeStatus.FAILED, "the service counts a failure here that it does not name")
    unnamed = unnamed_failure if answer.failed > len(failures) else (OutcomeStatus.SKIPPED, None)
    others: dict[str, tuple[OutcomeStatus, str | None]] = dict.fromkeys(rest, unnamed)
    others.update({id_: (OutcomeStatus.FAILED, error) for id_, error in failures.items()})
    return Settlement(
        evaluated=len(chunk.content.session_ids) - len(others),
        others=others,
        evaluations=answer.evaluations,
        message=answer.message,
        reconciled=reconciled,
    )


def _by_metrics(findings: Findings) -> dict[tuple[MetricInput, ...], list[str]]:
    """Group the sessions that lack metrics by what they lack."""
    groups: dict[tuple[MetricInput, ...], list[str]] = {}
    for id_, metrics in findings.missing.items():
        groups.setdefault(metrics, []).append(id_)
    return groups


def _halves(ids: tuple[str, ...]) -> list[tuple[str, ...]]:
    middle = (len(ids) + 1) // 2
    return [half for half in (ids[:middle], ids[middle:]) if half]


def _named(ids: tuple[str, ...], error: ApiError) -> list[str]:
    """Find the sessions that a refusal names."""
    words = {word.rstrip(".:") for word in _WORD.findall(error.message)}
    return [id_ for id_ in ids if len(id_) >= _SHORTEST_NAME and id_ in words]
