"""The routes of Galtea's API that the emulator serves."""

from __future__ import annotations

from functools import partial
from types import GenericAlias
from typing import TYPE_CHECKING

from galtea_async.emulator.galtea import (
    batch,
    bodies,
    catalogue_wire,
    conversation,
    evaluations,
    inference_results,
    metrics,
    nouns,
    one_session,
    review,
    runs,
    sessions,
    simulator,
    specifications,
    versions,
    wire,
)
from galtea_async.emulator.replies import json_reply
from galtea_async.emulator.routes import Route, at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from galtea_async.emulator.galtea.nouns import Noun
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.queries import Listing
    from galtea_async.emulator.replies import Reply
    from galtea_async.emulator.routes import Call, Method

__all__ = ["galtea_routes"]

_NOUNS = (
    nouns.PRODUCTS,
    nouns.VERSIONS,
    nouns.METRICS,
    nouns.SPECIFICATIONS,
    nouns.TESTS,
    nouns.TEST_CASES,
)

_SDK_VERSIONS = wire.SdkVersionAnswer(
    latest_sdk_version_published="5.12.0", minimum_sdk_version_supported="5.0.0"
)


def galtea_routes(service: Service) -> tuple[Route, ...]:
    """The table of routes, with handlers bound to a service."""
    return (
        *_session_routes(service),
        *_evaluation_routes(service),
        *_review_routes(service),
        *(_run_routes(service) if service.rules.runs else ()),
        *_inference_result_routes(service),
        *(route for noun in _NOUNS for route in _routes_of_noun(service, noun)),
        *_version_routes(service),
        *_metric_routes(service),
        *_specification_routes(service),
        *_other_routes(),
    )


def _session_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Sessions", answer=wire.SessionAnswer)
    listing = service.listing(sessions.SESSIONS)
    page = list[wire.SessionAnswer]
    return (
        operation(
            "POST", "/sessions", sessions.create, "Create session", status=201, body=bodies.CreateSessionBody
        ),
        operation("GET", "/sessions", sessions.find, "Get sessions", answer=page, listing=listing),
        operation("GET", "/sessions/{id}", sessions.get, "Get session"),
        operation(
            "PATCH", "/sessions/{id}", sessions.update, "Update session", body=bodies.UpdateSessionBody
        ),
        operation(
            "PATCH", "/sessions/{id}/finish", sessions.close, "Finish session", body=bodies.CloseSessionBody
        ),
        operation("DELETE", "/sessions/{id}", sessions.delete, "Delete session", status=204, answer=None),
    )


def _evaluation_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Evaluations", answer=wire.EvaluationAnswer)
    listing = service.listing(evaluations.EVALUATIONS)
    page = list[wire.EvaluationAnswer]
    create = partial(operation, "POST", status=201, answer=page)
    delete = partial(operation, "DELETE", status=204, answer=None)
    return (
        Route(
            method="POST",
            path="/evaluations/fromSessions",
            begin=partial(batch.begin, service),
            summary="Evaluate multiple sessions in one call",
            tag="Evaluations",
            answer=wire.BatchAnswer,
            body=bodies.BatchBody,
        ),
        create(
            "/evaluations/fromSession",
            one_session.from_session,
            "Evaluate a session",
            body=bodies.SessionBody,
        ),
        create(
            "/evaluations/fromInferenceResult",
            one_session.from_inference_result,
            "Evaluate an inference result",
            body=bodies.InferenceResultBody,
        ),
        create(
            "/evaluations/singleTurn",
            one_session.single_turn,
            "Record a single turn and evaluate it",
            body=bodies.SingleTurnBody,
        ),
        operation("GET", "/evaluations", evaluations.find, "Get evaluations", answer=page, listing=listing),
        operation("GET", "/evaluations/{id}", evaluations.get, "Get evaluation"),
        delete("/evaluations/batch", evaluations.delete_many, "Delete evaluations", body=bodies.IdsBody),
        delete("/evaluations/{id}", evaluations.delete, "Delete evaluation"),
    )


def _review_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Evaluations", answer=wire.EvaluationAnswer)
    retry = partial(operation, status=202, answer=wire.RetryAnswer, body=bodies.IdsBody)
    return (
        operation(
            "GET",
            "/evaluations/human/pending",
            review.pending,
            "Get pending human evaluations",
            answer=wire.PendingReviewsAnswer,
            listing=service.listing(review.PENDING_REVIEWS),
        ),
        operation("POST", "/evaluations/{id}/claim", review.claim, "Claim an evaluation for human review"),
        operation("POST", "/evaluations/{id}/release", review.release, "Release a claimed evaluation"),
        operation(
            "POST", "/evaluations/{id}/submit", review.submit, "Submit a review", body=bodies.SubmitBody
        ),
        retry("POST", "/evaluations/retry", review.retry, "Retry evaluations"),
    )


def _run_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Runs", answer=wire.RunAnswer)
    listing = service.listing(runs.RUNS)
    return (
        operation("POST", "/runs", runs.create, "Create run", status=201, body=bodies.CreateRunBody),
        operation("GET", "/runs", runs.find, "Get runs", answer=list[wire.RunAnswer], listing=listing),
        operation("GET", "/runs/{id}", runs.get, "Get run"),
        operation("POST", "/runs/{id}/close", runs.close, "Close run"),
        operation("DELETE", "/runs/{id}", runs.delete, "Delete run", status=204, answer=None),
    )


