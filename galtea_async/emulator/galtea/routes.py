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
from galtea_async.emulator.galtea.description import GALTEA_API
from galtea_async.emulator.galtea.express import reached_as_in_express
from galtea_async.emulator.openapi import openapi_route
from galtea_async.emulator.replies import json_reply
from galtea_async.emulator.routes import Route, at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from galtea_async.emulator.galtea.nouns import Noun
    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.parameters import Parameter
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
    routes = (
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
    return tuple(reached_as_in_express(route) for route in (*routes, openapi_route(GALTEA_API, routes)))


def _session_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Sessions", answer=wire.SessionAnswer)
    create, change = partial(operation, "POST", status=201), partial(operation, "PATCH")
    show, delete = partial(operation, "GET"), partial(operation, "DELETE", status=204, answer=None)
    of_list = service.listing(sessions.SESSIONS).parameters
    page = (
        list[wire.SessionAnswer]
        if service.rules.session_envelope == "array"
        else wire.Page[wire.SessionAnswer]
    )
    path, one = "/sessions", "/sessions/{id}"
    new, changed, closed = bodies.CreateSessionBody, bodies.UpdateSessionBody, bodies.CloseSessionBody
    return (
        create(path, sessions.create, "create", "Create session", body=new),
        show(path, sessions.find, "list", "Get sessions", answer=page, parameters=of_list),
        show(one, sessions.get, "get", "Get session"),
        change(one, sessions.update, "update", "Update session", body=changed),
        change(f"{one}/finish", sessions.close, "finish", "Finish session", body=closed),
        delete(one, sessions.delete, "delete", "Delete session"),
    )


def _evaluation_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Evaluations", answer=wire.EvaluationAnswer)
    page = list[wire.EvaluationAnswer]
    created = (201, page) if service.rules.rows_in_answer else (202, None)
    create = partial(operation, "POST", status=created[0], answer=created[1])
    show, delete = partial(operation, "GET"), partial(operation, "DELETE", status=204, answer=None)
    of_list = service.listing(evaluations.EVALUATIONS).parameters
    path, one = "/evaluations", "/evaluations/{id}"
    return (
        Route(
            method="POST",
            path=f"{path}/fromSessions",
            begin=partial(batch.begin, service),
            verb="create-from-sessions",
            summary="Evaluate multiple sessions in one call",
            tag="Evaluations",
            answer=wire.BatchAnswer,
            body=bodies.BatchBody,
        ),
        create(
            f"{path}/fromSession",
            one_session.from_session,
            "create-from-session",
            "Evaluate a session",
            body=bodies.SessionBody,
        ),
        create(
            f"{path}/fromInferenceResult",
            one_session.from_inference_result,
            "create-from-trace",
            "Evaluate an inference result",
            body=bodies.InferenceResultBody,
        ),
        create(
            f"{path}/singleTurn",
            one_session.single_turn,
            "create-single-turn",
            "Record a single turn and evaluate it",
            body=bodies.SingleTurnBody,
        ),
        show(path, evaluations.find, "list", "Get evaluations", answer=page, parameters=of_list),
        show(one, evaluations.get, "get", "Get evaluation"),
        delete(
            f"{path}/batch",
            evaluations.delete_many,
            "delete-batch",
            "Delete evaluations",
            body=bodies.IdsBody,
        ),
        delete(one, evaluations.delete, "delete", "Delete evaluation"),
    )


def _review_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Evaluations", answer=wire.EvaluationAnswer)
    change = partial(operation, "POST")
    retry = partial(change, status=202, answer=wire.RetryAnswer, body=bodies.IdsBody)
    path, one = "/evaluations", "/evaluations/{id}"
    submitted = bodies.SubmitBody
    return (
        operation(
            "GET",
            f"{path}/human/pending",
            review.pending,
            "list-pending-human",
            "Get pending human evaluations",
            answer=wire.PendingReviewsAnswer,
            parameters=service.listing(review.PENDING_REVIEWS).parameters,
        ),
        change(f"{one}/claim", review.claim, "claim", "Claim an evaluation for human review"),
        change(f"{one}/release", review.release, "release", "Release a claimed evaluation"),
        change(f"{one}/submit", review.submit, "submit", "Submit a review", body=submitted),
        retry(f"{path}/retry", review.retry, "retry", "Retry evaluations"),
    )


def _run_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Runs", answer=wire.RunAnswer)
    create, change = partial(operation, "POST", status=201), partial(operation, "POST")
    show, delete = partial(operation, "GET"), partial(operation, "DELETE", status=204, answer=None)
    of_list, page = service.listing(runs.RUNS).parameters, list[wire.RunAnswer]
    path, one = "/runs", "/runs/{id}"
    return (
        create(path, runs.create, "create", "Create run", body=bodies.CreateRunBody),
        show(path, runs.find, "list", "Get runs", answer=page, parameters=of_list),
        show(one, runs.get, "get", "Get run"),
        change(f"{one}/close", runs.close, "close", "Close run"),
        delete(one, runs.delete, "delete", "Delete run"),
    )


def _inference_result_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Traces", answer=wire.InferenceResultAnswer)
    create, change = partial(operation, "POST", status=201), partial(operation, "PATCH")
    show, delete = partial(operation, "GET"), partial(operation, "DELETE", status=204, answer=None)
    of_list = service.listing(inference_results.INFERENCE_RESULTS).parameters
    turns = list[wire.InferenceResultAnswer]
    page = turns if service.rules.session_envelope == "array" else wire.Page[wire.InferenceResultAnswer]
    path, one = "/inferenceResults", "/inferenceResults/{id}"
    new, several = bodies.CreateInferenceResultBody, bodies.CreateInferenceResultsBody
    changed = bodies.UpdateInferenceResultBody
    return (
        create(path, conversation.create, "create", "Create inference result", body=new),
        create(
            f"{path}/batch",
            conversation.create_many,
            "create-batch",
            "Create inference results of a conversation",
            answer=turns,
            body=several,
        ),
        show(path, inference_results.find, "list", "Get inference results", answer=page, parameters=of_list),
        show(one, inference_results.get, "get", "Get inference result"),
        change(one, inference_results.update, "update", "Update inference result", body=changed),
        delete(one, inference_results.delete, "delete", "Delete inference result"),
        create(
            "/conversationSimulator/generateNextUserMessage",
            simulator.next_turn,
            "generate-next-user-message",
            "Let the simulated user speak",
            tag="Conversation simulator",
            answer=wire.NextTurnAnswer,
            body=bodies.NextTurnBody,
        ),
    )


def _routes_of_noun(service: Service, noun: Noun) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag=noun.tag)
    page = GenericAlias(list, (noun.answer,))
    many, name = noun.tag.lower(), noun.tag.lower().removesuffix("s")
    path, one, of_list = f"/{noun.path}", f"/{noun.path}/{{id}}", service.listing(noun.listing).parameters
    return (
        operation("GET", path, noun.find, "list", f"Get {many}", answer=page, parameters=of_list),
        operation("GET", one, noun.get, "get", f"Get {name}", answer=noun.answer),
        operation("DELETE", one, noun.delete, "delete", f"Delete {name}", status=204),
    )


