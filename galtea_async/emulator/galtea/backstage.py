"""Galtea from behind: what the console shows and changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.console import Table
from galtea_async.emulator.galtea import evaluations
from galtea_async.emulator.galtea.contents import Contents
from galtea_async.emulator.galtea.gate import GalteaGate
from galtea_async.emulator.rewinding import Rewinding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from galtea_async.emulator.galtea.rules import EmulatorRules

__all__ = ["GalteaBackstage"]

_VERSIONS = """
SELECT v.id, v.name, p.name, coalesce(s.number, 0), coalesce(e.number, 0)
FROM versions AS v JOIN products AS p ON p.id = v.product_id
LEFT JOIN (
    SELECT version_id, count(*) AS number FROM sessions WHERE deleted_at IS NULL GROUP BY version_id
) AS s ON s.version_id = v.id
LEFT JOIN (
    SELECT version_id, count(*) AS number FROM evaluations WHERE deleted_at IS NULL GROUP BY version_id
) AS e ON e.version_id = v.id
WHERE v.deleted_at IS NULL ORDER BY v.rowid DESC LIMIT 50
"""
_SESSIONS = "SELECT status, count(*) FROM sessions WHERE deleted_at IS NULL GROUP BY status ORDER BY status"
_EVALUATIONS = (
    f"SELECT status, count(*) FROM {evaluations.ROWS}"  # noqa: S608 - constants only
    " WHERE deleted_at IS NULL GROUP BY status ORDER BY status"
)


@attrs.frozen(kw_only=True, eq=False)
class GalteaBackstage:
    """Looks into a service, fills and empties it.

    Attributes:
        contents: What it holds.
        gate: Who may come in.
        api_key: The key of the member of the organization whose contents they are.
        seed: What ids, scores and orders follow from.
        rewinding: Makes ids and orders begin again.
    """

    contents: Contents
    gate: GalteaGate
    api_key: str = attrs.field(repr=False)
    seed: int
    rewinding: Rewinding
    service: str = attrs.field(default="Galtea", init=False)

    @property
    def rules(self) -> EmulatorRules:
        """How the service behaves."""
        return self.contents.service.rules

    def overview(self) -> Sequence[Table]:
        """The newest versions, and how many sessions and evaluations have which status."""
        now = self.contents.service.clock.timestamp()
        return (
            self._table("versions", ("id", "name", "product", "sessions", "evaluations"), _VERSIONS),
            self._table("sessions", ("status", "count"), _SESSIONS),
            self._table("evaluations", ("status", "count"), _EVALUATIONS, now),
        )

    async def fill(self, sessions: int, turns: int) -> Mapping[str, object]:
        """Add a version, of a product of its own, with sessions."""
        version_id = self.contents.catalogue.add_version(self.contents.add_furnished_product(), None)
        session_ids = await self.contents.add_sessions(version_id, sessions, turns, None)
        return {"versionId": version_id, "sessionIds": session_ids}

    def start_anew(self) -> None:
        """Delete all data, and draw the same ids again as after the start."""
        self.contents.service.store.clear()
        self.contents.service.credits.remaining = None
        self.gate.keys.clear()
        self.gate.keys[self.api_key] = self.contents.user_id
        self.rewinding.rewind()

    def _table(self, name: str, columns: tuple[str, ...], query: str, *parameters: str) -> Table:
        rows = self.contents.service.store.rows(query, parameters)
        return Table(name=name, columns=columns, rows=tuple(rows))
