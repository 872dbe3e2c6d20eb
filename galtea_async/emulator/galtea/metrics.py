"""Making metrics as the service lets its callers make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from galtea_async.emulator.galtea import wire
from galtea_async.emulator.galtea.bodies import CreateMetricBody, mentioned
from galtea_async.emulator.galtea.nouns import METRICS
from galtea_async.emulator.replies import Problem, Reply, json_reply

if TYPE_CHECKING:
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.routes import Call

__all__ = ["create"]

_SOURCES = ("SELF_HOSTED", "PARTIAL_PROMPT", "HUMAN_EVALUATION", "CLASSIFIER")


def create(service: Service, call: Call) -> Reply:
    """Answer `POST /metrics`."""
    body = call.body(CreateMetricBody)
    source = body.source or _inferred_source(body)
    if source not in _SOURCES:
        raise Problem(
            400, f"source {source} is not accepted for new metrics. Accepted: {', '.join(_SOURCES)}"
        )
    if source == "PARTIAL_PROMPT" and body.evaluator_model_name is None:
        raise Problem(400, "evaluatorModelName is required for PARTIAL_PROMPT metrics")
    if not 0 <= body.pass_threshold <= 1:
        raise Problem(400, "passThreshold must be between 0 and 1")
    values = mentioned(body) | {
        "source": source,
        "evaluation_params": wire.json_text(body.evaluation_params),
        "tags": wire.json_text(body.tags),
    }
    return json_reply(201, METRICS.one(service, service.insert("metric", "metrics", values)))


def _inferred_source(body: CreateMetricBody) -> str:
    if body.judge_prompt is None:
        return "SELF_HOSTED"
    return "FULL_PROMPT" if body.evaluation_params is None else "PARTIAL_PROMPT"
