"""What was refused alone, in words that do not name it, before the service has accepted anything.

Who is at fault nobody can tell yet: the session, or the request that it has in common with all others, such
as a metric that does not exist. So nothing is decided about these sessions; the journal has them as if they
had not been sent, which a definite refusal allows. There are three ways on:

- the service accepts another one: the request is right, and each of these has failed;
- nothing is left to send: nobody will know better, and each has failed with what the service said of it;
- there are a hundred of them: the request is taken to be wrong and the run ends. Called again once the cause
  is mended, it sends them like all others.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar, final

from attrs import define, field

__all__ = ["RefusalsBorne"]

_MOST: Final = 100

_Refused = TypeVar("_Refused")


@final
@define
class RefusalsBorne(Generic[_Refused]):
    """What was refused while nothing had been accepted.

    Attributes:
        request_is_right: Whether the service has accepted any request of the run.
    """

    request_is_right: bool = field(default=False, init=False)
    _held: list[_Refused] = field(factory=list["_Refused"], init=False)

    @property
    def count(self) -> int:
        """How many are undecided."""
        return len(self._held)

    @property
    def are_too_many(self) -> bool:
        """Whether the request itself is wrong."""
        return not self.request_is_right and len(self._held) >= _MOST

    def hold(self, refused: _Refused) -> bool:
        """Keep a refusal back where the request may be wrong; else it is to be settled now.

        Returns:
            Whether it is kept back.
        """
        if not self.request_is_right:
            self._held.append(refused)
        return not self.request_is_right

    def take(self) -> list[_Refused]:
        """Hand out what was kept back, to be settled."""
        held, self._held = self._held, []
        return held
