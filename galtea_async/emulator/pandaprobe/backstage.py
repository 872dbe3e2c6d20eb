"""PandaProbe from behind: what the console shows and changes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.console import Table
from galtea_async.emulator.fixed_window import FixedWindows
from galtea_async.emulator.pandaprobe.contents import Contents
from galtea_async.emulator.pandaprobe.course import Planner
from galtea_async.emulator.pandaprobe.gate import PandaProbeGate
from galtea_async.emulator.rewinding import Rewinding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from galtea_async.emulator.pandaprobe.rules import PandaProbeRules

__all__ = ["PandaProbeBackstage"]

_PROJECTS = """
SELECT p.name, p.id, count(DISTINCT t.session_id), count(t.id)
FROM projects AS p LEFT JOIN traces AS t ON t.project_id = p.id
GROUP BY p.id ORDER BY p.rowid
"""
_SCORES = """
SELECT status, count(*) FROM scores
WHERE visible_at <= ?1 AND (gone_at IS NULL OR gone_at > ?1) GROUP BY status ORDER BY status
"""


@attrs.frozen(kw_only=True, eq=False)
class PandaProbeBackstage:
    """Looks into a service, fills and empties it.

    Attributes:
        contents: What it holds.
        gate: Who may come in.
        api_key: The key that is valid from the start.
        project_name: The project whose contents they are.
        rewinding: Makes ids begin again.
    """

    contents: Contents
    gate: PandaProbeGate
    api_key: str = attrs.field(repr=False)
    project_name: str
    rewinding: Rewinding
    service: str = attrs.field(default="PandaProbe", init=False)

    @property
    def seed(self) -> int:
        """What scores follow from."""
        return self.contents.service.seed

    @property
    def rules(self) -> PandaProbeRules:
        """How the service behaves."""
        return self.contents.service.rules

    def overview(self) -> Sequence[Table]:
        """The projects, the runs of the emulator's own project by status, and all scores by status."""
        store, now = self.contents.service.store, self.contents.service.clock.seconds()
        runs = Counter(run.status for run in self.contents.runs.in_project(self.contents.project_id))
        counted = ("status", "count")
        return (
            Table(
                name="projects",
                columns=("name", "id", "sessions", "traces"),
                rows=tuple(store.rows(_PROJECTS)),
            ),
            Table(name="runs", columns=counted, rows=tuple(sorted(runs.items()))),
            Table(name="scores", columns=counted, rows=tuple(store.rows(_SCORES, (now,)))),
        )

    async def fill(self, sessions: int, turns: int) -> Mapping[str, object]:
        """Add sessions to the project.

        Raises:
            ValueError: They are to have no turns.
        """
        if turns < 1:
            raise ValueError("a session consists of its turns, so it has at least one")
        return {
            "projectName": self.project_name,
            "sessionIds": await self.contents.add_sessions(sessions, turns),
        }

    def start_anew(self) -> None:
        """Delete all data, and draw the same ids again as after the start."""
        service = self.contents.service
        service.store.clear()
        service.store.change(
            "INSERT INTO projects (id, name) VALUES (?, ?)", (self.contents.project_id, self.project_name)
        )
        service.planner = Planner(service.rules)
        service.windows = FixedWindows(loop=service.clock.loop, seconds=service.rules.window)
        self.gate.api_keys.add(self.api_key)
        self.rewinding.rewind()
