"""Sessions that give a job trouble."""

from __future__ import annotations

import attrs

__all__ = ["Troubles"]


@attrs.frozen(kw_only=True)
class Troubles:
    """Which sessions do not end as evaluated, and how.

    Attributes:
        failed: Sessions that fail, or do not exist.
        skipped: Sessions that the service has nothing to evaluate of.
    """

    failed: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
