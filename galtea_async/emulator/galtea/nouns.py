"""The nouns of the catalogue (products, versions, metrics, ...): how each is listed, fetched and deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.galtea import catalogue_wire as shapes
from galtea_async.emulator.galtea.wire import Answer, columns
from galtea_async.emulator.queries import Filter, Listing, boolean, created_between, one_of
from galtea_async.emulator.replies import Reply, json_reply
from galtea_async.emulator.store import Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.routes import Call

__all__ = [
    "METRICS",
    "METRICS_OF_SPECIFICATION",
    "PRODUCTS",
    "SPECIFICATIONS",
    "TESTS",
    "TESTS_OF_SPECIFICATION",
    "TEST_CASES",
    "VERSIONS",
    "Linked",
    "Noun",
]

_SORTABLE = {"createdAt": "created_at", "name": "name"}


@attrs.frozen(kw_only=True)
class Noun:
    """A kind of object of the catalogue.

    Attributes:
        path: Where it is served, without slashes.
        tag: What people call several of it.
        table: Its table.
        listing: The parameters of its list.
        answer: Its shape in answers.
        read: Turns a row into an answer.
        computed: Columns of the answer that no column of the table holds, with a comma behind each.
    """

    path: str
    tag: str
    table: str
    listing: Listing
    answer: type[Answer]
    read: Callable[[Row], object]
    computed: str = ""

    @property
    def select(self) -> str:
        """The query for its rows, without conditions."""
        rows = f"(SELECT {self.computed} {self.table}.* FROM {self.table})"  # noqa: S608 - constants only
        return f"SELECT {columns(self.answer)} FROM {rows}"  # noqa: S608

    def find(self, service: Service, call: Call) -> Reply:
        """Answer with a page of the list."""
        rows = service.select(self.listing, call).rows(service.store, self.select)
        return json_reply(200, [self.read(row) for row in rows])

    def get(self, service: Service, call: Call) -> Reply:
        """Answer with one object."""
        return json_reply(200, self.one(service, call.path["id"]))

    def delete(self, service: Service, call: Call) -> Reply:
        """Delete one object; what belongs to it stays."""
        self.one(service, call.path["id"])
        service.change(self.table, call.path["id"], {"deleted_at": service.clock.timestamp()})
        return Reply(status=204, content_type="")

    def one(self, service: Service, identifier: str) -> object:
        """One object.

        Raises:
            Problem: With status 404, when there is none.
        """
        statement = f"{self.select} WHERE id = ? AND deleted_at IS NULL"
        return self.read(service.row(self.listing.entity, identifier, statement, (identifier,)))


@attrs.frozen(kw_only=True)
class Linked:
    """The objects of one kind that are linked to specifications.

    Attributes:
        noun: The kind.
        table: The table of the links.
        column: Its column with the ids of the linked objects.
    """

    noun: Noun
    table: str
    column: str

    def find(self, service: Service, call: Call) -> Reply:
        """Answer with all that are linked to one specification."""
        SPECIFICATIONS.one(service, call.path["id"])
        linked = f"SELECT {self.column} FROM {self.table} WHERE specification_id = ?"  # noqa: S608 - constants only
        statement = (
            f"{self.noun.select} WHERE id IN ({linked}) AND deleted_at IS NULL ORDER BY created_at, place"
        )
        rows = service.store.rows(statement, (call.path["id"],))
        return json_reply(200, [self.noun.read(row) for row in rows])

    def link(self, service: Service, specification_id: str, identifiers: Iterable[str]) -> None:
        """Link objects to a specification; what is linked already stays so.

        Raises:
            Problem: With status 404, when one of them does not exist. Nothing is linked then.
        """
        wanted = list(identifiers)
        for identifier in wanted:
            self.noun.one(service, identifier)
        service.store.change_many(
            f"INSERT OR IGNORE INTO {self.table} (specification_id, {self.column}) VALUES (?, ?)",  # noqa: S608
            ((specification_id, identifier) for identifier in wanted),
        )

    def unlink(self, service: Service, specification_id: str, identifiers: Iterable[str]) -> None:
        """Take objects off a specification; what is not linked stays so."""
        service.store.change_many(
            f"DELETE FROM {self.table} WHERE specification_id = ? AND {self.column} = ?",  # noqa: S608
            ((specification_id, identifier) for identifier in identifiers),
        )


PRODUCTS = Noun(
    path="products",
    tag="Products",
    table="products",
    answer=shapes.ProductAnswer,
    read=shapes.product,
    listing=Listing(
        entity="Product",
        filters=(one_of("ids", "id"), one_of("names", "name"), *created_between()),
        sortable=_SORTABLE,
    ),
)
VERSIONS = Noun(
    path="versions",
    tag="Versions",
    table="versions",
    answer=shapes.VersionAnswer,
    read=shapes.version,
    listing=Listing(
        entity="Version",
        filters=(
            one_of("ids", "id"),
            one_of("productIds", "product_id"),
            one_of("names", "name"),
            one_of("parentVersionIds", "parent_version_id"),
            *created_between(),
        ),
        sortable={**_SORTABLE, "number": "number"},
    ),
)
METRICS = Noun(
    path="metrics",
    tag="Metrics",
    table="metrics",
    answer=shapes.MetricAnswer,
    read=shapes.metric,
    listing=Listing(
        entity="Metric",
        filters=(
            one_of("ids", "id"),
            one_of("names", "name"),
            Filter(
                name="tags",
                condition="EXISTS (SELECT 1 FROM json_each(?) AS wanted, json_each(tags) AS own"
                " WHERE own.value = wanted.value)",
                about="It has one of these tags",
            ),
            one_of("productIds", "product_id"),
            Filter(
                name="specificationIds",
                condition="id IN (SELECT metric_id FROM specification_metrics"
                " WHERE specification_id IN (SELECT value FROM json_each(?)))",
                about="It is linked to one of these specifications",
            ),
            one_of("sources", "source"),
            boolean("includeLegacy", "? OR legacy_at IS NULL", about="false leaves out what has a successor"),
            boolean(
                "includeExcludedFromAnalytics",
                "? OR excluded_from_analytics_at IS NULL",
                about="false leaves out what analytics leave out",
            ),
            *created_between(),
        ),
        sortable=_SORTABLE,
    ),
)
SPECIFICATIONS = Noun(
    path="specifications",
    tag="Specifications",
    table="specifications",
    answer=shapes.SpecificationAnswer,
    read=shapes.specification,
    computed="(SELECT json_group_array(metric_id) FROM specification_metrics WHERE specification_id = id)"
    " AS metric_ids,",
    listing=Listing(
        entity="Specification",
        filters=(
            one_of("ids", "id"),
            one_of("productIds", "product_id"),
            one_of("types", "type", choices=("CAPABILITY", "INABILITY", "POLICY")),
            one_of("testTypes", "test_type"),
            Filter(name="name", condition="name = ?", kind="text"),
            *created_between(),
        ),
        sortable=_SORTABLE,
    ),
)
TESTS = Noun(
    path="tests",
    tag="Datasets",
    table="tests",
    answer=shapes.TestAnswer,
    read=shapes.test,
    computed="(SELECT json_group_array(specification_id) FROM specification_tests WHERE test_id = id)"
    " AS specification_ids,",
    listing=Listing(
        entity="Test",
        filters=(
            one_of("ids", "id"),
            one_of("productIds", "product_id"),
            one_of("names", "name"),
            one_of("types", "type"),
            *created_between(),
        ),
        sortable=_SORTABLE,
    ),
)
TEST_CASES = Noun(
    path="testCases",
    tag="Test cases",
    table="test_cases",
    answer=shapes.TestCaseAnswer,
    read=shapes.test_case,
    listing=Listing(
        entity="TestCase",
        filters=(
            one_of("ids", "id"),
            one_of("testIds", "test_id"),
            boolean("includeLegacy", "? IS NOT NULL"),  # no test case here is a legacy one
            *created_between(),
        ),
        sortable={"createdAt": "created_at"},
    ),
)

METRICS_OF_SPECIFICATION = Linked(noun=METRICS, table="specification_metrics", column="metric_id")
TESTS_OF_SPECIFICATION = Linked(noun=TESTS, table="specification_tests", column="test_id")
