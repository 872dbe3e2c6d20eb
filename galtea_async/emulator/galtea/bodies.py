"""What callers send: the shapes of the bodies of requests.

Keys that no shape knows are ignored, as the service does. A shape that changes an object tells apart what was
not mentioned (`UNSET`) from what is to be emptied (`None`); `mentioned` gives the rest of it.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from galtea_async.emulator.galtea.wire import InferenceResultStatus, SessionStatus

__all__ = [
    "BatchBody",
    "CloseSessionBody",
    "ConversationTurn",
    "CreateInferenceResultBody",
    "CreateInferenceResultsBody",
    "CreateMetricBody",
    "CreateRunBody",
    "CreateSessionBody",
    "CreateSpecificationBody",
    "CreateVersionBody",
    "IdsBody",
    "InferenceResultBody",
    "JsonObject",
    "LinkMetricsBody",
    "LinkTestsBody",
    "MetricReference",
    "NextTurnBody",
    "Number",
    "SessionBody",
    "SingleTurnBody",
    "SubmitBody",
    "Text",
    "UpdateInferenceResultBody",
    "UpdateSessionBody",
    "UpdateVersionBody",
    "VersionOfFactsBody",
    "Whole",
    "mentioned",
]

JsonObject = dict[str, object]
Text = str | JsonObject
"""A text on its own, or in an object with more beside it."""

Whole = Annotated[int, Meta(ge=-(2**53) + 1, le=2**53 - 1)]
"""A whole number that every reader of JSON keeps exactly."""

Number = Whole | float
"""A number that is answered as it was sent: a whole one without a fraction."""


# What these types say of values is for the description of the API: handlers check them, in their own words.
_SessionStatus = Annotated[str, Meta(extra_json_schema={"enum": list(get_args(SessionStatus))})]
_TurnStatus = Annotated[str, Meta(extra_json_schema={"enum": list(get_args(InferenceResultStatus))})]
_Share = Annotated[float, Meta(extra_json_schema={"minimum": 0, "maximum": 1})]


class _Body(msgspec.Struct, rename="camel"):
    """The body of a request."""


def mentioned(body: msgspec.Struct) -> JsonObject:
    """The fields that a body mentions, by their names in snake case."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}


class MetricReference(_Body):
    """A metric by id or by name, with the score where the caller computes it."""

    id: str | None = None
    name: str | None = None
    score: _Share | None = None


class BatchBody(_Body):
    """The body of `POST /evaluations/fromSessions`."""

    session_ids: list[str] | None = None
    version_id: str | None = None
    metrics: list[MetricReference] = []
    specification_ids: list[str] = []
    run_id: str | None = None


class SessionBody(_Body):
    """The body of `POST /evaluations/fromSession`."""

    session_id: str
    inference_result_id: str | None = None
    metrics: list[MetricReference] = []
    specification_ids: list[str] = []
    run_id: str | None = None


class InferenceResultBody(_Body):
    """The body of `POST /evaluations/fromInferenceResult`."""

    inference_result_id: str
    metrics: list[MetricReference] = []
    specification_ids: list[str] = []
    run_id: str | None = None


class SingleTurnBody(_Body):
    """The body of `POST /evaluations/singleTurn`."""

    actual_output: Text
    metrics: list[MetricReference]
    version_id: str | None = None
    product_id: str | None = None
    test_case_id: str | None = None
    input: Text | None = None
    is_production: bool = False
    retrieval_context: str | None = None
    latency: float | None = None
    usage_info: dict[str, Number | None] = {}
    cost_info: dict[str, Number | None] = {}
    conversation_simulator_version: str | None = None
    run_id: str | None = None


class CreateSessionBody(_Body):
    """The body of `POST /sessions`."""

    version_id: str | None = None
    product_id: str | None = None
    custom_id: str | None = None
    test_case_id: str | None = None
    is_production: bool | None = None
    context: Text | None = None
    metadata: JsonObject = {}
    status: _SessionStatus | None = None
    run_id: str | None = None


class UpdateSessionBody(_Body):
    """The body of `PATCH /sessions/{id}`."""

    custom_id: str | UnsetType | None = UNSET
    status: _SessionStatus | UnsetType = UNSET
    context: Text | UnsetType | None = UNSET
    stopping_reason: str | UnsetType | None = UNSET
    metadata: JsonObject | UnsetType | None = UNSET
    error: str | UnsetType | None = UNSET


class CloseSessionBody(_Body):
    """The body of `PATCH /sessions/{id}/finish`."""

    stopping_reason: str | None = None
    error: str | None = None


