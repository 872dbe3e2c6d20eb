"""Times between their two forms: seconds since 1970 in the tables, ISO 8601 in requests and answers."""

from __future__ import annotations

from datetime import UTC, datetime

from galtea_async.emulator.pandaprobe.problems import validation_error

__all__ = ["iso", "seconds"]


def iso(moment: float) -> str:
    """Write a time as the service does: `+00:00`, and microseconds only where there are any."""
    return datetime.fromtimestamp(moment, UTC).isoformat()


def seconds(field: str, text: str) -> float:
    """Read a time or a date; one without an offset is UTC.

    Raises:
        Refusal: It is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):  # the latter where it is outside the years 1 to 9999 in UTC
        raise validation_error(field, "Input should be a valid datetime or date") from None
