"""Sessions that were refused alone, in words that do not name them, before the service has accepted any.

Who is at fault nobody can tell yet: the session, or the request that it has in common with all others, such
as a metric that does not exist. So nothing is decided about these sessions; in the journal they are PLANNED,
as if they had not been sent, which a definite refusal allows. There are three ways on:

- the service accepts another batch: the request is right, and each of these sessions has failed;
- nothing is left to send: nobody will know better, and each has failed with what the service said of it;
- there are a hundred of them: the request is taken to be wrong and the run ends. Called again once the cause
  is mended, it sends them like all others.
"""

from __future__ import annotations

from typing import Final, final

from attrs import define, field

from galtea_async.bulk.chunk import Chunk, Settlement
from galtea_async.errors import ApiError

__all__ = ["RefusalsBorne"]

_MOST: Final = 100


@final
@define
class RefusalsBorne:
    """What was refused while nothing had been accepted.

    Attributes:
        request_is_right: Whether the service has accepted any request of the run.
    """

    request_is_right: bool = field(default=False, init=False)
    _held: list[tuple[Chunk, Settlement]] = field(factory=list[tuple[Chunk, Settlement]], init=False)

    @property
    def count(self) -> int:
        """How many sessions are undecided."""
        return len(self._held)

    @property
    def are_too_many(self) -> bool:
        """Whether the request itself is wrong."""
        return not self.request_is_right and len(self._held) >= _MOST

    def hold(self, chunk: Chunk, settled: Settlement, error: ApiError) -> bool:
        """Keep a refusal back where it may not be the session's fault.

        Args:
            chunk: What was refused.
            settled: How it ends if the fault is its own.
            error: The refusal.

        Returns:
            Whether it is kept back; else it is to be settled now.
        """
        if self.request_is_right or settled.children or any(id_ in error.message for id_ in settled.others):
            return False
        self._held.append((chunk, settled))
        return True

    def take(self) -> list[tuple[Chunk, Settlement]]:
        """Hand out what was kept back, to be settled."""
        held, self._held = self._held, []
        return held
