"""What an emulator holds, in tables that are short enough to look at."""

from __future__ import annotations

import attrs

__all__ = ["Table"]


@attrs.frozen(kw_only=True)
class Table:
    """One table of the overview.

    Attributes:
        name: What its rows are, in one word.
        columns: The names of its columns.
        rows: The rows.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]

    def as_objects(self) -> list[dict[str, str | int]]:
        """The rows as objects, for JSON."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]
