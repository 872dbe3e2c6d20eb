"""The official client's catalogue (products, versions, metrics, specifications, datasets) and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from compat.official import EntityNotFoundException, HTTPError, VersionNameConflictException

if TYPE_CHECKING:
    from compat.conftest import World


def test_products_are_read(world: World) -> None:
    """Listed, by id and by name."""
    [product] = world.sdk.products.list()
    assert (product.id, product.name) == (world.product_id, "Assistant")
    assert product.organization_id.startswith("organization_")
    assert world.sdk.products.get(world.product_id) == product
    assert world.sdk.products.get_by_name("Assistant") == product
    with pytest.raises(EntityNotFoundException):
        world.sdk.products.get_by_name("Other")


def test_versions_are_made_and_read(world: World) -> None:
    """Created under a name or a number, found by facts, and refused under a name that is taken."""
    versions = world.sdk.versions
    assert versions.get_by_name(world.product_id, "1.0") == versions.get(world.version_id)
    created = versions.create(product_id=world.product_id, description="The second", system_prompt="Be kind.")
    assert (created.name, created.number, created.system_prompt) == ("v2", 2, "Be kind.")
    same = [versions.get_or_create(world.product_id, {"commit": "abc"}) for _ in range(2)]
    assert (same[0].facts, same[0] == same[1]) == ({"commit": "abc"}, True)
    with pytest.raises(VersionNameConflictException):
        versions.get_or_create(world.product_id, {"commit": "def"}, name="1.0")
    listed = versions.list(product_id=world.product_id, sort_by_created_at="asc")
    assert {one.id for one in listed} == {world.version_id, created.id, same[0].id}
    renamed = versions.update(created.id, name="2.0", system_prompt=None, facts={"commit": "fed"})
    assert (renamed.name, renamed.system_prompt, renamed.facts) == ("2.0", None, {"commit": "fed"})
    versions.delete(created.id)
    with pytest.raises(EntityNotFoundException):
        versions.get(created.id)


def test_metrics_and_specifications_are_read(world: World) -> None:
    """With the links between them, and the datasets that specifications are tested with."""
    metric_id = world.do(world.emulator.add_metric, world.product_id, name="Tone", source="GEVAL")
    aside = world.do(world.emulator.add_metric, excluded_from_analytics=True)
    specification_id = world.do(
        world.emulator.add_specification, world.product_id, metric_ids=[metric_id], test_ids=["test_a"]
    )
    test_case_id = world.do(world.emulator.add_test_case, "test_a")
    sdk = world.sdk
    [metric] = sdk.metrics.list()
    assert (metric.id, metric.source, metric.pass_threshold) == (metric_id, "GEVAL", 0.5)
    assert len(sdk.metrics.list(include_excluded_from_analytics=True, id=[metric_id, aside])) == 2
    assert sdk.metrics.get(metric_id) == sdk.metrics.get_by_name("Tone") == metric
    [specification] = sdk.specifications.list(
        product_id=world.product_id, type="capability", name="Specification 1"
    )
    assert (specification.id, specification.metric_ids) == (specification_id, [metric_id])
    assert sdk.specifications.get(specification_id) == specification
    assert sdk.specifications.get_metrics(specification_id) == [metric]
    [dataset] = sdk.specifications.get_datasets(specification_id)
    assert (dataset.id, dataset.specification_ids) == ("test_a", [specification_id])
    assert sdk.datasets.get("test_a") == dataset
    assert sdk.datasets.list(product_id=world.product_id) == [dataset]
    [test_case] = sdk.test_cases.list(dataset_id="test_a")
    assert test_case == sdk.test_cases.get(test_case_id)
    assert (test_case.dataset_id, test_case.context) == ("test_a", "Context of the test case")


def test_metrics_and_specifications_are_made_and_linked(world: World) -> None:
    """As their pages show it, and taken apart and deleted again."""
    sdk = world.sdk
    metric = sdk.metrics.create(
        name="Politeness",
        source="partial_prompt",
        evaluator_model_name="GPT-4.1",
        judge_prompt="Is the answer polite?",
        evaluation_params=["actual_output"],
        tags=["manners"],
        pass_threshold=0.7,
    )
    assert (metric.source, metric.pass_threshold, metric.tags) == ("PARTIAL_PROMPT", 0.7, ["manners"])
    assert sdk.metrics.list(tags=["manners"]) == [metric]
    specification = sdk.specifications.create(
        product_id=world.product_id, name="Manners", description="It is polite.", type="policy"
    )
    sdk.specifications.link_metrics(specification.id, [metric.id])
    assert sdk.specifications.get(specification.id).metric_ids == [metric.id]
    sdk.specifications.unlink_metrics(specification.id, [metric.id])
    assert sdk.specifications.get_metrics(specification.id) == []
    sdk.specifications.delete(specification.id)
    sdk.metrics.delete(metric.id)
    assert sdk.metrics.list() == []
    with pytest.raises(EntityNotFoundException):
        sdk.specifications.get(specification.id)


def test_a_key_that_is_not_valid_is_a_401_with_both_words(world: World) -> None:
    """The client raises what the service said."""
    world.do(world.emulator.revoke_key)
    with pytest.raises(HTTPError) as raised:
        world.sdk.products.list()
    answer = raised.value.response
    assert answer.status_code == 401
    assert set(answer.json()) == {"error", "message"}