def _inference_result_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(
        _operation, service=service, tag="Inference results", answer=wire.InferenceResultAnswer
    )
    listing = service.listing(inference_results.INFERENCE_RESULTS)
    page = list[wire.InferenceResultAnswer]
    path = "/inferenceResults"
    one = f"{path}/{{id}}"
    create = partial(operation, "POST", status=201)
    change = partial(operation, "PATCH", body=bodies.UpdateInferenceResultBody)
    delete = partial(operation, "DELETE", status=204, answer=None)
    return (
        create(path, conversation.create, "Create inference result", body=bodies.CreateInferenceResultBody),
        create(
            f"{path}/batch",
            conversation.create_many,
            "Create inference results of a conversation",
            answer=page,
            body=bodies.CreateInferenceResultsBody,
        ),
        operation("GET", path, inference_results.find, "Get inference results", answer=page, listing=listing),
        operation("GET", one, inference_results.get, "Get inference result"),
        change(one, inference_results.update, "Update inference result"),
        delete(one, inference_results.delete, "Delete inference result"),
        create(
            "/conversationSimulator/generateNextUserMessage",
            simulator.next_turn,
            "Let the simulated user speak",
            answer=wire.NextTurnAnswer,
            body=bodies.NextTurnBody,
        ),
    )


def _routes_of_noun(service: Service, noun: Noun) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag=noun.path.capitalize())
    page = GenericAlias(list, (noun.answer,))
    name = noun.listing.entity.lower()
    path, one, listing = f"/{noun.path}", f"/{noun.path}/{{id}}", service.listing(noun.listing)
    return (
        operation("GET", path, noun.find, f"Get {noun.path}", answer=page, listing=listing),
        operation("GET", one, noun.get, f"Get {name}", answer=noun.answer),
        operation("DELETE", one, noun.delete, f"Delete {name}", status=204),
    )


def _version_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Versions", answer=catalogue_wire.VersionAnswer)
    create, change = partial(operation, "POST", status=201), partial(operation, "PATCH")
    return (
        create("/versions", versions.create, "Create version", body=bodies.CreateVersionBody),
        create(
            "/versions/get-or-create",
            versions.get_or_create,
            "Get the version of some facts, or create it",
            body=bodies.VersionOfFactsBody,
        ),
        change("/versions/{id}", versions.update, "Update version", body=bodies.UpdateVersionBody),
    )


def _metric_routes(service: Service) -> tuple[Route, ...]:
    create = partial(_operation, "POST", service=service, tag="Metrics", status=201)
    answer = catalogue_wire.MetricAnswer
    return (create("/metrics", metrics.create, "Create metric", answer=answer, body=bodies.CreateMetricBody),)


def _specification_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Specifications")
    answer = catalogue_wire.SpecificationAnswer
    create = partial(operation, "POST", status=201)
    metrics_of, tests_of = "/specifications/{id}/metrics", "/specifications/{id}/tests"
    show, link = partial(operation, "GET"), partial(operation, "POST", answer=answer)
    unlink = partial(operation, "DELETE", status=204)
    of_metrics, of_tests = bodies.LinkMetricsBody, bodies.LinkTestsBody
    return (
        create(
            "/specifications",
            specifications.create,
            "Create specification",
            answer=answer,
            body=bodies.CreateSpecificationBody,
        ),
        show(
            metrics_of,
            nouns.METRICS_OF_SPECIFICATION.find,
            "Get the metrics of a specification",
            answer=list[catalogue_wire.MetricAnswer],
        ),
        link(metrics_of, specifications.link_metrics, "Link metrics", body=of_metrics),
        unlink(metrics_of, specifications.unlink_metrics, "Unlink metrics", body=of_metrics),
        show(
            tests_of,
            nouns.TESTS_OF_SPECIFICATION.find,
            "Get the tests of a specification",
            answer=list[catalogue_wire.TestAnswer],
        ),
        link(tests_of, specifications.link_tests, "Link tests", body=of_tests),
        unlink(tests_of, specifications.unlink_tests, "Unlink tests", body=of_tests),
    )


def _other_routes() -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path="/minimum-sdk-version",
            begin=at_once(lambda _call: json_reply(200, _SDK_VERSIONS)),
            summary="Get the versions of the official client that are supported",
            tag="Service",
            answer=wire.SdkVersionAnswer,
        ),
        Route(
            method="GET",
            path="/auth/user",
            begin=at_once(lambda call: json_reply(200, wire.UserAnswer(call.user_id))),
            summary="Get the user whose key this is",
            tag="Service",
            answer=wire.UserAnswer,
        ),
        Route(
            method="GET",
            path="/health",
            begin=at_once(lambda _call: json_reply(200, {"status": "ok"})),
            summary="Say that the service is up",
            tag="Service",
            answer=dict[str, str],
            needs_key=False,
        ),
    )


def _operation(
    method: Method,
    path: str,
    handler: Callable[[Service, Call], Reply],
    summary: str,
    *,
    service: Service,
    tag: str,
    status: int = 200,
    answer: object = None,
    body: type[msgspec.Struct] | None = None,
    listing: Listing | None = None,
) -> Route:
    """A route whose handler answers in one go."""
    return Route(
        method=method,
        path=path,
        begin=at_once(partial(handler, service)),
        summary=summary,
        tag=tag,
        status=status,
        answer=answer,
        body=body,
        listing=listing,
    )
