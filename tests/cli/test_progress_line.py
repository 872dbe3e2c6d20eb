"""How progress looks on a terminal and in a file."""

from __future__ import annotations

import io

import pytest

from galtea_async import Progress
from galtea_async.cli.progress_line import ProgressLine


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def progress(done: int, total: int | None = 1_000, **others: object) -> Progress:
    """A progress in good times."""
    plain: dict[str, object] = {
        "evaluated": done,
        "failed": 0,
        "skipped": 0,
        "unresolved": 0,
        "in_flight": 0,
        "limit": 16,
        "rate": 0.0,
        "eta": None,
        "waiting": None,
    }
    return Progress(done=done, total=total, **{**plain, **others})  # type: ignore[arg-type]


def test_a_terminal_has_one_line_that_is_rewritten() -> None:
    """Each step erases the one before; the last one stays, even if it came too soon after another."""
    stream = Terminal()
    line = ProgressLine(stream)
    for done in (0, 500, 1_000):
        line(progress(done))
    line.end()
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().endswith("\r\x1b[K1,000 of 1,000 sessions (100 %)\n")


def test_a_file_gets_plain_lines() -> None:
    """Where nothing can be rewritten there are whole lines, not too many, the last one among them."""
    stream = io.StringIO()
    line = ProgressLine(stream)
    for done in range(1_001):
        line(progress(done))
    line.end()
    assert stream.getvalue() == "0 of 1,000 sessions (0 %)\n1,000 of 1,000 sessions (100 %)\n"


def test_nothing_is_printed_where_nothing_happened() -> None:
    """A run that failed before its first step leaves no empty line."""
    stream = Terminal()
    ProgressLine(stream).end()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (progress(7, None), "7 sessions"),
        (progress(0, 0), "0 of 0 sessions (100 %)"),
        (
            progress(9, failed=1, skipped=2, unresolved=3),
            "9 of 1,000 sessions (0 %), 1 failed, 2 skipped, 3 unresolved",
        ),
        (progress(0, None, in_flight=3, rate=1234.5), "0 sessions, 3 of 16 requests in flight, 1,234/s"),
        (progress(0, None, eta=75.0), "0 sessions, 1:15 left"),
        (progress(0, None, eta=3_675.0), "0 sessions, 1:01:15 left"),
        (progress(0, None, waiting="503"), "0 sessions, waiting: 503"),
    ],
)
def test_a_step_in_words(step: Progress, text: str) -> None:
    """What is known is told, what is zero or unknown is left out."""
    stream = io.StringIO()
    ProgressLine(stream)(step)
    assert stream.getvalue() == f"{text}\n"
