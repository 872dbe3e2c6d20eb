"""A link to a service, used with certain bounds on time and attempts."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TypeVar, final

from attrs import evolve, frozen

from galtea_async.http.call import Call
from galtea_async.http.call_options import CallOptions
from galtea_async.http.link import Link
from galtea_async.http.statistics import Statistics
from galtea_async.http.verdict import Repeat

__all__ = ["Channel"]

_Result = TypeVar("_Result")


@final
@frozen(kw_only=True)
class Channel:
    """What the endpoints of a client send their calls through.

    Args:
        link: The way to the service; several channels may share it.
        options: The bounds of each call.
    """

    link: Link
    options: CallOptions

    def send(self, call: Call[_Result]) -> Coroutine[None, None, _Result]:
        """Carry a call to its result; await what this returns.

        Raises:
            LifecycleError: Not open, closed, another loop or another process; no socket was touched.
            GalteaError: See `Dispatcher.send`.
        """
        return self.link.dispatcher().send(call, self.options)

    def patient(self) -> Channel:
        """Return the same without a bound on waiting, for work that nobody stands and waits for."""
        return evolve(self, options=self.options.patient())

    def back_off(self, attempt: int) -> float:
        """Return a wait in seconds before doing again what has failed so many times."""
        return self.link.dispatcher().back_off.delay(self.options.retry, Repeat.SOON, attempt)

    def statistics(self) -> Statistics:
        """Return a snapshot; after closing, the last one."""
        return self.link.statistics()
