"""Tables of plain text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["table"]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out in columns: the first to the left, all others to the right, indented by two.

    Example:
        >>> print(table([["metric", "mean"], ["Accuracy", "0.71"]]))
          metric    mean
          Accuracy  0.71
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  " + _line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    return "  ".join(cells).rstrip()
