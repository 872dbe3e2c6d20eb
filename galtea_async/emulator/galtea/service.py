"""What the handlers of all routes share."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.clock import ServerClock
from galtea_async.emulator.galtea.credits import Credits
from galtea_async.emulator.galtea.rules import EmulatorRules
from galtea_async.emulator.galtea.scoring import Judge
from galtea_async.emulator.galtea.wire import Answer, Page
from galtea_async.emulator.identifiers import Identifiers
from galtea_async.emulator.queries import ListingOptions, Selection
from galtea_async.emulator.replies import Problem, Reply, json_reply
from galtea_async.emulator.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from galtea_async.emulator.queries import Listing
    from galtea_async.emulator.routes import Call
    from galtea_async.emulator.store import Row

__all__ = ["Service"]

_NEWER_PARAMETERS = frozenset(
    {
        "commentLabels",
        "humanScoreGt",
        "humanScoreGte",
        "humanScoreLt",
        "humanScoreLte",
        "includeExcludedFromAnalytics",
        "involvedInRunIds",
        "metricGroupIds",
        "monitorAlertIds",
        "monitorIds",
        "passed",
        "runIds",
        "scoreGt",
        "scoreGte",
        "scoreLt",
        "scoreLte",
        "userIds",
    }
)
_PARAMETERS_OF_RUNS = frozenset({"runIds", "involvedInRunIds"})


@attrs.frozen(kw_only=True, eq=False)
class Service:
    """The emulated service behind its routes.

    Attributes:
        store: Its memory.
        clock: Its time.
        rules: How it behaves where its documents are silent.
        identifiers: Where ids come from.
        judge: Decides how evaluations end.
        credits: What is left to spend.
        chance: Decides what is left open, such as the order of rows that nothing sorts.
    """

    store: Store
    clock: ServerClock
    rules: EmulatorRules
    identifiers: Identifiers
    judge: Judge
    credits: Credits
    chance: Random

    def listing(self, listing: Listing) -> Listing:
        """A list route's parameters, as far as this service knows them."""
        unknown = _NEWER_PARAMETERS if self.rules.first_filters_only else frozenset[str]()
        return listing.without(unknown if self.rules.runs else unknown | _PARAMETERS_OF_RUNS)

    def select(self, listing: Listing, call: Call) -> Selection:
        """Read a call's query string.

        Raises:
            Problem: With status 400, when something is wrong with it.
        """
        options = ListingOptions(
            default_limit=self.rules.default_limit,
            max_page=self.rules.max_page,
            salt=self.salt(),
        )
        return self.listing(listing).read(call.query, options)

    def page(self, selection: Selection, table: str, answers: Sequence[Answer]) -> Reply:
        """Answer with a page of a list that older services wrap.

        Args:
            selection: What was asked for.
            table: Where the rows are.
            answers: The rows of the page.
        """
        if self.rules.session_envelope == "array":
            return json_reply(200, answers)
        count = f"SELECT count(*) FROM {table} WHERE {selection.where}"  # noqa: S608 - our own names
        return json_reply(
            200,
            Page(
                data=answers,
                total=self.store.value(count, selection.parameters),
                page=1 + selection.offset // max(1, selection.limit),
                limit=selection.limit,
            ),
        )

    def salt(self) -> int:
        """The salt that puts unsorted rows into the order of this answer; 1 for the stable order."""
        return 1 if self.rules.order == "stable" else self.chance.randrange(3, 2**31 - 1)

    def insert(self, entity: str, table: str, values: Mapping[str, object]) -> str:
        """Add a row, created now, and return the id that it has got."""
        identifier = self.identifiers.new(entity)
        row: dict[str, object] = {
            "id": identifier,
            "created_at": self.clock.timestamp(),
            "place": self.identifiers.place(),
            **values,
        }
        marks = ", ".join("?" * len(row))
        statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - our own names
        self.store.change(statement, tuple(row.values()))
        return identifier

    def change(self, table: str, identifier: str, changes: Mapping[str, object]) -> None:
        """Set columns of one row. Nothing to set is nothing to do."""
        if changes:
            assignments = ", ".join(f"{column} = ?" for column in changes)
            statement = f"UPDATE {table} SET {assignments} WHERE id = ?"  # noqa: S608 - our own names
            self.store.change(statement, (*changes.values(), identifier))

    def row(self, entity: str, identifier: str, select: str, parameters: Sequence[object]) -> Row:
        """Fetch one row.

        Raises:
            Problem: With status 404, when there is none.
        """
        row = self.store.row(select, parameters)
        if row is None:
            raise Problem(404, f"{entity} {identifier} not found")
        return row
