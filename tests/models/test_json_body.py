"""Bodies: what JSON cannot say is refused, and everything else is written as ever."""

from __future__ import annotations

import datetime
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galtea_async import InvalidRequestError
from galtea_async.models import SessionInput
from galtea_async.models.converter import UnreadableError, encode_json, read_json
from galtea_async.models.json_body import body_of, encode_body

FINITE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)
NO_NUMBERS = st.sampled_from([math.nan, math.inf, -math.inf])


@given(value=FINITE)
def test_what_json_can_say_is_written(value: object) -> None:
    """Nulls and texts that look like them are no reason to refuse anything."""
    assert encode_body([value, None, "null"]) == encode_json([value, None, "null"])
    assert read_json(encode_body(value)) == value


@given(value=FINITE, number=NO_NUMBERS, depth=st.integers(0, 50))
def test_numbers_that_are_none_are_refused(value: object, number: float, depth: int) -> None:
    """However deep they lie, and whatever lies beside them."""
    inner: Any = number
    for _ in range(depth):
        inner = {"a": value, "b": [inner, value]}
    with pytest.raises(UnreadableError, match="NaN or an infinity"):
        encode_body(inner)


@pytest.mark.parametrize("held", [(math.nan,), {math.nan}, {5: math.nan}], ids=repr)
def test_numbers_that_are_none_in_what_becomes_json(held: object) -> None:
    """Tuples, sets and mappings with other keys are looked through as well."""
    with pytest.raises(UnreadableError, match="NaN or an infinity"):
        encode_body({"at": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "in": held})


def test_a_model_that_json_cannot_say() -> None:
    """Keys that are no texts, and an object within itself, are refused as arguments."""
    within: dict[str, object] = {}
    within["self"] = within
    keys: Any = {("a", "b"): 1}
    for context in (within, {"deep": keys}, keys):
        with pytest.raises(InvalidRequestError, match="cannot be written as JSON"):
            body_of(SessionInput(version_id="version_1", context=context))
    assert body_of(SessionInput(version_id="version_1")) == {"versionId": "version_1"}
