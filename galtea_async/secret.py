"""A text that never shows itself: the key of the account."""

from __future__ import annotations

from typing import Final, final

__all__ = ["MASK", "Secret"]

MASK: Final = "***"


@final
class Secret:
    """Holds a key so that no `repr`, log line, traceback or pickle can show it.

    Args:
        value: The text to keep.

    Example:
        >>> from galtea_async.secret import Secret
        >>> Secret("gsk_0123")
        Secret(***)
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep the text."""
        self._value = value

    def reveal(self) -> str:
        """Return the text, for the one place that puts it on the wire."""
        return self._value

    def __repr__(self) -> str:
        """Show that there is a secret, not which."""
        return f"Secret({MASK})"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be pickled: a key does not travel to files or other processes by accident."""
        message = "a Secret is not pickled; build the client from its settings on the other side"
        raise TypeError(message)
