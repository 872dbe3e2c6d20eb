"""Products, versions, specifications, metrics and test cases: filled by tests, read over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.galtea import wire
from galtea_async.emulator.galtea.service import Service
from galtea_async.emulator.queries import Filter, Listing, boolean, created_between, nothing, one_of
from galtea_async.emulator.replies import Reply, json_reply
from galtea_async.emulator.store import Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from galtea_async.emulator.galtea.scoring import MetricSource
    from galtea_async.emulator.routes import Call

__all__ = ["METRICS", "PRODUCTS", "SPECIFICATIONS", "SPECIFICATION_ROWS", "VERSIONS", "Catalogue", "Noun"]

_SORTABLE = {"createdAt": "created_at", "name": "name"}
PRODUCTS = Listing(
    entity="Product",
    filters=(one_of("ids", "id"), one_of("names", "name"), *created_between()),
    sortable=_SORTABLE,
)
VERSIONS = Listing(
    entity="Version",
    filters=(
        one_of("ids", "id"),
        one_of("productIds", "product_id"),
        one_of("names", "name"),
        nothing("parentVersionIds"),  # no version here has a parent
        *created_between(),
    ),
    sortable={**_SORTABLE, "number": "number"},
)
METRICS = Listing(
    entity="Metric",
    filters=(
        one_of("ids", "id"),
        one_of("names", "name"),
        nothing("tags"),  # no metric here has a tag
        one_of("productIds", "product_id"),
        Filter(
            name="specificationIds",
            condition="id IN (SELECT metric_id FROM specification_metrics"
            " WHERE specification_id IN (SELECT value FROM json_each(?)))",
        ),
        one_of("sources", "source"),
        boolean("includeLegacy", "? OR legacy_at IS NULL"),
        boolean("includeExcludedFromAnalytics", "? OR excluded_from_analytics_at IS NULL"),
        *created_between(),
    ),
    sortable=_SORTABLE,
)
SPECIFICATIONS = Listing(
    entity="Specification",
    filters=(
        one_of("ids", "id"),
        one_of("productIds", "product_id"),
        one_of("names", "name"),
        one_of("types", "type", choices=("CAPABILITY", "INABILITY", "POLICY")),
        *created_between(),
    ),
    sortable=_SORTABLE,
)

SPECIFICATION_ROWS = """(
    SELECT *, (SELECT json_group_array(metric_id) FROM specification_metrics WHERE specification_id = id) AS
    metric_ids FROM specifications
)"""


@attrs.frozen(kw_only=True)
class Noun:
    """A kind of object that is only read: how it is listed, fetched and written.

    Attributes:
        listing: Its list's parameters.
        table: Where its rows are.
        answer: Its shape in answers.
        read: Turns a row into an answer.
    """

    listing: Listing
    table: str
    answer: type[wire.Answer]
    read: Callable[[Row], object]

    @property
    def select(self) -> str:
        """The query for its rows, without conditions."""
        return f"SELECT {wire.columns(self.answer)} FROM {self.table}"  # noqa: S608 - constants only

    def find(self, service: Service, call: Call) -> Reply:
        """Answer with a page of the list."""
        rows = service.select(self.listing, call).rows(service.store, self.select)
        return json_reply(200, [self.read(row) for row in rows])

    def get(self, service: Service, call: Call) -> Reply:
        """Answer with one object."""
        identifier = call.path["id"]
        statement = f"{self.select} WHERE id = ? AND deleted_at IS NULL"
        return json_reply(
            200, self.read(service.row(self.listing.entity, identifier, statement, (identifier,)))
        )


@attrs.frozen(eq=False)
class Catalogue:
    """Adds to the catalogue."""

    service: Service

    def add_product(self, name: str | None = None) -> str:
        """Add a product and return its id."""
        identifier = self.service.identifiers.new("product")
        title = name or f"Product {self._next_number('products')}"
        self._insert("products", id=identifier, name=title, description=f"{title}, made by the emulator")
        return identifier

    def add_version(self, product_id: str, name: str | None = None) -> str:
        """Add a version to a product and return its id."""
        self._require("products", product_id)
        identifier = self.service.identifiers.new("version")
        number = 1 + self.service.store.value(
            "SELECT count(*) FROM versions WHERE product_id = ?", (product_id,)
        )
        self._insert(
            "versions", id=identifier, product_id=product_id, name=name or f"v{number}", number=number
        )
        return identifier

    def add_metric(
        self,
        product_id: str | None,
        name: str | None = None,
        source: MetricSource = "FULL_PROMPT",
        *,
        excluded_from_analytics: bool = False,
    ) -> str:
        """Add a metric, of one product or of all, and return its id."""
        if product_id is not None:
            self._require("products", product_id)
        identifier = self.service.identifiers.new("metric")
        self._insert(
            "metrics",
            id=identifier,
            product_id=product_id,
            name=name or f"Metric {self._next_number('metrics')}",
            source=source,
            pass_threshold=0.5,
            excluded_from_analytics_at=self.service.clock.timestamp() if excluded_from_analytics else None,
        )
        return identifier

    def add_specification(self, product_id: str, metric_ids: Iterable[str], test_ids: Iterable[str]) -> str:
        """Add a specification, linked to metrics and tests, and return its id."""
        self._require("products", product_id)
        identifier = self.service.identifiers.new("specification")
        name = f"Specification {self._next_number('specifications')}"
        self._insert(
            "specifications",
            id=identifier,
            product_id=product_id,
            name=name,
            description=name,
            type="CAPABILITY",
        )
        store = self.service.store
        store.change_many(
            "INSERT INTO specification_metrics VALUES (?, ?)",
            ((identifier, metric_id) for metric_id in metric_ids),
        )
        store.change_many(
            "INSERT INTO specification_tests VALUES (?, ?)", ((identifier, test) for test in test_ids)
        )
        return identifier

    def add_test_case(self, test_id: str | None) -> str:
        """Add a test case to a test (a new one by default) and return its id."""
        identifier = self.service.identifiers.new("testCase")
        self.service.store.change(
            "INSERT INTO test_cases VALUES (?, ?, ?)",
            (
                identifier,
                test_id or self.service.identifiers.new("test"),
                '{"value":"Context of the test case"}',
            ),
        )
        return identifier

    def _insert(self, table: str, **values: object) -> None:
        values |= {"created_at": self.service.clock.timestamp(), "place": self.service.identifiers.place()}
        marks = ", ".join("?" * len(values))
        statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"  # noqa: S608 - our own names
        self.service.store.change(statement, tuple(values.values()))

    def _next_number(self, table: str) -> int:
        statement = f"SELECT count(*) FROM {table}"  # noqa: S608 - our own names
        return 1 + int(self.service.store.value(statement))

    def _require(self, table: str, identifier: str) -> None:
        if self.service.store.row(f"SELECT 1 FROM {table} WHERE id = ?", (identifier,)) is None:  # noqa: S608
            raise LookupError(f"the emulator has no {identifier!r} among its {table}")
