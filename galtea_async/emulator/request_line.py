"""A recorded request in one short line, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from galtea_async.emulator.recording import RecordedRequest

__all__ = ["duration_line", "printable", "target_line"]

_LONGEST = 160
_LONGEST_VALUE = 40
_VALUES_SHOWN = 2


def target_line(request: RecordedRequest) -> str:
    """The path and the query, shortened where many values have one name, and where it is long."""
    values: dict[str, list[str]] = {}
    for name, value in request.query:
        values.setdefault(name, []).append(value)
    query = "&".join(f"{name}={_some(given)}" for name, given in values.items())
    line = printable(f"{request.path}?{query}" if query else request.path)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def duration_line(request: RecordedRequest) -> str:
    """How long it took; for one that is under way, that it is."""
    if request.duration is None:
        return "under way"
    milliseconds = request.duration * 1000
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"


def printable(text: str) -> str:
    """A text without anything that could move a terminal's cursor or begin a line."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _some(values: list[str]) -> str:
    """All of a few values; of many the first, and how many there are."""
    if len(values) <= _VALUES_SHOWN:
        return ",".join(map(_short, values))
    return f"{_short(values[0])},… ({len(values)} in all)"


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"
