"""A metric in each of the forms that callers use, and its rules."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import InvalidRequestError, MetricInput
from galtea_async.models import metric_inputs
from galtea_async.models.converter import unstructure

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(
    str.strip
)


@given(name=NAMES)
def test_a_text_is_a_name(name: str) -> None:
    """A text stands for the metric of that name, and only its name is sent."""
    metric = MetricInput.parse(name)
    assert metric == MetricInput(name=name)
    assert unstructure(metric) == {"name": name}


@given(id_=st.none() | NAMES, name=NAMES, score=st.none() | st.floats(0, 1))
def test_a_mapping_is_read_like_the_object(id_: str | None, name: str, score: float | None) -> None:
    """A mapping with `id`, `name` and `score` is the same as the object with these."""
    given_fields = {"id": id_, "name": name, "score": score}
    metric = MetricInput.parse(given_fields)
    assert metric == MetricInput(id=id_, name=name, score=score)
    assert MetricInput.parse(metric) is metric
    assert unstructure(metric) == {key: value for key, value in given_fields.items() if value is not None}


@pytest.mark.parametrize("score", [0, 1, 0.0, 1.0, 0.5])
def test_a_score_at_its_bounds(score: float) -> None:
    """Zero and one are scores, and zero is sent."""
    assert unstructure(MetricInput(id="metric_1", score=score)) == {"id": "metric_1", "score": score}


@pytest.mark.parametrize("score", [-0.001, 1.001, math.nan, math.inf, True, "0.5", []])
def test_a_score_that_is_none(score: Any) -> None:
    """A score outside of 0 to 1, or of another type, is refused."""
    with pytest.raises(InvalidRequestError, match="score"):
        MetricInput(name="tone", score=score)


@pytest.mark.parametrize("text", ["", " ", "\n", "a\0b", "\ud800", 5, b"x", []])
def test_an_id_or_name_that_is_none(text: Any) -> None:
    """Blank texts, those that cannot be stored or sent, and other types are no id and no name."""
    with pytest.raises(InvalidRequestError):
        MetricInput(id=text)
    with pytest.raises(InvalidRequestError):
        MetricInput(name=text)


@pytest.mark.parametrize(
    "metric", [{}, {"score": 1}, {"naem": "x"}, {"name": "x", "extra": 1}, 5, None, [], {1: 2}]
)
def test_what_is_no_metric(metric: Any) -> None:
    """Neither id nor name, a misspelt field, or another type is refused."""
    with pytest.raises(InvalidRequestError):
        MetricInput.parse(metric)


def test_a_list_of_metrics() -> None:
    """Metrics of all forms, from any iterable, in order and as often as they come."""
    several: list[Any] = ["b", {"name": "a"}, MetricInput(name="b"), {"id": "m"}]
    metrics = (metric for metric in several)
    a, b = MetricInput(name="a"), MetricInput(name="b")
    assert metric_inputs(metrics) == (b, a, b, MetricInput(id="m"))
    assert metric_inputs(None) == metric_inputs([]) == ()


@pytest.mark.parametrize("metrics", ["tone", {"name": "tone"}, MetricInput(name="tone")])
def test_a_single_metric_is_no_list(metrics: Any) -> None:
    """A single metric instead of a list is refused, and not read letter by letter."""
    with pytest.raises(InvalidRequestError, match="list"):
        metric_inputs(metrics)
