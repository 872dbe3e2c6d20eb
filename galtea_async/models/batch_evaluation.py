"""The answer to one batch evaluation request."""

from __future__ import annotations

from attrs import define, field

from galtea_async.models.json_value import JsonValue

__all__ = ["BatchEvaluation", "SessionFailure"]


@define(kw_only=True)
class SessionFailure:
    """A session that the service could not evaluate.

    Attributes:
        session_id: Its id.
        error: The reason, in the service's words.
        extra: Fields that this library does not know yet.

    Example:
        >>> answer = await galtea.evaluations.from_sessions(session_ids=["session_unknown"])
        >>> answer.failures[0].session_id
        'session_unknown'
    """

    session_id: str
    error: str | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])


@define(kw_only=True)
class BatchEvaluation:
    """What the service did with one batch.

    See the API page "Evaluate multiple sessions in one call" (POST /evaluations/fromSessions).

    Attributes:
        sessions_evaluated: Sessions whose evaluations were dispatched.
        sessions_failed: Sessions whose evaluation failed; `failures` names them.
        evaluations_created: Evaluation rows made, over all sessions.
        failures: The failed sessions and why.
        message: A summary in words; the only place where skipped sessions are counted.
        total_sessions_available: By version only: how many sessions matched; `None` for explicit ids.
        truncated: By version only: whether the 1,000-session cap left some out.
        run_ids: The runs that the call opened, where the service tells.
        extra: Fields that this library does not know yet.

    Example:
        >>> answer = await galtea.evaluations.from_sessions(session_ids=session_ids)
        >>> answer.sessions_evaluated, answer.truncated
        (5, False)
    """

    sessions_evaluated: int
    sessions_failed: int
    evaluations_created: int
    failures: list[SessionFailure] = field(factory=list[SessionFailure])
    message: str | None = None
    total_sessions_available: int | None = None
    truncated: bool | None = None
    run_ids: list[str] | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
