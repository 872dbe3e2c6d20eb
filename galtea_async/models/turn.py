"""One side's part in a conversation, as chats are written everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

from attrs import frozen

from galtea_async.errors import InvalidRequestError
from galtea_async.models.text import is_text

__all__ = ["Turn", "TurnLike", "TurnRole", "turns_of"]

TurnRole: TypeAlias = Literal["user", "assistant"]
"""Who speaks: the person, or the product."""

TurnLike: TypeAlias = "Turn | Mapping[str, object]"
"""What is taken for a turn: a `Turn`, or a mapping with `role`, `content` and `retrieval_context`."""

_ROLES: Final = ("user", "assistant")
_FIELDS: Final = frozenset({"role", "content", "retrieval_context"})


@frozen(kw_only=True)
class Turn:
    """What the person or the product said.

    The service pairs what a person said with the answer that follows it: each pair becomes one inference
    result. Either may stand alone.

    Attributes:
        role: `"user"` for the person, `"assistant"` for the product.
        content: A text, or a JSON object with the text and more beside it.
        retrieval_context: What the product looked up for this answer; of an assistant's turn only.

    Raises:
        InvalidRequestError: There is no such role, the content is neither a text nor an object, or a person's
            turn has a retrieval context, which the service would lose.

    Example:
        >>> Turn(role="user", content="Where is my order?").content
        'Where is my order?'
    """

    role: TurnRole
    content: str | Mapping[str, object]
    retrieval_context: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what the service would refuse or lose."""
        if self.role not in _ROLES:
            raise InvalidRequestError(f'the role of a turn is "user" or "assistant", not {self.role!r}')
        if not isinstance(self.content, Mapping) and not _is_text(self.content):
            raise InvalidRequestError(
                f"the content of a turn is a text or a JSON object, not {self.content!r}"
            )
        if self.retrieval_context is None:
            return
        if not _is_text(self.retrieval_context):
            raise InvalidRequestError(f"a retrieval context is a text, not {self.retrieval_context!r}")
        if self.role == "user":
            raise InvalidRequestError(
                "a retrieval context belongs to the assistant's turn, not to the user's"
            )

    @classmethod
    def parse(cls, turn: TurnLike) -> Turn:
        """Read a turn in any of the forms that callers use.

        Args:
            turn: A `Turn`, or a mapping with `role`, `content` and perhaps `retrieval_context`.

        Returns:
            The turn.

        Raises:
            InvalidRequestError: It is none of these.

        Example:
            >>> Turn.parse({"role": "user", "content": "Hello"})
            Turn(role='user', content='Hello', retrieval_context=None)
        """
        if isinstance(turn, Turn):
            return turn
        if isinstance(turn, Mapping) and {"role", "content"} <= turn.keys() <= _FIELDS:
            return cls(**turn)  # type: ignore[arg-type]  # __attrs_post_init__ checks the values
        raise InvalidRequestError(
            f"a turn is a Turn, or a mapping with role, content and perhaps retrieval_context, not {turn!r}"
        )

    def message(self) -> dict[str, object]:
        """Return the turn as POST /inferenceResults/batch takes it: its keys are not in camel case.

        Returns:
            The keys `role` and `content`, and `retrieval_context` where there is one.

        Example:
            >>> Turn(
            ...     role="assistant", content="Tomorrow.", retrieval_context="Delivery takes a day."
            ... ).message()
            {'role': 'assistant', 'content': 'Tomorrow.', 'retrieval_context': 'Delivery takes a day.'}
        """
        content = self.content if isinstance(self.content, str) else dict(self.content)
        message: dict[str, object] = {"role": self.role, "content": content}
        if self.retrieval_context is not None:
            message["retrieval_context"] = self.retrieval_context
        return message


def turns_of(turns: Iterable[TurnLike]) -> tuple[Turn, ...]:
    """Read a conversation.

    Args:
        turns: Its turns in any form that `Turn.parse` reads, in the order in which they were said.

    Returns:
        The turns.

    Raises:
        InvalidRequestError: A single text or turn was given instead of a list, or a turn is wrong.

    Example:
        >>> from galtea_async.models import turns_of
        >>> turns_of([{"role": "user", "content": "Hello"}])
        (Turn(role='user', content='Hello', retrieval_context=None),)
    """
    if turns == ():
        return ()
    if isinstance(turns, str | Mapping | Turn) or not isinstance(turns, Iterable):
        raise InvalidRequestError(f"turns is a list of turns, not the single {turns!r}")
    return tuple(map(Turn.parse, turns))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and is_text(value)
