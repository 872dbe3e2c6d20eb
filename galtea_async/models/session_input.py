"""What is sent to make a session."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.models.session import SessionStatus

__all__ = ["SessionInput"]


def _status(status: SessionStatus | str | None) -> SessionStatus | None:
    return None if status is None else SessionStatus(status)


@frozen(kw_only=True)
class SessionInput:
    """A session to be made; the rules of the API page are checked when it is built.

    Attributes:
        version_id: The version it belongs to; this or `product_id` is needed.
        product_id: The product whose latest version it belongs to; `version_id` wins where both are given.
        custom_id: Your own id of it, unique per version. With one, creating it is safe to repeat.
        test_case_id: The test case that it ran; not together with `is_production=True` or `context`.
        is_production: Whether real traffic; the service assumes `True` without a test case, `False` with one.
        context: A text or a JSON object.
        metadata: Free key-value data.
        status: The status to start with.
        run_id: A run of your own that it belongs to; refused for production sessions.

    Raises:
        InvalidRequestError: A rule of the page "Create session" (POST /sessions) is broken.

    Example:
        >>> SessionInput(version_id="version_1", custom_id="chat-1").custom_id
        'chat-1'
    """

    version_id: str | None = None
    product_id: str | None = None
    custom_id: str | None = None
    test_case_id: str | None = None
    is_production: bool | None = None
    context: str | Mapping[str, object] | None = None
    metadata: Mapping[str, object] | None = None
    status: SessionStatus | None = field(default=None, converter=_status)
    run_id: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what the API page forbids."""
        if not self.version_id and not self.product_id:
            raise InvalidRequestError("sessions.create needs version_id or product_id")
        if self.test_case_id is not None and self.is_production:
            raise InvalidRequestError("a session with a test_case_id cannot have is_production=True")
        if self.test_case_id is not None and self.context is not None:
            raise InvalidRequestError("a session with a test_case_id takes its context from the test case")
        if self.run_id is not None and self.is_production:
            raise InvalidRequestError("a production session cannot belong to a run: leave run_id out")
