"""The proof that each session was evaluated once, from the emulator's own records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Self

from attrs import frozen

__all__ = ["Proof"]


@frozen(kw_only=True)
class Proof:
    """How often each session was evaluated by each metric.

    Attributes:
        sessions: The sessions.
        metrics: The metrics with any evaluation of them.
        rows: Evaluations by session and metric.
    """

    sessions: frozenset[str]
    metrics: frozenset[str]
    rows: Counter[tuple[str, str]]

    @classmethod
    def of(cls, sessions: Iterable[str], rows: Iterable[tuple[str, str]]) -> Self:
        """Count rows of sessions and metrics, as an emulator holds them."""
        counted = Counter(rows)
        return cls(
            sessions=frozenset(sessions),
            metrics=frozenset(metric for _, metric in counted),
            rows=counted,
        )

    @property
    def missing(self) -> int:
        """How many pairs of session and metric have no evaluation; all, where there is no metric."""
        wanted = {(session, metric) for session in self.sessions for metric in self.metrics or {""}}
        return len(wanted - self.rows.keys())

    @property
    def repeated(self) -> int:
        """How many pairs have more than one."""
        return sum(count > 1 for count in self.rows.values())

    @property
    def holds(self) -> bool:
        """Whether each pair has exactly one."""
        return not self.missing and not self.repeated

    def __str__(self) -> str:
        """Say what was counted and whether it is as it should be."""
        counted = f"{len(self.sessions):,} sessions x {len(self.metrics)} metrics"
        if self.holds:
            return (
                f"Each session was evaluated exactly once: the emulator holds {self.rows.total():,} "
                f"evaluations for {counted}, one for each pair."
            )
        return (
            f"NOT each session was evaluated exactly once: of {counted}, {self.missing:,} pairs have no "
            f"evaluation and {self.repeated:,} have more than one."
        )
