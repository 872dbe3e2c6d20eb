"""As much of a session's score as an account of a run needs: a run's scores can be megabytes."""

from __future__ import annotations

from attrs import define

__all__ = ["ScoreLine"]


@define(kw_only=True)
class ScoreLine:
    """A score without what it is made of, which is most of what the service sends.

    Attributes:
        session_id: The session.
        name: The metric.
        value: The score; `None` where the metric could not judge it.
    """

    session_id: str | None = None
    name: str | None = None
    value: float | None = None
