"""The bodies of requests about inference results, checked before they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict, cast

from galtea_async.errors import InvalidRequestError
from galtea_async.galtea.arguments import check_id, check_number, check_text, check_text_or_object
from galtea_async.models.converter import wire_name
from galtea_async.models.turn import TurnLike, turns_of
from galtea_async.models.unset import UNSET, Unset

__all__ = ["Measurements", "check_measurements", "check_texts", "conversation_body", "creation_body"]


class Measurements(TypedDict, total=False):
    """What was measured while the product made an answer, as keywords.

    `latency` is in milliseconds, from the call of the model to its whole answer. The four token counts are of
    this turn alone. The first three costs are per token, `cost` is of the whole turn, all in one currency of
    your choice.
    """

    latency: float | Unset | None
    input_tokens: float | Unset | None
    output_tokens: float | Unset | None
    cache_read_input_tokens: float | Unset | None
    tokens: float | Unset | None
    cost_per_input_token: float | Unset | None
    cost_per_output_token: float | Unset | None
    cost_per_cache_read_input_token: float | Unset | None
    cost: float | Unset | None


def creation_body(anchor: Mapping[str, object], fields: Mapping[str, object]) -> dict[str, object]:
    """Return the body of POST /inferenceResults.

    Args:
        anchor: What names the session.
        fields: What is known of the turn; what is `None` or `UNSET` is left to the service.

    Raises:
        InvalidRequestError: The session is named in no way, or in two.
    """
    given = {**_session(anchor), **fields}
    return {
        wire_name(name): dict(cast(Mapping[str, object], value)) if isinstance(value, Mapping) else value
        for name, value in given.items()
        if value is not None and value is not UNSET
    }


def conversation_body(
    anchor: Mapping[str, object], turns: Iterable[TurnLike], simulator_version: str | None
) -> dict[str, object]:
    """Return the body of POST /inferenceResults/batch.

    Raises:
        InvalidRequestError: The session is named in no way, or in two, or there is no turn, or a wrong one.
    """
    messages = [turn.message() for turn in turns_of(turns)]
    if not messages:
        raise InvalidRequestError("a conversation has at least one turn")
    check_text("conversation_simulator_version", simulator_version)
    fields = {"conversation_simulator_version": simulator_version}
    return {**creation_body(anchor, fields), "conversationTurns": messages}


def check_texts(fields: Mapping[str, object]) -> None:
    """Refuse what the service could not keep as the texts of a turn.

    Raises:
        InvalidRequestError: One is neither a text nor, where that is allowed, an object.
    """
    for name, value in fields.items():
        if name in ("input", "actual_output"):
            check_text_or_object(name, value)
        else:
            check_text(name, value)


def check_measurements(measurements: Mapping[str, object]) -> None:
    """Refuse measurements that do not exist, and such as cannot be.

    Raises:
        TypeError: There is no such measurement.
        InvalidRequestError: One is no number, negative or not finite.
    """
    for name, value in measurements.items():
        if name not in Measurements.__annotations__:
            known = ", ".join(Measurements.__annotations__)
            raise TypeError(f"an inference result has no {name!r}; what can be measured is: {known}")
        check_number(name, value)


def _session(anchor: Mapping[str, object]) -> Mapping[str, object]:
    """Check what names a session; with a custom id the version wins over the product."""
    for name, value in anchor.items():
        check_id(name, value)
    if (anchor["session_id"] is None) == (anchor["session_custom_id"] is None):
        raise InvalidRequestError("name the session by session_id or by session_custom_id")
    is_anchored = anchor["version_id"] is not None or anchor["product_id"] is not None
    if is_anchored == (anchor["session_custom_id"] is None):
        raise InvalidRequestError("session_custom_id, and only that, needs a version_id or a product_id")
    return anchor if anchor["version_id"] is None else {**anchor, "product_id": None}
