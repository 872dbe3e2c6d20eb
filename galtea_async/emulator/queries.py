"""From a query string to SQL: the parameters a list route knows, checked and translated.

Each list route has one `Listing`, a table of its parameters. Reading a query string against it gives a
`Selection`: conditions, order and page, ready to be appended to the route's `SELECT`.

How query strings are read:

* An array is sent as `k=a&k=b` or as `k[]=a&k[]=b`. A comma separates nothing.
* `sort` holds pairs of a field and a direction, one after the other.
* An empty string is a value. For tests it stands for "without a test".

Which parameters a route knows is checked before (see `gate`): here arrive only those.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.clock import timestamp
from galtea_async.emulator.parameters import FROM_WHERE, HOW_MANY, Kind, Parameter, plain_name
from galtea_async.emulator.replies import Problem
from galtea_async.emulator.store import json_array

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from galtea_async.emulator.store import Row, Store

__all__ = [
    "Filter",
    "Listing",
    "ListingOptions",
    "Selection",
    "boolean",
    "created_between",
    "moment",
    "none_of",
    "nothing",
    "one_of",
]

_VALUES = "(SELECT value FROM json_each(?))"
"""The values of a parameter, bound as one JSON array."""

_DIRECTIONS = ("asc", "desc")
_ALSO = "true keeps what is left out otherwise"
_LARGEST_INTEGER = 2**53 - 1


@attrs.frozen(kw_only=True)
class Filter:
    """One query parameter and the condition that it sets.

    Attributes:
        name: The parameter's name.
        condition: SQL with one `?`. For strings it is bound to a JSON array, for a boolean to 0 or 1.
        kind: How its values are read.
        choices: The values it takes, where only some are allowed.
        most: How many values it takes.
        about: What it means, where its name does not say it.
    """

    name: str
    condition: str
    kind: Kind = "strings"
    choices: tuple[str, ...] = ()
    most: int | None = None
    about: str = ""

    @property
    def declared(self) -> Parameter:
        """The parameter without its condition."""
        return Parameter(
            name=self.name, kind=self.kind, choices=self.choices, most=self.most, about=self.about
        )

    def parameter(self, values: Sequence[str]) -> object:
        """Translate the values sent into what is bound to the condition's `?`."""
        if self.kind == "strings":
            self._check_strings(values)
            return json_array(values)
        if len(values) > 1:
            raise Problem(400, f"{self.name} takes a single value")
        return _SCALARS[self.kind](self.name, values[0])

    def _check_strings(self, values: Sequence[str]) -> None:
        if self.most is not None and len(values) > self.most:
            raise Problem(400, f"{self.name} takes at most {self.most} values")
        wrong = [value for value in values if self.choices and value not in self.choices]
        if wrong:
            raise Problem(
                400, f"Invalid {self.name}: {', '.join(wrong)}. Accepted: {', '.join(self.choices)}"
            )


def one_of(name: str, column: str, choices: tuple[str, ...] = (), *, about: str = "") -> Filter:
    """A parameter that keeps the rows whose column is one of the values."""
    return Filter(name=name, condition=f"{column} IN {_VALUES}", choices=choices, about=about)


def none_of(name: str, column: str, *, about: str = "") -> Filter:
    """A parameter that keeps the rows whose column is none of the values."""
    return Filter(name=name, condition=f"{column} NOT IN {_VALUES}", about=about)


def nothing(name: str, *, most: int | None = None) -> Filter:
    """A parameter about something that no row here has: with it, the list is empty."""
    return Filter(name=name, condition="? IS NULL", most=most)


def boolean(name: str, condition: str, *, about: str = "") -> Filter:
    """A parameter that is `true` or `false`."""
    return Filter(name=name, condition=condition, kind="boolean", about=about)


def created_between(column: str = "created_at") -> tuple[Filter, Filter]:
    """The two parameters that bound the time of creation, both ends included."""
    return (
        Filter(
            name="fromCreatedAt",
            condition=f"{column} >= ?",
            kind="moment",
            about="Created at this time or later, such as 2026-01-31T12:00:00Z",
        ),
        Filter(
            name="toCreatedAt",
            condition=f"{column} <= ?",
            kind="moment",
            about="Created at this time or earlier",
        ),
    )


@attrs.frozen(kw_only=True)
class ListingOptions:
    """What the rules of the server say about all lists.

    Attributes:
        default_limit: The rows of an answer when the caller sets no limit.
        max_page: The most rows of an answer whatever limit is set; `None` for no such bound.
        salt: Turns the places of rows into another order; 1 keeps them.
    """

    default_limit: int = 10_000
    max_page: int | None = None
    salt: int = 1


@attrs.frozen(kw_only=True)
class Selection:
    """A query string, translated.

    Attributes:
        where: The conditions, joined; each `?` in it has its parameter.
        parameters: The parameters of the conditions.
        order: The columns by which to sort.
        salt: See `ListingOptions`.
        limit: How many rows at most.
        offset: How many rows to skip.
        ids: The ids asked for by the parameter `ids`, empty when it is absent.
        entity: What the rows are, for messages.
    """

    where: str
    parameters: tuple[object, ...]
    order: str
    salt: int
    limit: int
    offset: int
    ids: tuple[str, ...]
    entity: str

    def rows(self, store: Store, select: str, *leading: object) -> list[Row]:
        """Fetch the page of a `SELECT` without conditions; the first column must be the id.

        Args:
            store: Where to fetch from.
            select: The statement up to and without its `WHERE`.
            leading: The parameters of the statement itself.

        Raises:
            Problem: With status 404, when the parameter `ids` names rows that are not on the page.
        """
        statement = (
            f"{select} WHERE {self.where} ORDER BY {self.order}(place * ?) % 2147483647 LIMIT ? OFFSET ?"
        )
        rows = store.rows(statement, (*leading, *self.parameters, self.salt, self.limit, self.offset))
        if self.ids:
            found = {row[0] for row in rows}
            missing = [identifier for identifier in dict.fromkeys(self.ids) if identifier not in found]
            if missing:
                raise Problem(404, f"{self.entity}s not found: {', '.join(missing)}")
        return rows


