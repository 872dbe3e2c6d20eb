"""The bodies of the two requests that create session runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict, Unpack

from galtea_async.pandaprobe.arguments import (
    LONGEST_NAME,
    LONGEST_TEXT,
    check_weights,
    checked_ids,
    checked_metrics,
    checked_share,
    checked_text,
)
from galtea_async.pandaprobe.filters import SessionRunFilters, run_filters

__all__ = ["RunOptions", "batch_body", "filtered_body"]


class RunOptions(TypedDict):
    """What a run is given beside its sessions."""

    metrics: Iterable[str]
    name: str | None
    model: str | None
    signal_weights: Mapping[str, float] | None


def batch_body(session_ids: Iterable[str], **options: Unpack[RunOptions]) -> dict[str, object]:
    """Return the body of POST /evaluations/session-runs/batch.

    Raises:
        InvalidRequestError: It has something in it that the service would refuse, or break down over.
    """
    return {"session_ids": checked_ids("session_ids", session_ids), **_options(options)}


def filtered_body(
    filters: SessionRunFilters, sampling_rate: float, **options: Unpack[RunOptions]
) -> dict[str, object]:
    """Return the body of POST /evaluations/session-runs.

    Raises:
        InvalidRequestError: It has something in it that the service would refuse, or break down over.
    """
    body = _options(options) | {"sampling_rate": checked_share("sampling_rate", sampling_rate)}
    chosen = run_filters(filters)
    return {**body, "filters": chosen} if chosen else body


def _options(options: RunOptions) -> dict[str, object]:
    check_weights(options["signal_weights"])
    texts = {
        "name": checked_text("name", options["name"], longest=LONGEST_NAME),
        "model": checked_text("model", options["model"], longest=LONGEST_TEXT),
    }
    weights = options["signal_weights"]
    return {
        "metrics": checked_metrics(options["metrics"]),
        **{name: text for name, text in texts.items() if text is not None},
        **({} if weights is None else {"signal_weights": dict(weights)}),
    }
