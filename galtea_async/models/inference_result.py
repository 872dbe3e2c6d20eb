"""One turn of a session, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue
from galtea_async.models.open_enum import OpenEnum

__all__ = ["InferenceResult", "InferenceResultStatus"]


class InferenceResultStatus(OpenEnum):
    """How far the product is with its answer.

    Example:
        >>> InferenceResultStatus("PENDING").is_known
        True
    """

    PENDING = "PENDING"
    GENERATED = "GENERATED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


@define(kw_only=True)
class InferenceResult:
    """One turn of a session: what a person said, and what the product answered.

    Only `id` is certain; whatever the service leaves out is `None`. Fields that this library does not know
    yet are kept in `extra` under their wire names. `latency` is in milliseconds. `index` counts the turns of
    a session from 0. `input` is an object with the text under `user_message`; `actual_output` is a text, or
    an object with the text under `assistant_message`. Newer services do not return `retrieval_context`.

    See POST /inferenceResults.

    Example:
        >>> turn = await galtea.inference_results.create(
        ...     session_id=session_ids[0], input="Hello", actual_output="Hi!"
        ... )
        >>> turn.input, turn.actual_output
        ({'user_message': 'Hello'}, 'Hi!')
    """

    id: str
    session_id: str | None = None
    user_id: str | None = None
    index: int | None = None
    status: InferenceResultStatus | None = None
    error: str | None = None
    input: JsonValue = None
    actual_output: JsonValue = None
    retrieval_context: str | None = None
    latency: float | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    cache_read_input_tokens: float | None = None
    tokens: float | None = None
    cost_per_input_token: float | None = None
    cost_per_output_token: float | None = None
    cost_per_cache_read_input_token: float | None = None
    cost: float | None = None
    credits_used: int | None = None
    conversation_simulator_version: str | None = None
    trace_id: str | None = None
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