@attrs.frozen(kw_only=True)
class Listing:
    """The query parameters of a list route.

    Attributes:
        entity: What the rows are, for messages.
        filters: The parameters that select rows.
        sortable: The columns by the names under which they can be sorted.
        always: A condition on every row that no parameter lifts.
        unless_given: Conditions that hold while their parameter is absent or `false`, by parameter. Given as
            `true`, the parameter lifts the condition.
    """

    entity: str
    filters: tuple[Filter, ...]
    sortable: Mapping[str, str]
    always: str = "deleted_at IS NULL"
    unless_given: Mapping[str, str] = attrs.field(factory=dict[str, str])

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that the route knows, for a description of it."""
        sorting = (*self.sortable, *_DIRECTIONS)
        return (
            *(known.declared for known in self.filters),
            *(Parameter(name=name, kind="boolean", about=_ALSO) for name in self.unless_given),
            Parameter(
                name="sort", choices=sorting, about="A field and then asc or desc, or several such pairs"
            ),
            Parameter(name="limit", kind="whole", most=_LARGEST_INTEGER, about=HOW_MANY),
            Parameter(name="offset", kind="whole", most=_LARGEST_INTEGER, about=FROM_WHERE),
        )

    def without(self, names: frozenset[str]) -> Listing:
        """The same list on a service that does not know some of the parameters yet."""
        return attrs.evolve(
            self,
            filters=tuple(known for known in self.filters if known.name not in names),
            unless_given={
                name: condition for name, condition in self.unless_given.items() if name not in names
            },
        )

    def read(self, query: Sequence[tuple[str, str]], options: ListingOptions) -> Selection:
        """Check a query string and translate it.

        Raises:
            Problem: With status 400, saying what is wrong with it.
        """
        values = _grouped(query)
        given = [(known, values[known.name]) for known in self.filters if known.name in values]
        conditions = [self.always, *(known.condition for known, _ in given), *self._conditions_left(values)]
        return Selection(
            where=" AND ".join(f"({condition})" for condition in conditions),
            parameters=tuple(known.parameter(sent) for known, sent in given),
            order=self._order(values.get("sort", ())),
            salt=options.salt,
            limit=_limit(values, options),
            offset=_integer("offset", values.get("offset", ("0",))),
            ids=tuple(values.get("ids", ())),
            entity=self.entity,
        )

    def _conditions_left(self, values: Mapping[str, Sequence[str]]) -> list[str]:
        return [
            condition
            for name, condition in self.unless_given.items()
            if name not in values or not _truth(name, values[name][-1])
        ]

    def _order(self, sort: Sequence[str]) -> str:
        if len(sort) % 2:
            raise Problem(400, "sort takes pairs of a field and a direction")
        terms: list[str] = []
        for field, direction in zip(sort[::2], sort[1::2], strict=True):
            if field not in self.sortable:
                raise Problem(400, f"Cannot sort by {field}. Accepted: {', '.join(sorted(self.sortable))}")
            if direction.lower() not in _DIRECTIONS:
                raise Problem(400, f"Invalid sort direction {direction}. Accepted: asc, desc")
            terms.append(f"{self.sortable[field]} {direction.upper()}, ")
        return "".join(terms)


def moment(name: str, text: str) -> str:
    """Read a time in ISO 8601 and write it as the store keeps times; without an offset it is UTC."""
    try:
        parsed = datetime.fromisoformat(text)
        return timestamp(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
    except (ValueError, OverflowError):  # the latter where it is outside the years 1 to 9999 in UTC
        raise Problem(400, f"{name} must be a date in ISO 8601, not {text!r}") from None


def _grouped(query: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, value in query:
        values.setdefault(plain_name(key), []).append(value)
    return values


def _limit(values: Mapping[str, Sequence[str]], options: ListingOptions) -> int:
    limit = _integer("limit", values["limit"]) if "limit" in values else options.default_limit
    return limit if options.max_page is None else min(limit, options.max_page)


def _integer(name: str, values: Sequence[str]) -> int:
    text = values[-1]
    if not (text.isascii() and text.isdecimal()) or int(text) > _LARGEST_INTEGER:
        raise Problem(400, f"{name} must be a whole number of at least 0, not {text!r}")
    return int(text)


def _truth(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise Problem(400, f"{name} must be true or false, not {text!r}")
    return text == "true"


def _share(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise Problem(400, f"{name} must be a number, not {text!r}") from None
    if not 0 <= value <= 1:
        raise Problem(400, f"{name} must be between 0 and 1")
    return value


def _text(_name: str, text: str) -> str:
    return text


_SCALARS: Mapping[Kind, Callable[[str, str], object]] = {
    "boolean": _truth,
    "moment": moment,
    "share": _share,
    "text": _text,
}
