"""What makes requests slow or wrong, and may be changed while the emulator runs."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.fault_routes import check_routes
from galtea_async.emulator.faults import Fault, FaultPlan
from galtea_async.emulator.setting_checks import all_faults, is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Conditions"]


@attrs.define(kw_only=True, eq=False)
class Conditions:
    """Latency and faults.

    Attributes:
        latency: Seconds that the work of each request takes.
        plan: The faults, and how often each has had its chance.
    """

    latency: float = attrs.field(default=0.0, validator=is_number(at_least=0))
    plan: FaultPlan
    _routes: Sequence[str] | None = attrs.field(default=None, init=False)
    _at_start: tuple[float, tuple[Fault, ...], int] = attrs.field(default=(0.0, (), 0), init=False)

    def serve(self, routes: Sequence[str] | None) -> None:
        """Say which routes there are for faults to be about, by name; `None` when nothing is served any more.

        Raises:
            ValueError: A fault is about another route.
        """
        if routes is not None:
            check_routes(self.faults, routes)
        self._routes = routes

    def start(self, seed: int) -> None:
        """Let the faults count from zero, and chance follow from a seed."""
        self._at_start = (self.latency, self.faults, seed)
        self.plan = FaultPlan(faults=self.faults, random=Random(f"{seed}/faults"))

    def restart(self) -> None:
        """Make everything as it was when `start` was called."""
        latency, faults, seed = self._at_start
        self.latency = latency
        self.faults = faults
        self.start(seed)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults; setting them anew starts all their counts at zero.

        Raises:
            TypeError: One is no `Fault`.
            ValueError: One is about a route that is not served.
        """
        return self.plan.faults

    @faults.setter
    def faults(self, faults: Iterable[Fault]) -> None:
        given = all_faults(faults)
        if self._routes is not None:
            check_routes(given, self._routes)
        self.plan = FaultPlan(faults=given, random=self.plan.random)
