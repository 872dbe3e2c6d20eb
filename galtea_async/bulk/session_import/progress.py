"""How far an import is, told while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

__all__ = ["ImportProgress", "ImportProgressCallback"]


@frozen(kw_only=True)
class ImportProgress:
    """How far an import is.

    Attributes:
        done: Inputs with an outcome, those of earlier runs of the job included.
        total: Distinct inputs in all, or `None` where the input does not tell.
        created: How many sessions were created.
        existed: How many were there before.
        failed: How many were refused.
        unresolved: How many the service does not tell about.
        in_flight: Requests of the client in flight now.
        limit: How many may be.
        rate: Sessions per second over the last half minute.
        eta: Seconds to the end at this rate, or `None` where nobody can know.
        waiting: What the import waits for, such as the service after an outage or, while nothing is in
            flight, the end of a rest or the next turn at a limited rate; `None` in good times.

    Example:
        >>> steps = []
        >>> wanted = [SessionInput(version_id=version_id, custom_id="chat-1")]
        >>> _ = await create_sessions(galtea, wanted, progress=steps.append)
        >>> steps[-1].done, steps[-1].total
        (1, 1)
    """

    done: int
    total: int | None
    created: int
    existed: int
    failed: int
    unresolved: int
    in_flight: int
    limit: int
    rate: float
    eta: float | None
    waiting: str | None


ImportProgressCallback: TypeAlias = Callable[[ImportProgress], object]
"""Gets every `ImportProgress`; called in the event loop, so it should return at once."""
