"""What is sent to make a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.models.session import SessionStatus
from galtea_async.models.text import is_id, is_text, why_no_id
from galtea_async.models.turn import Turn, turns_of

__all__ = ["SessionInput"]

_IDS: Final = ("version_id", "product_id", "custom_id", "test_case_id", "run_id")


def _status(status: SessionStatus | str | None) -> SessionStatus | None:
    if status is not None and not isinstance(status, str):
        raise InvalidRequestError(f"status is a SessionStatus or a text, not {status!r}")
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
        turns: The conversation, for `create_sessions`, which adds it once the session is there.

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
    turns: tuple[Turn, ...] = field(default=(), converter=turns_of)

    def __attrs_post_init__(self) -> None:
        """Refuse what the API page forbids."""
        if self.version_id is None and self.product_id is None:
            raise InvalidRequestError("sessions.create needs version_id or product_id")
        for name in _IDS:
            given: object = getattr(self, name)
            if given is not None and not is_id(given):
                raise InvalidRequestError(f"{name} {why_no_id(given)}")
        self._check_types()
        if self.test_case_id is not None and self.is_production:
            raise InvalidRequestError("a session with a test_case_id cannot have is_production=True")
        if self.test_case_id is not None and self.context is not None:
            raise InvalidRequestError("a session with a test_case_id takes its context from the test case")
        if self.run_id is not None and self.is_production:
            raise InvalidRequestError("a production session cannot belong to a run: leave run_id out")

    def _check_types(self) -> None:
        """Refuse what the service would refuse, or take for something else."""
        if self.is_production is not None and not isinstance(self.is_production, bool):
            raise InvalidRequestError(f"is_production is True or False, not {self.is_production!r}")
        if self.metadata is not None and not isinstance(self.metadata, Mapping):
            raise InvalidRequestError(f"metadata is a JSON object, not {self.metadata!r}")
        context: object = self.context
        if context is None or isinstance(context, Mapping):
            return
        if not isinstance(context, str) or not is_text(context):
            raise InvalidRequestError(f"context is a text or a JSON object, not {context!r}")
