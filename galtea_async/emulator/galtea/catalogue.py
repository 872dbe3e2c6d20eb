"""Products, versions, specifications, metrics and test cases, as tests and demonstrations add them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.galtea import versions
from galtea_async.emulator.galtea.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from galtea_async.emulator.galtea.scoring import MetricSource

__all__ = ["Catalogue"]

_INPUT = '{"user_message":"What does the test case ask?"}'
_CONTEXT = '{"value":"Context of the test case"}'
_EXPECTED_OUTPUT = "What the test case expects."


@attrs.frozen(eq=False)
class Catalogue:
    """Adds to the catalogue."""

    service: Service

    def add_product(self, name: str | None = None) -> str:
        """Add a product and return its id."""
        title = name or f"Product {self._next_number('products')}"
        values = {"name": title, "description": f"{title}, made by the emulator"}
        return self.service.insert("product", "products", values)

    def add_version(self, product_id: str, name: str | None = None) -> str:
        """Add a version to a product and return its id."""
        self._require("products", product_id)
        return versions.add(self.service, product_id, name)

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
        values = {
            "product_id": product_id,
            "name": name or f"Metric {self._next_number('metrics')}",
            "source": source,
            "pass_threshold": 0.5,
            "excluded_from_analytics_at": self.service.clock.timestamp() if excluded_from_analytics else None,
        }
        return self.service.insert("metric", "metrics", values)

    def add_specification(self, product_id: str, metric_ids: Iterable[str], test_ids: Iterable[str]) -> str:
        """Add a specification, linked to metrics and tests, and return its id."""
        self._require("products", product_id)
        name = f"Specification {self._next_number('specifications')}"
        values = {"product_id": product_id, "name": name, "description": name, "type": "CAPABILITY"}
        identifier = self.service.insert("specification", "specifications", values)
        store = self.service.store
        store.change_many(
            "INSERT INTO specification_metrics VALUES (?, ?)",
            ((identifier, metric_id) for metric_id in metric_ids),
        )
        tests = list(test_ids)
        store.change_many(
            "INSERT INTO specification_tests VALUES (?, ?)", ((identifier, one) for one in tests)
        )
        for test_id in tests:
            self._add_test_unless_known(test_id, product_id)
        return identifier

    def add_test_case(self, test_id: str | None) -> str:
        """Add a test case to a test (a new one by default) and return its id."""
        known_as = test_id or self.service.identifiers.new("test")
        self._add_test_unless_known(known_as, None)
        values = {
            "test_id": known_as,
            "expected_output": _EXPECTED_OUTPUT,
            "input": _INPUT,
            "context": _CONTEXT,
        }
        return self.service.insert("testCase", "test_cases", values)

    def _add_test_unless_known(self, test_id: str, product_id: str | None) -> None:
        if self.service.store.row("SELECT 1 FROM tests WHERE id = ?", (test_id,)) is None:
            name = f"Test {self._next_number('tests')}"
            values = {"id": test_id, "product_id": product_id, "name": name, "type": "ACCURACY"}
            self.service.insert("test", "tests", values)

    def _next_number(self, table: str) -> int:
        statement = f"SELECT count(*) FROM {table}"  # noqa: S608 - our own names
        return 1 + int(self.service.store.value(statement))

    def require_version(self, version_id: str) -> None:
        """See that there is a version.

        Raises:
            LookupError: There is none of that id.
        """
        self._require("versions", version_id)

    def _require(self, table: str, identifier: str) -> None:
        if self.service.store.row(f"SELECT 1 FROM {table} WHERE id = ?", (identifier,)) is None:  # noqa: S608
            raise LookupError(f"the emulator has no {identifier!r} among its {table}")
