"""How far a bulk run is, told while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import define, field, frozen

from galtea_async.bulk.provider import Gauge
from galtea_async.bulk.totals import Totals

__all__ = ["Progress", "ProgressCallback", "Speedometer", "progress_of"]

_WINDOW: Final = 30.0
"""Seconds over which the rate is taken."""


@frozen(kw_only=True)
class Progress:
    """How far a bulk run is.

    Attributes:
        done: Sessions with an outcome, those of earlier runs of the job included.
        total: Distinct sessions in all, or `None` where the input does not tell.
        evaluated: How many were evaluated.
        failed: How many failed.
        skipped: How many were skipped.
        unresolved: How many the service does not tell about.
        in_flight: Requests of the client in flight now.
        limit: How many may be.
        rate: Sessions per second over the last half minute.
        eta: Seconds to the end at this rate, or `None` where nobody can know.
        waiting: What the run waits for, such as the service after an outage or, while nothing is in flight,
            the end of a rest, the next turn at a limited rate, or rows that have to settle; `None` in good
            times.

    Example:
        >>> steps = []
        >>> _ = await evaluate_sessions(galtea, session_ids, progress=steps.append)
        >>> steps[-1].done, steps[-1].total
        (5, 5)
    """

    done: int
    total: int | None
    evaluated: int
    failed: int
    skipped: int
    unresolved: int
    in_flight: int
    limit: int
    rate: float
    eta: float | None
    waiting: str | None


ProgressCallback: TypeAlias = Callable[[Progress], object]
"""Gets every `Progress`; called in the event loop, so it should return at once."""


@define
class Speedometer:
    """Measures a rate over a sliding window, from a few samples however long the run.

    Args:
        clock: The loop's clock.
    """

    clock: Callable[[], float]
    _samples: list[tuple[float, int]] = field(factory=list[tuple[float, int]], init=False)

    def rate(self, done: int) -> float:
        """Note how much is done, and return how much per second was done lately."""
        now = self.clock()
        if not self._samples or now - self._samples[-1][0] >= _WINDOW / 30:
            self._samples.append((now, done))
        self._samples = [sample for sample in self._samples if now - sample[0] <= _WINDOW] or self._samples[
            -1:
        ]
        began, before = self._samples[0]
        return (done - before) / (now - began) if now > began else 0.0


def progress_of(
    totals: Totals,
    *,
    unresolved: int,
    total: int | None,
    speedometer: Speedometer,
    gauge: Gauge,
    waiting: str | None,
) -> Progress:
    """Tell how far a run is.

    Args:
        totals: What its settled chunks add up to.
        unresolved: Sessions that the service does not tell about.
        total: Distinct sessions in all, where that is known.
        speedometer: Measures its rate; notes how much is done.
        gauge: Tells what its client does.
        waiting: What the run waits for.

    Returns:
        The progress.
    """
    done = totals.done + unresolved
    rate = speedometer.rate(done)
    return Progress(
        done=done,
        total=total,
        evaluated=totals.evaluated,
        failed=totals.failed,
        skipped=totals.skipped,
        unresolved=unresolved,
        in_flight=gauge.in_flight(),
        limit=gauge.limit(),
        rate=rate,
        eta=None if total is None or rate <= 0 else max(0, total - done) / rate,
        waiting=waiting,
    )
