"""What the emulator holds, as tests and demonstrations set it up and look at it: without HTTP."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs
import msgspec

from galtea_async.emulator.pandaprobe.runs import Runs
from galtea_async.emulator.pandaprobe.scores import Scores
from galtea_async.emulator.pandaprobe.service import Service
from galtea_async.emulator.pandaprobe.sessions import Sessions
from galtea_async.emulator.pandaprobe.traces import Traces
from galtea_async.emulator.slices import in_slices

if TYPE_CHECKING:
    from collections.abc import Iterable

    from galtea_async.emulator.store import Row

__all__ = ["Contents"]

_SECONDS_OF_A_TURN = 1.5


@attrs.frozen(kw_only=True, eq=False)
class Contents:
    """Fills a service and looks into it.

    Attributes:
        service: The service.
        runs: Its runs.
        scores: Its scores.
        sessions: Its sessions.
        project_id: The project in which all of this is done.
    """

    service: Service
    runs: Runs
    scores: Scores
    sessions: Sessions
    project_id: str

    async def add_sessions(self, count: int, traces: int) -> list[str]:
        """Add sessions of so many traces each, and return their ids.

        While very many are added, others have their turn.
        """
        now = self.service.clock.seconds()
        ids = [f"session-{self.service.new_id()}" for _ in range(count)]
        async for some in in_slices(ids, rows_per_item=traces):
            Traces(self.service).add([self._trace(one, now) for one in some for _ in range(traces)])
        return ids

    def _trace(self, session_id: str, now: float) -> Row:
        return (
            self.service.new_id(),
            self.project_id,
            session_id,
            "turn",
            "COMPLETED",
            '{"messages":[{"role":"user","content":"Hello"}]}',
            '{"messages":[{"role":"assistant","content":"Good day"}]}',
            now,
            now + _SECONDS_OF_A_TURN,
            None,
            "[]",
            "{}",
            "[]",
            now,
        )

    def all_runs(self) -> list[dict[str, object]]:
        """The runs as the API shows them, the oldest first."""
        return [_plain(run) for run in self.runs.in_project(self.project_id)]

    def all_scores(self, session_ids: Iterable[str] | None, run_id: str | None) -> list[dict[str, object]]:
        """The scores as the API shows them, the oldest first."""
        wanted = None if session_ids is None else set(session_ids)
        return [
            _plain(score)
            for score in reversed(self.scores.in_project(self.project_id))
            if (wanted is None or score.session_id in wanted) and run_id in {None, score.eval_run_id}
        ]

    def run_counts(self) -> dict[str, int]:
        """How many runs name each session; those that none names are there too."""
        counts: Counter[str] = Counter()
        for run in self.runs.in_project(self.project_id):
            counts.update(msgspec.json.decode(run.filters, type=_Named).session_ids)
        return {**dict.fromkeys(self.sessions.ids(self.project_id), 0), **counts}


class _Named(msgspec.Struct):
    session_ids: list[str] = msgspec.field(default_factory=list[str])


def _plain(value: msgspec.Struct) -> dict[str, object]:
    return msgspec.json.decode(msgspec.json.encode(value), type=dict[str, object])
