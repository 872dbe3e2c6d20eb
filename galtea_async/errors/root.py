"""The root of the tree, and how an error is written and pickled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self, TypedDict, Unpack

__all__ = ["Asked", "GalteaError", "shortened"]

_MESSAGE_LIMIT = 500


class Asked(TypedDict, total=False):
    """What every error may say of the request that it is about."""

    method: str | None
    path: str | None
    attempts: int
    advice: str | None


class GalteaError(Exception):
    """The root of every error that this library raises.

    `message` says what happened, `advice` what to do; `method`, `path` and `attempts` what was asked.

    Example:
        >>> print(GalteaError("it broke", method="GET", path="/sessions/{id}", attempts=2, advice="mend it"))
        GET /sessions/{id}: it broke (after 2 attempts) -> mend it
    """

    advice_by_default: ClassVar[str | None] = None

    def __init__(self, message: str, **asked: Unpack[Asked]) -> None:
        super().__init__(message)
        advice = asked.get("advice")
        self.message: str = message
        self.method: str | None = asked.get("method")
        self.path: str | None = asked.get("path")
        self.attempts: int = asked.get("attempts", 0)
        self.advice: str | None = advice if advice is not None else self.advice_by_default

    def __str__(self) -> str:
        asked = f"{self.method} {self.path}: " if self.method else ""
        tries = f" (after {self.attempts} attempts)" if self.attempts > 1 else ""
        advice = f" -> {self.advice}" if self.advice else ""
        return f"{asked}{self.happened()}{tries}{advice}"

    def happened(self) -> str:
        """Say what happened, without what was asked."""
        return shortened(self.message)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by class and attributes, so that keyword-only arguments survive."""
        return _rebuild, (type(self), self.args, dict(self.__dict__))

    def copy_for(self, *, attempts: int) -> Self:
        """Return the same error with another count."""
        state = {**self.__dict__, "attempts": attempts}
        copied = _rebuild(type(self), self.args, state)
        assert isinstance(copied, type(self))
        return copied


def _rebuild(kind: type[GalteaError], args: tuple[object, ...], state: Mapping[str, object]) -> GalteaError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def shortened(text: str) -> str:
    """Cut a text that came from elsewhere to what an error message can bear."""
    flat = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return flat if len(flat) <= _MESSAGE_LIMIT else f"{flat[:_MESSAGE_LIMIT]}..."
