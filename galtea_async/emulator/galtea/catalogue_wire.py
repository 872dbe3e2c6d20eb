"""What the service sends of its catalogue: the shapes of answers, and rows turned into them (see `wire`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from galtea_async.emulator.galtea.wire import ORGANIZATION_ID, Answer, Moment, RawObject, RawStrings, raw

if TYPE_CHECKING:
    from galtea_async.emulator.store import Row

__all__ = [
    "MetricAnswer",
    "ProductAnswer",
    "SpecificationAnswer",
    "TestAnswer",
    "TestCaseAnswer",
    "VersionAnswer",
    "metric",
    "product",
    "specification",
    "test",
    "test_case",
    "version",
]


class ProductAnswer(Answer):
    """A product."""

    id: str
    name: str
    description: str
    created_at: Moment
    deleted_at: Moment | None
    organization_id: str = ORGANIZATION_ID


class VersionAnswer(Answer):
    """A version of a product."""

    id: str
    product_id: str
    name: str
    number: int
    description: str | None
    system_prompt: str | None
    model_id: str | None
    dataset_description: str | None
    dataset_uri: str | None
    guardrails: str | None
    parent_version_id: str | None
    created_at: Moment
    deleted_at: Moment | None
    facts: RawObject


class MetricAnswer(Answer):
    """A metric."""

    id: str
    product_id: str | None
    name: str
    source: str
    description: str | None
    judge_prompt: str | None
    evaluator_model_name: str | None
    pass_threshold: float
    excluded_from_analytics_at: Moment | None
    legacy_at: Moment | None
    disabled_at: Moment | None
    created_at: Moment
    deleted_at: Moment | None
    evaluation_params: RawStrings
    tags: RawStrings
    organization_id: str = ORGANIZATION_ID


class SpecificationAnswer(Answer):
    """A specification, with the metrics linked to it."""

    id: str
    product_id: str
    name: str
    description: str
    type: str
    test_type: str | None
    test_variant: str | None
    created_at: Moment
    deleted_at: Moment | None
    metric_ids: RawStrings


class TestAnswer(Answer):
    """A test, which people now call a dataset."""

    __test__: ClassVar[bool] = False  # for pytest, which takes it for one of its own

    id: str
    product_id: str | None
    name: str
    type: str
    created_at: Moment
    deleted_at: Moment | None
    specification_ids: RawStrings
    status: str = "SUCCESS"


class TestCaseAnswer(Answer):
    """One case of a test."""

    __test__: ClassVar[bool] = False

    id: str
    test_id: str
    expected_output: str | None
    created_at: Moment
    deleted_at: Moment | None
    input: RawObject
    context: RawObject
    legacy_at: Moment | None = None


def product(row: Row) -> ProductAnswer:
    """Turn a row into an answer."""
    return ProductAnswer(*row)


def metric(row: Row) -> MetricAnswer:
    """Turn a row into an answer."""
    *plain, evaluation_params, tags = row
    values: list[Any] = [*plain, raw(evaluation_params), raw(tags)]
    return MetricAnswer(*values)


def specification(row: Row) -> SpecificationAnswer:
    """Turn a row into an answer."""
    *plain, metric_ids = row
    values: list[Any] = [*plain, raw(metric_ids)]
    return SpecificationAnswer(*values)


def version(row: Row) -> VersionAnswer:
    """Turn a row into an answer."""
    *plain, facts = row
    values: list[Any] = [*plain, raw(facts)]
    return VersionAnswer(*values)


def test(row: Row) -> TestAnswer:
    """Turn a row into an answer."""
    *plain, specification_ids = row
    values: list[Any] = [*plain, raw(specification_ids)]
    return TestAnswer(*values)


def test_case(row: Row) -> TestCaseAnswer:
    """Turn a row into an answer."""
    *plain, sent, context = row
    values: list[Any] = [*plain, raw(sent), raw(context)]
    return TestCaseAnswer(*values)