class CreateInferenceResultBody(_Body):
    """The body of `POST /inferenceResults`."""

    session_id: str | None = None
    session_custom_id: str | None = None
    version_id: str | None = None
    product_id: str | None = None
    index: Whole | None = None
    status: _TurnStatus | None = None
    error: str | None = None
    input: Text | None = None
    actual_output: Text | None = None
    retrieval_context: str | None = None
    latency: float | None = None
    input_tokens: Number | None = None
    output_tokens: Number | None = None
    cache_read_input_tokens: Number | None = None
    tokens: Number | None = None
    cost_per_input_token: float | None = None
    cost_per_output_token: float | None = None
    cost_per_cache_read_input_token: float | None = None
    cost: float | None = None
    conversation_simulator_version: str | None = None


class ConversationTurn(msgspec.Struct):
    """What one side says. Its keys are those of chats everywhere and not in camel case."""

    role: str
    content: Text | None = None
    retrieval_context: str | None = None


class CreateInferenceResultsBody(_Body):
    """The body of `POST /inferenceResults/batch`."""

    conversation_turns: list[ConversationTurn]
    session_id: str | None = None
    session_custom_id: str | None = None
    version_id: str | None = None
    product_id: str | None = None
    conversation_simulator_version: str | None = None


class UpdateInferenceResultBody(_Body):
    """The body of `PATCH /inferenceResults/{id}`."""

    turn_index: Whole | UnsetType = msgspec.field(default=UNSET, name="index")
    status: _TurnStatus | UnsetType = UNSET
    error: str | UnsetType | None = UNSET
    input: Text | UnsetType | None = UNSET
    actual_output: Text | UnsetType | None = UNSET
    retrieval_context: str | UnsetType | None = UNSET
    latency: float | UnsetType | None = UNSET
    input_tokens: Number | UnsetType | None = UNSET
    output_tokens: Number | UnsetType | None = UNSET
    cache_read_input_tokens: Number | UnsetType | None = UNSET
    tokens: Number | UnsetType | None = UNSET
    cost_per_input_token: float | UnsetType | None = UNSET
    cost_per_output_token: float | UnsetType | None = UNSET
    cost_per_cache_read_input_token: float | UnsetType | None = UNSET
    cost: float | UnsetType | None = UNSET
    conversation_simulator_version: str | UnsetType | None = UNSET


class NextTurnBody(_Body):
    """The body of `POST /conversationSimulator/generateNextUserMessage`."""

    session_id: str
    max_turns: Whole | None = None


class SubmitBody(_Body):
    """The body of `POST /evaluations/{id}/submit`."""

    score: _Share
    reason: str | None = None


class IdsBody(_Body):
    """The body of a request about several evaluations."""

    ids: list[str]


class CreateRunBody(_Body):
    """The body of `POST /runs`."""

    product_id: str
    version_id: str | None = None
    custom_id: str | None = None


class CreateMetricBody(_Body):
    """The body of `POST /metrics`."""

    name: str
    source: str | None = None
    description: str | None = None
    judge_prompt: str | None = None
    evaluator_model_name: str | None = None
    evaluation_params: list[str] | None = None
    tags: list[str] | None = None
    pass_threshold: _Share = 0.5


class CreateSpecificationBody(_Body):
    """The body of `POST /specifications`."""

    product_id: str
    name: str
    description: str
    type: Literal["CAPABILITY", "INABILITY", "POLICY"]
    test_type: str | None = None
    test_variant: str | None = None
    metric_ids: list[str] = []


class LinkMetricsBody(_Body):
    """The body of a request that links metrics to a specification, or takes them off it."""

    metric_ids: list[str]


class LinkTestsBody(_Body):
    """The body of a request that links tests to a specification, or takes them off it."""

    test_ids: list[str]


class CreateVersionBody(_Body):
    """The body of `POST /versions`."""

    product_id: str
    name: str | None = None
    description: str | None = None
    system_prompt: str | None = None
    model_id: str | None = None
    dataset_description: str | None = None
    dataset_uri: str | None = None
    guardrails: str | None = None
    parent_version_id: str | None = None


class UpdateVersionBody(_Body):
    """The body of `PATCH /versions/{id}`."""

    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    system_prompt: str | UnsetType | None = UNSET
    model_id: str | UnsetType | None = UNSET
    dataset_description: str | UnsetType | None = UNSET
    dataset_uri: str | UnsetType | None = UNSET
    guardrails: str | UnsetType | None = UNSET
    facts: dict[str, str] | UnsetType | None = UNSET


class VersionOfFactsBody(_Body):
    """The body of `POST /versions/get-or-create`."""

    product_id: str
    facts: dict[str, str]
    name: str | None = None
