"""The rules on which Galtea's documents are silent or disagree, as switches."""

from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["EmulatorRules"]


@attrs.frozen(kw_only=True)
class EmulatorRules:
    """How the emulated service behaves where nothing says how the real one does.

    The defaults are what is most likely, or kindest to clients. A client is robust when its tests pass with
    every other setting as well.

    Attributes:
        batch_cap: How many sessions one `fromSessions` call by version evaluates at most.
        session_ids_cap: How many session ids one `fromSessions` call may name; more are refused with 400.
            `None` sets no bound.
        unknown_session: What an unknown id among the session ids does: its own entry in `failures`, or a 404
            for all.
        duplicate_ids: Whether an id that is named twice in one call is evaluated twice or once.
        repeated_pairs: Whether a session is evaluated again for a metric for which it has an evaluation
            already.
        batch_run_id: What a `runId` in the body of `fromSessions` does. `refuse`: a 400. `accept`: the rows
            belong to that run, and no other is opened. `ignore`: nothing.
        specification_scope: Which specifications count when metrics follow from them. `session`: those of the
            session (linked to its dataset; without a dataset, all of its product's), as documented from 5.11
            on. `origin`: only the first that is linked to its dataset, or all of its product's where none is,
            as in 5.10. `strict`: as `origin`, but where none is linked the session is skipped, as before
            5.10. `request`: all of the product's, or each one that the call names, for every session.
        unknown_metric_status: The status for a metric that does not exist: 404 or 400.
        skips_in_message: Whether the message of a `fromSessions` answer counts skipped sessions.
        run_ids_in_answer: Whether a `fromSessions` answer names the runs that it opened.
        rows_in_answer: Whether evaluating one session or turn is answered with 201 and the rows. If not, it
            is with 202 and no body, as by very old services; the official client cannot read that.
        runs: Whether the service knows runs. Without them `/runs` is an unknown route and rows carry no run.
        run_request: Whether a run that the platform opened shows what was asked for, in `request`.
        run_inputs: Whether it shows what that came to, in `resolvedInputs`: the sessions and the metrics.
        run_refusal_status: The status when a run cannot be used or closed.
        default_limit: The rows of a list when the caller sets no limit.
        max_page: The most rows of a list whatever limit is set; the rest is left out silently. `None` sets no
            bound.
        order: The order of rows that no `sort` decides, ties and the sessions that a capped call picks
            included. `stable`: an order that looks random, the same in each answer. `changing`: another one
            in each answer, so that pages overlap and leave rows out, as they may while others write.
        unknown_filters: Whether a query parameter that a route does not know is refused or ignored.
        first_filters_only: Whether lists know only the parameters of the first published pages, as older
            services do.
        session_envelope: How `GET /sessions` and `GET /inferenceResults` wrap their rows: not at all, or in
            `{data, total, page, limit}`.
        initial_session_status: The status of a session that was created without one.
        session_conflict_status: The status for a session whose `customId` its version has already.
        production_user: Whether a production session carries the user who created it.
        closed_session: What a turn for a session that has been closed does. `reopen`: it is stored, and the
            session is PENDING again. `refuse`: it is answered with 400. `ignore`: it is answered as usual and
            not stored. The service lets each product choose; this is the choice of all products here.
        pending_turns: Whether a session with a turn that is PENDING is skipped when it is to be evaluated.
        retrieval_context_in_answer: Whether a turn shows the retrieval context with which it was stored.
        null_can_retry: Whether `canRetry` is `null`, and not `false`, for an evaluation that has not ended
            FAILED or SKIPPED. The official client cannot read that.
        claimed_reviews: Whether the list of what waits for a person leaves out what somebody has claimed.
        claim_conflict_status: The status for claiming what another person has claimed.
        credits_status: The status when no credits are left: 400, 402 or 422.
        credits_per_evaluation: What an evaluation by a judge costs.
        most_retries: How often an evaluation can be retried.
        refused_retries: What an evaluation that cannot be retried does to a call that names it. `skip`: it is
            counted, with a reason. `not_found`: the call is answered with 404, as older services do.
        unpaid_retries: What happens to retries for which not enough credits are left: none is taken and each
            is counted as skipped, or the call is refused with `credits_status`.
        failed_share: The share of evaluations that end FAILED.
        skipped_share: The share of evaluations that end SKIPPED.
        error_bodies: What a refusal says in JSON: its `message` alone, or `both`, with the name of the status
            as `error`. That a key is missing or not valid is always told in both.
        rate_limit_body: What a 429 says, of `rate_limit` or of a `Throttle`: `json` as other refusals do, the
            `page` of a proxy, or nothing (`empty`).
        retry_after: Whether a 429 of `rate_limit` says how long to wait.
        url_limit: The longest path and query, in bytes, that the proxy in front of the service lets through;
            `None` sets no bound.
        url_limit_status: The status of the proxy's page for a longer one: 414, or 403 as a firewall answers.
        body_limit: The largest body, in bytes, that the proxy in front of the service lets through; for a
            larger one it answers with its page for 413. `None` sets no bound but the emulator's own, 64 MiB.
        compression: Whether answers are compressed for clients that accept gzip.
    """

    batch_cap: int = attrs.field(default=1_000, validator=attrs.validators.ge(1))
    session_ids_cap: int | None = None
    unknown_session: Literal["failure", "not_found"] = "failure"
    duplicate_ids: Literal["evaluate", "collapse"] = "evaluate"
    repeated_pairs: Literal["evaluate", "ignore"] = "evaluate"
    batch_run_id: Literal["refuse", "accept", "ignore"] = "refuse"
    specification_scope: Literal["session", "origin", "strict", "request"] = "session"
    unknown_metric_status: Literal[400, 404] = 404
    skips_in_message: bool = True
    run_ids_in_answer: bool = False
    rows_in_answer: bool = True
    runs: bool = True
    run_request: bool = False
    run_inputs: bool = False
    run_refusal_status: Literal[400, 409] = 400
    default_limit: int = 10_000
    max_page: int | None = None
    order: Literal["stable", "changing"] = "stable"
    unknown_filters: Literal["refuse", "ignore"] = "refuse"
    first_filters_only: bool = False
    session_envelope: Literal["array", "data"] = "array"
    initial_session_status: Literal["COMPLETED", "PENDING"] = "COMPLETED"
    session_conflict_status: Literal[400, 409] = 400
    production_user: bool = True
    closed_session: Literal["reopen", "refuse", "ignore"] = "reopen"
    pending_turns: Literal["skip", "evaluate"] = "skip"
    retrieval_context_in_answer: bool = True
    null_can_retry: bool = False
    claimed_reviews: Literal["hide", "list"] = "hide"
    claim_conflict_status: Literal[400, 403, 409] = 409
    credits_status: Literal[400, 402, 422] = 400
    credits_per_evaluation: int = 2
    most_retries: int = 5
    refused_retries: Literal["skip", "not_found"] = "skip"
    unpaid_retries: Literal["skip", "refuse"] = "skip"
    failed_share: float = 0.03
    skipped_share: float = 0.02
    error_bodies: Literal["message", "both"] = "message"
    rate_limit_body: Literal["json", "page", "empty"] = "json"
    retry_after: bool = True
    url_limit: int | None = 15_000
    url_limit_status: Literal[403, 414] = 414
    body_limit: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(0))
    )
    compression: bool = False
