"""How long a service asks to be left alone (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["http_date", "retry_after"]


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read the wait from an answer's headers.

    Args:
        headers: By lower-case name; `retry-after-ms` wins over `retry-after`.
        now: The service's present, for a wait that is given as a date.

    Returns:
        Seconds, at least 0; `None` where there is no wait or it cannot be read.

    Example:
        >>> from galtea_async.http.retry_after import retry_after
        >>> retry_after({"retry-after": "7"}, datetime.datetime.now(datetime.UTC))
        7.0
    """
    milliseconds = _seconds(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _seconds(text)
    if seconds is not None:
        return seconds
    date = http_date(text)
    return None if date is None else max(0.0, (date - now).total_seconds())


def http_date(text: str | None) -> datetime | None:
    """Read an HTTP date.

    Args:
        text: Such as `Sun, 06 Nov 1994 08:49:37 GMT`.

    Returns:
        An aware time, or `None` where the text is none.
    """
    if text is None:
        return None
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
