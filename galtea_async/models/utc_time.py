"""Reading times from the wire."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["read_utc"]


def read_utc(text: str) -> datetime:
    """Read an ISO 8601 time; one without an offset is taken for UTC, as the service writes them.

    Args:
        text: For example `2023-11-07T05:31:56.123Z`.

    Returns:
        The time, aware and in UTC.

    Raises:
        ValueError: It is no such time.
        OverflowError: In UTC it would be before the year 1 or after the year 9999.

    Example:
        >>> from galtea_async.models.utc_time import read_utc
        >>> read_utc("2023-11-07T07:31:56+02:00").isoformat()
        '2023-11-07T05:31:56+00:00'
    """
    time = datetime.fromisoformat(text)
    if time.tzinfo is UTC:
        return time
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
