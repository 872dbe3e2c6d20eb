"""A local Galtea in the background, for tests and programs without an event loop of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import attrs

from galtea_async.emulator.galtea.emulator import GalteaEmulator
from galtea_async.emulator.loop_thread import LoopThread

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from types import TracebackType

    from galtea_async.emulator.faults import Fault
    from galtea_async.emulator.galtea.scoring import MetricSource
    from galtea_async.emulator.recording import RecordedRequest

__all__ = ["BackgroundGaltea"]


@attrs.define(eq=False)
class BackgroundGaltea:
    """Serves Galtea's API in a thread, from `with` or between `start` and `close`.

    The thread has an event loop of its own, so it does not matter whether the code under test has one, or of
    which kind. The methods are those of `GalteaEmulator` without `await`; each takes a fraction of a
    millisecond.

    Attributes:
        emulator: The emulator that is served, with its settings. It belongs to the thread: use the methods
            here.

    Example:
        .. code-block:: python

            with BackgroundGaltea(GalteaEmulator(seed=3)) as emulator:
                version_id = emulator.add_version(sessions=2)
                my_program.main(["--url", emulator.url, "--version", version_id])
                assert set(emulator.evaluation_counts(version_id).values()) == {2}
    """

    emulator: GalteaEmulator = attrs.field(factory=GalteaEmulator)
    _thread: LoopThread = attrs.field(factory=lambda: LoopThread("galtea emulator"), init=False, repr=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Open the data and listen.

        Raises:
            RuntimeError: It runs already, or no thread can be started.
            OSError: The address or the file cannot be used, or the program has too many files open.
            ValueError: A fault is about a route that is not served.
        """
        self._thread.start()
        try:
            self._thread.wait_for(self.emulator.start())
        except BaseException:
            self._thread.stop()
            raise

    def close(self) -> None:
        """Cut the connections, drop work that was to be done later, close the data. Closing twice is fine."""
        if self._thread.runs:
            self._thread.wait_for(self.emulator.close())
            self._thread.stop()

    @property
    def url(self) -> str:
        """The address on which the emulator listens."""
        return self.emulator.url

    @property
    def api_key(self) -> str:
        """The key that clients must send."""
        return self.emulator.api_key

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests until now, in the order of their arrival."""
        return self.emulator.requests.copy()

    @property
    def rate_limited(self) -> int:
        """How many requests the rate limit has refused."""
        return self.emulator.rate_limited

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults; setting them anew starts all their counts at zero.

        Raises:
            TypeError: One is no `Fault`.
            ValueError: One is about a route that is not served.
        """
        return self.emulator.faults

    @faults.setter
    def faults(self, faults: Iterable[Fault]) -> None:
        self._thread.do(lambda: setattr(self.emulator, "faults", faults))

    @property
    def latency(self) -> float:
        """Seconds that the work of each request takes."""
        return self.emulator.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._thread.do(lambda: setattr(self.emulator, "latency", seconds))

    def now(self) -> datetime:
        """The server's time."""
        return self._thread.do(self.emulator.now)

    def add_product(self, name: str | None = None) -> str:
        """Add a product and return its id."""
        return self._thread.wait_for(self.emulator.add_product(name))

    def add_metric(
        self,
        product_id: str | None = None,
        *,
        name: str | None = None,
        source: MetricSource = "FULL_PROMPT",
        excluded_from_analytics: bool = False,
    ) -> str:
        """Add a metric, of one product or (without one) of all, and return its id."""
        return self._thread.wait_for(
            self.emulator.add_metric(
                product_id, name=name, source=source, excluded_from_analytics=excluded_from_analytics
            )
        )

    def add_specification(
        self, product_id: str, *, metric_ids: Iterable[str] = (), test_ids: Iterable[str] = ()
    ) -> str:
        """Add a specification to a product, linked to metrics and tests (datasets), and return its id."""
        return self._thread.wait_for(
            self.emulator.add_specification(product_id, metric_ids=metric_ids, test_ids=test_ids)
        )

    def add_test_case(self, test_id: str | None = None) -> str:
        """Add a test case to a test (a new one by default), and return its id."""
        return self._thread.wait_for(self.emulator.add_test_case(test_id))

    def add_version(
        self, product_id: str | None = None, *, sessions: int = 0, turns: int = 0, name: str | None = None
    ) -> str:
        """Add a version with so many sessions of so many turns each, and return its id.

        Without a product it gets one of its own, with a specification that two metrics are linked to.
        """
        return self._thread.wait_for(
            self.emulator.add_version(product_id, sessions=sessions, turns=turns, name=name)
        )

    def add_sessions(
        self, version_id: str, count: int, *, turns: int = 0, created_at: datetime | None = None
    ) -> list[str]:
        """Add production sessions to a version, and return their ids.

        Args:
            version_id: The version.
            count: How many.
            turns: How many turns each of them has.
            created_at: When they were created: now, or any other time.

        Raises:
            LookupError: The version does not exist.
        """
        return self._thread.wait_for(
            self.emulator.add_sessions(version_id, count, turns=turns, created_at=created_at)
        )

    def add_evaluations(
        self,
        session_ids: Iterable[str],
        *,
        metric_id: str | None = None,
        created_at: datetime | None = None,
        run_id: str | None = None,
    ) -> list[str]:
        """Add an evaluation to each session, as a colleague would, and return their ids.

        Args:
            session_ids: The sessions; one that is named twice gets two.
            metric_id: The metric; by default the first there is, or a new one.
            created_at: When they were created: now, or any other time.
            run_id: The run that they belong to.

        Raises:
            LookupError: A session or the metric does not exist.
        """
        return self._thread.wait_for(
            self.emulator.add_evaluations(
                session_ids, metric_id=metric_id, created_at=created_at, run_id=run_id
            )
        )

    def add_api_key(self) -> str:
        """Let another member of the organization in until the emulator closes, and return the key to send."""
        return self._thread.wait_for(self.emulator.add_api_key())

    def version_ids(self) -> list[str]:
        """The ids of the versions, in the order in which they were added."""
        return self._thread.wait_for(self.emulator.version_ids())

    def session_ids(self, version_id: str) -> list[str]:
        """The ids of a version's sessions, in the order in which they were added."""
        return self._thread.wait_for(self.emulator.session_ids(version_id))

    def evaluations(
        self,
        *,
        version_id: str | None = None,
        session_ids: Iterable[str] | None = None,
        since: datetime | None = None,
    ) -> list[dict[str, object]]:
        """The evaluations as the API shows them now, oldest first; hidden ones included, deleted ones not.

        Args:
            version_id: Keep those of a version's sessions.
            session_ids: Keep those of some sessions.
            since: Keep those created at this time or later.
        """
        return self._thread.wait_for(
            self.emulator.evaluations(version_id=version_id, session_ids=session_ids, since=since)
        )

    def evaluation_counts(self, version_id: str, *, since: datetime | None = None) -> dict[str, int]:
        """How many evaluations each of a version's sessions has, those that have none included.

        Args:
            version_id: The version.
            since: Count those created at this time or later.
        """
        return self._thread.wait_for(self.emulator.evaluation_counts(version_id, since=since))

    def refuse(self, session_ids: Iterable[str], error: str) -> None:
        """Make sessions fail when they are to be evaluated, with an error that the caller sees."""
        self._thread.wait_for(self.emulator.refuse(session_ids, error))

    def skip(self, session_ids: Iterable[str]) -> None:
        """Make sessions be skipped when they are to be evaluated: no row, no failure, only a count."""
        self._thread.wait_for(self.emulator.skip(session_ids))

    def delete_session(self, session_id: str) -> None:
        """Delete a session."""
        self._thread.wait_for(self.emulator.delete_session(session_id))

    def set_credits(self, remaining: int | None) -> None:
        """Say how many credits are left; `None` lifts the limit."""
        self._thread.wait_for(self.emulator.set_credits(remaining))

    def revoke_key(self) -> None:
        """Make `api_key` invalid."""
        self._thread.wait_for(self.emulator.revoke_key())