def _version_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Versions", answer=catalogue_wire.VersionAnswer)
    create, change = partial(operation, "POST", status=201), partial(operation, "PATCH")
    new, of_facts, changed = bodies.CreateVersionBody, bodies.VersionOfFactsBody, bodies.UpdateVersionBody
    return (
        create("/versions", versions.create, "create", "Create version", body=new),
        create(
            "/versions/get-or-create",
            versions.get_or_create,
            "get-or-create",
            "Get the version of some facts, or create it",
            body=of_facts,
            other_statuses=(200,),
        ),
        change("/versions/{id}", versions.update, "update", "Update version", body=changed),
    )


def _metric_routes(service: Service) -> tuple[Route, ...]:
    create = partial(_operation, "POST", service=service, tag="Metrics", status=201)
    answer, new = catalogue_wire.MetricAnswer, bodies.CreateMetricBody
    return (create("/metrics", metrics.create, "create", "Create metric", answer=answer, body=new),)


def _specification_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Specifications")
    answer, new = catalogue_wire.SpecificationAnswer, bodies.CreateSpecificationBody
    create = partial(operation, "POST", status=201, answer=answer)
    link, unlink = partial(operation, "POST", answer=answer), partial(operation, "DELETE", status=204)
    show, path, one = partial(operation, "GET"), "/specifications", "/specifications/{id}"
    metrics_of, tests_of = f"{one}/metrics", f"{one}/tests"
    of_metrics, of_tests = bodies.LinkMetricsBody, bodies.LinkTestsBody
    return (
        create(path, specifications.create, "create", "Create specification", body=new),
        show(
            metrics_of,
            nouns.METRICS_OF_SPECIFICATION.find,
            "get-metrics",
            "Get the metrics of a specification",
            answer=list[catalogue_wire.MetricAnswer],
        ),
        link(metrics_of, specifications.link_metrics, "link-metrics", "Link metrics", body=of_metrics),
        unlink(
            metrics_of, specifications.unlink_metrics, "unlink-metrics", "Unlink metrics", body=of_metrics
        ),
        show(
            tests_of,
            nouns.TESTS_OF_SPECIFICATION.find,
            "get-datasets",
            "Get the datasets of a specification",
            answer=list[catalogue_wire.TestAnswer],
        ),
        link(tests_of, specifications.link_tests, "link-datasets", "Link datasets", body=of_tests),
        unlink(tests_of, specifications.unlink_tests, "unlink-datasets", "Unlink datasets", body=of_tests),
    )


def _other_routes() -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path="/minimum-sdk-version",
            begin=at_once(lambda _call: json_reply(200, _SDK_VERSIONS)),
            verb="get-minimum-sdk-version",
            summary="Get the versions of the official client that are supported",
            tag="Service",
            answer=wire.SdkVersionAnswer,
        ),
        Route(
            method="GET",
            path="/auth/user",
            begin=at_once(lambda call: json_reply(200, wire.UserAnswer(call.user_id))),
            verb="get-user",
            summary="Get the user whose key this is",
            tag="Service",
            answer=wire.UserAnswer,
        ),
        Route(
            method="GET",
            path="/health",
            begin=at_once(lambda _call: json_reply(200, {"status": "ok"})),
            verb="get-health",
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
    verb: str,
    summary: str,
    *,
    service: Service,
    tag: str,
    status: int = 200,
    other_statuses: tuple[int, ...] = (),
    answer: object = None,
    body: type[msgspec.Struct] | None = None,
    parameters: tuple[Parameter, ...] = (),
) -> Route:
    """A route whose handler answers in one go."""
    return Route(
        method=method,
        path=path,
        begin=at_once(partial(handler, service)),
        verb=verb,
        summary=summary,
        tag=tag,
        status=status,
        other_statuses=other_statuses,
        answer=answer,
        body=body,
        parameters=parameters,
    )
