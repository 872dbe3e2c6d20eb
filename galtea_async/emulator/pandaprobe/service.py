"""What the handlers of all routes share."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import attrs
import msgspec

from galtea_async.emulator.clock import ServerClock
from galtea_async.emulator.fixed_window import FixedWindows
from galtea_async.emulator.pandaprobe.bodies import body_of
from galtea_async.emulator.pandaprobe.course import Planner
from galtea_async.emulator.pandaprobe.problems import detail, rate_limit_exceeded
from galtea_async.emulator.pandaprobe.rules import PandaProbeRules
from galtea_async.emulator.replies import Refusal, Reply
from galtea_async.emulator.store import Store

if TYPE_CHECKING:
    from galtea_async.emulator.routes import Call

__all__ = ["Service"]

_Shape = TypeVar("_Shape", bound=msgspec.Struct)


@attrs.define(kw_only=True, eq=False)
class Service:
    """The emulated service behind its routes.

    Attributes:
        store: Its memory.
        clock: Its time.
        rules: How it behaves.
        seed: What scores follow from.
        chance: Where ids come from.
        windows: The rate limit.
        planner: Decides how runs go.
        quota: How many units may be booked in all; `None` for no bound.
    """

    store: Store
    clock: ServerClock
    rules: PandaProbeRules
    seed: int
    chance: Random
    windows: FixedWindows
    planner: Planner
    quota: int | None = None

    def new_id(self) -> str:
        """Draw a UUID."""
        return str(UUID(bytes=self.chance.randbytes(16), version=4))

    def limited(
        self, route: str, shape: type[_Shape], handler: Callable[[Call, _Shape], Reply]
    ) -> Callable[[Call], Reply]:
        """Put a handler behind its body's check and, after it, behind the limit of its route."""

        def handle(call: Call) -> Reply:
            body = body_of(call, shape)
            self.count(call, route)
            return handler(call, body)

        return handle

    def count(self, call: Call, route: str) -> None:
        """Count a call on a route with a limit of its own.

        Raises:
            Refusal: With status 429, when its window is full.
        """
        self.count_request((call.user_id, route, call.address), self.rules.limits()[route])

    def count_request(self, key: tuple[str, ...], most: int) -> None:
        """Count a request.

        Raises:
            Refusal: With status 429, when its window is full.
        """
        wait = self.windows.admit(key, most)
        if wait is not None:
            refused = rate_limit_exceeded(most)
            headers = {"Retry-After": str(int(wait) + 1)} if self.rules.retry_after else {}
            raise Refusal(attrs.evolve(refused, headers=headers))

    def units(self) -> int:
        """How many units have been booked."""
        return int(self.store.value("SELECT coalesce(sum(units), 0) FROM bookings"))

    def book(self, units: int) -> None:
        """Book units, all of them or none.

        Raises:
            Refusal: With status 429, when the quota does not allow it.
        """
        if self.quota is not None and self.units() + units > self.quota:
            raise detail(429, f"Session evaluation quota exceeded: {self.quota} per month")
        self.store.change("INSERT INTO bookings VALUES (?)", (units,))

    def project_id(self, name: str) -> str:
        """The id of a project, which is made where there is none of that name."""
        found = self.store.value("SELECT id FROM projects WHERE name = ?", (name,))
        if found is not None:
            return str(found)
        made = self.new_id()
        self.store.change("INSERT INTO projects (id, name) VALUES (?, ?)", (made, name))
        return made

    def has_project(self, project_id: str) -> bool:
        """Whether there is a project with an id."""
        return self.store.row("SELECT 1 FROM projects WHERE id = ?", (project_id,)) is not None
