"""The routes of Galtea's API that the emulator serves."""

from __future__ import annotations

from functools import partial
from types import GenericAlias
from typing import TYPE_CHECKING

from galtea_async.emulator.galtea import batch, catalogue, evaluations, review, runs, sessions, wire
from galtea_async.emulator.galtea.catalogue import Noun
from galtea_async.emulator.replies import json_reply
from galtea_async.emulator.routes import Route, at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from galtea_async.emulator.galtea.service import Service
    from galtea_async.emulator.queries import Listing
    from galtea_async.emulator.replies import Reply
    from galtea_async.emulator.routes import Call, Method

__all__ = ["galtea_routes"]

_NOUNS = {
    "products": Noun(
        listing=catalogue.PRODUCTS,
        table="products",
        answer=wire.ProductAnswer,
        read=lambda row: wire.ProductAnswer(*row),
    ),
    "versions": Noun(
        listing=catalogue.VERSIONS,
        table="versions",
        answer=wire.VersionAnswer,
        read=lambda row: wire.VersionAnswer(*row),
    ),
    "metrics": Noun(
        listing=catalogue.METRICS,
        table="metrics",
        answer=wire.MetricAnswer,
        read=lambda row: wire.MetricAnswer(*row),
    ),
    "specifications": Noun(
        listing=catalogue.SPECIFICATIONS,
        table=catalogue.SPECIFICATION_ROWS,
        answer=wire.SpecificationAnswer,
        read=wire.specification,
    ),
}

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
        *(route for name, noun in _NOUNS.items() for route in _reading_routes(service, name, noun)),
        *_other_routes(),
    )


def _session_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Sessions", answer=wire.SessionAnswer)
    listing = service.listing(sessions.SESSIONS)
    page = list[wire.SessionAnswer]
    return (
        operation(
            "POST", "/sessions", sessions.create, "Create session", status=201, body=wire.CreateSessionBody
        ),
        operation("GET", "/sessions", sessions.find, "Get sessions", answer=page, listing=listing),
        operation("GET", "/sessions/{id}", sessions.get, "Get session"),
        operation("PATCH", "/sessions/{id}", sessions.update, "Update session", body=wire.UpdateSessionBody),
        operation(
            "PATCH", "/sessions/{id}/finish", sessions.close, "Finish session", body=wire.CloseSessionBody
        ),
        operation("DELETE", "/sessions/{id}", sessions.delete, "Delete session", status=204, answer=None),
    )


def _evaluation_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Evaluations", answer=wire.EvaluationAnswer)
    listing = service.listing(evaluations.EVALUATIONS)
    page = list[wire.EvaluationAnswer]
    from_session = partial(operation, status=201, answer=page, body=wire.SessionBody)
    return (
        Route(
            method="POST",
            path="/evaluations/fromSessions",
            begin=partial(batch.begin, service),
            summary="Evaluate multiple sessions in one call",
            tag="Evaluations",
            answer=wire.BatchAnswer,
            body=wire.BatchBody,
        ),
        from_session("POST", "/evaluations/fromSession", batch.evaluate_one, "Evaluate a session"),
        operation("GET", "/evaluations", evaluations.find, "Get evaluations", answer=page, listing=listing),
        operation("GET", "/evaluations/{id}", evaluations.get, "Get evaluation"),
        operation(
            "DELETE", "/evaluations/{id}", evaluations.delete, "Delete evaluation", status=204, answer=None
        ),
    )


def _review_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Evaluations", answer=wire.EvaluationAnswer)
    retry = partial(operation, status=202, answer=wire.RetryAnswer, body=wire.RetryBody)
    return (
        operation("POST", "/evaluations/{id}/claim", review.claim, "Claim an evaluation for human review"),
        operation("POST", "/evaluations/{id}/release", review.release, "Release a claimed evaluation"),
        operation("POST", "/evaluations/{id}/submit", review.submit, "Submit a review", body=wire.SubmitBody),
        retry("POST", "/evaluations/retry", review.retry, "Retry evaluations"),
    )


def _run_routes(service: Service) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag="Runs", answer=wire.RunAnswer)
    listing = service.listing(runs.RUNS)
    return (
        operation("POST", "/runs", runs.create, "Create run", status=201, body=wire.CreateRunBody),
        operation("GET", "/runs", runs.find, "Get runs", answer=list[wire.RunAnswer], listing=listing),
        operation("GET", "/runs/{id}", runs.get, "Get run"),
        operation("POST", "/runs/{id}/close", runs.close, "Close run"),
        operation("DELETE", "/runs/{id}", runs.delete, "Delete run", status=204, answer=None),
    )


def _reading_routes(service: Service, name: str, noun: Noun) -> tuple[Route, ...]:
    operation = partial(_operation, service=service, tag=name.capitalize())
    page = GenericAlias(list, (noun.answer,))
    listing = service.listing(noun.listing)
    summary = f"Get {noun.listing.entity.lower()}"
    return (
        operation("GET", f"/{name}", noun.find, f"Get {name}", answer=page, listing=listing),
        operation("GET", f"/{name}/{{id}}", noun.get, summary, answer=noun.answer),
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
            begin=at_once(lambda call: json_reply(200, {"id": call.user_id})),
            summary="Get the user whose key this is",
            tag="Service",
            answer=dict[str, str],
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
