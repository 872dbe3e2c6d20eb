"""The requests that evaluate sessions, checked against the rules of their API pages before they are sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from galtea_async.errors import InvalidRequestError
from galtea_async.galtea.filters import EvaluationFilters
from galtea_async.models.converter import unstructure
from galtea_async.models.metric_input import MetricLike, metric_inputs
from galtea_async.models.text import check_ids, is_id, why_no_id

__all__ = ["BATCH_LIMIT", "batch_body", "checked_filters", "checked_ids", "session_body"]

BATCH_LIMIT: Final = 1_000
"""The most sessions that one request evaluates."""


def batch_body(
    *,
    session_ids: Iterable[str] | None,
    version_id: str | None,
    metrics: Iterable[MetricLike] | None,
    specification_ids: Iterable[str] | None,
) -> dict[str, object]:
    """Return the body of POST /evaluations/fromSessions.

    Raises:
        InvalidRequestError: It breaks a rule of the page.
    """
    if (session_ids is None) == (version_id is None):
        raise InvalidRequestError("from_sessions needs exactly one of session_ids and version_id")
    if session_ids is None:
        return {"versionId": _id("version_id", version_id), **_choice(metrics, specification_ids)}
    chosen = checked_ids("session_ids", session_ids)
    if len(chosen) > BATCH_LIMIT:
        raise InvalidRequestError(
            f"one request evaluates at most {BATCH_LIMIT} sessions, not {len(chosen)}",
            advice="evaluate_sessions takes any number",
        )
    return {"sessionIds": chosen, **_choice(metrics, specification_ids)}


def session_body(
    *,
    session_id: str,
    metrics: Iterable[MetricLike] | None,
    specification_ids: Iterable[str] | None,
    inference_result_id: str | None,
    run_id: str | None,
) -> dict[str, object]:
    """Return the body of POST /evaluations/fromSession.

    Raises:
        InvalidRequestError: It breaks a rule of the page.
    """
    body: dict[str, object] = {"sessionId": _id("session_id", session_id)}
    if inference_result_id is not None:
        body["inferenceResultId"] = _id("inference_result_id", inference_result_id)
    body |= _choice(metrics, specification_ids)
    if run_id is not None:
        body["runId"] = _id("run_id", run_id)
    return body


def checked_ids(name: str, values: Iterable[str]) -> list[str]:
    """Return the ids, each once.

    Raises:
        InvalidRequestError: It is a single text, an empty list, or not ids.
    """
    if isinstance(values, str | bytes):
        raise InvalidRequestError(f"{name} is a list of ids, not the single text {values!r}")
    if not isinstance(values, Iterable):
        raise InvalidRequestError(f"{name} is a list of ids, not {values!r}")
    given = list(values)
    check_ids(name, given)
    if not given:
        raise InvalidRequestError(f"{name} is empty")
    return list(dict.fromkeys(given))


def checked_filters(filters: EvaluationFilters) -> EvaluationFilters:
    """Return the filters; the service refuses a bound of scores outside of 0 to 1.

    Raises:
        InvalidRequestError: A bound is no number from 0 to 1.
    """
    for name, value in filters.items():
        if "score_" in name and value is not None and not _is_score(value):
            raise InvalidRequestError(f"{name} is a number from 0 to 1, not {value!r}")
    return filters


def _choice(
    metrics: Iterable[MetricLike] | None, specification_ids: Iterable[str] | None
) -> dict[str, object]:
    """Write what to evaluate with; nothing where that is left to the service."""
    choice: dict[str, object] = {}
    if chosen := dict.fromkeys(metric_inputs(metrics)):
        choice["metrics"] = [unstructure(metric) for metric in chosen]
    if specification_ids is not None:
        choice["specificationIds"] = checked_ids("specification_ids", specification_ids)
    return choice


def _is_score(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _id(name: str, value: object) -> str:
    if not is_id(value):
        raise InvalidRequestError(f"{name}: an id {why_no_id(value)}")
    return value
