"""What differs between one PandaProbe and the next, or is not known for certain, as switches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from galtea_async.emulator.pandaprobe.route_names import BATCH, FILTERED, RETRY, TRACES

__all__ = ["PandaProbeRules"]

_at_least_one = attrs.validators.ge(1)
_not_negative = attrs.validators.ge(0.0)
_positive = attrs.validators.gt(0.0)
_share = attrs.validators.and_(attrs.validators.ge(0.0), attrs.validators.le(1.0))


@attrs.frozen(kw_only=True)
class PandaProbeRules:
    """How the emulated PandaProbe behaves.

    The defaults are those of a server of version 0.5.0 at rest, with quicker judges. The switches that say
    what such a server never does stand for what a proxy in front of the hosted service, or another version,
    may do.

    Attributes:
        run_requests: How many requests a window admits on each of the paths that create runs.
        trace_requests: How many a window admits for `POST /traces`.
        other_requests: How many a window admits on each other path.
        window: Seconds for which a window of the rate limit is open, from the first request on.
        retry_after: Whether a refusal for the rate has the header `Retry-After`, as the documents promise.
            The server sends none.
        keep_alive: Seconds after which an idle connection is closed.
        cold_start: How many seconds longer the first request takes that creates a run. After a restart of the
            server it is about 8.
        workers: How many runs make progress at a time; others wait.
        pick_up: Seconds from the creation of a run to its start, on a worker that is free.
        seconds_per_session: How long a worker takes for a session, whatever its metrics.
        closing: Seconds for which a run whose sessions are all done is still RUNNING.
        attempts: How often a run is tried in all before its failure is final.
        restart_after: Seconds from a failure to the next attempt.
        trace_delay: Seconds until a trace that has been sent can be seen.
        count_field: The name of the field that counts a run's sessions. `total_traces` is the older one.
        most_session_ids: How many ids a run may name; more are refused with 422. `None` sets no bound.
        failed_share: The share of the scores that end FAILED.
        judges: Whether the judges' language model answers. While it does not, every score is a success of
            1.0 with empty metadata, as on the server.
        default_model: The model of a run that names none.
    """

    run_requests: int = attrs.field(default=50, validator=_at_least_one)
    trace_requests: int = attrs.field(default=100, validator=_at_least_one)
    other_requests: int = attrs.field(default=200, validator=_at_least_one)
    window: float = attrs.field(default=60.0, validator=_positive)
    retry_after: bool = False
    keep_alive: float = attrs.field(default=5.0, validator=_positive)
    cold_start: float = attrs.field(default=0.0, validator=_not_negative)
    workers: int = attrs.field(default=4, validator=_at_least_one)
    pick_up: float = attrs.field(default=0.3, validator=_not_negative)
    seconds_per_session: float = attrs.field(default=0.01, validator=_positive)
    closing: float = attrs.field(default=0.1, validator=_not_negative)
    attempts: int = attrs.field(default=3, validator=_at_least_one)
    restart_after: float = attrs.field(default=10.0, validator=_not_negative)
    trace_delay: float = attrs.field(default=0.3, validator=_not_negative)
    count_field: Literal["total_targets", "total_traces"] = "total_targets"
    most_session_ids: int | None = None
    failed_share: float = attrs.field(default=0.0, validator=_share)
    judges: Literal["answer", "are_down"] = "answer"
    default_model: str = "openai/gpt-4o-mini"

    def limits(self) -> Mapping[str, int]:
        """The routes with a limit of their own, by name, and how many requests a window admits there."""
        return {
            BATCH: self.run_requests,
            FILTERED: self.run_requests,
            RETRY: self.run_requests,
            TRACES: self.trace_requests,
        }
