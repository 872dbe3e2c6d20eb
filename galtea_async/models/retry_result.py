"""What became of evaluations that were to be judged again: the service's answer, and a call's account."""

from __future__ import annotations

from attrs import define, field, frozen

from galtea_async.errors import GalteaError
from galtea_async.models.json_value import JsonValue

__all__ = ["RetryAnswer", "RetryResult"]


@define(kw_only=True)
class RetryAnswer:
    """The service's answer to one request (POST /evaluations/retry).

    Attributes:
        retried: How many evaluations are judged again.
        skipped: How many are not.
        errors: Why not; a list of texts, as documented.
        extra: Fields that this library does not know yet.
    """

    retried: int
    skipped: int | None = None
    errors: JsonValue = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])

    def reasons(self) -> list[str]:
        """Return why evaluations were skipped, each reason as a text."""
        found = self.errors if isinstance(self.errors, list) else []
        return [reason if isinstance(reason, str) else str(reason) for reason in found]


@frozen(kw_only=True)
class RetryResult:
    """The account of `evaluations.retry`, over all of its requests.

    Always, `requested == retried + skipped + len(unresolved) + len(not_sent)`.

    Attributes:
        requested: How many different evaluations were named.
        retried: How many of them are judged again.
        skipped: How many the service did not take.
        reasons: Why not, in the service's words; it names the evaluations there.
        unresolved: Those whose answer was lost and that have no newer verdict. They may still be judged
            again, should the service begin late; nothing was sent twice.
        not_sent: Those that were not asked for any more, because of `stopped_by`.
        stopped_by: The error that ended the call after a part of it was done.

    Example:
        >>> rows = await galtea.evaluations.create(session_id=session_ids[0])
        >>> result = await galtea.evaluations.retry([rows[0].id])
        >>> result.requested, result.retried, result.skipped
        (1, 0, 1)
        >>> print(result.reasons[0])
        Evaluation evaluation_...: not retryable
    """

    requested: int
    retried: int = 0
    skipped: int = 0
    reasons: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    not_sent: tuple[str, ...] = ()
    stopped_by: GalteaError | None = None
