"""The work behind a request, in a form that can be done in part.

A server that dies, or whose proxy loses patience, may have done nothing, everything, or any part of what it
was asked. So that faults can bring about each of these, a route does not answer a request in one go: it
begins a piece of `Work`, which is then advanced to any share of its whole and asked for its reply at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import attrs

from galtea_async.emulator.replies import Refusal, Reply

__all__ = ["Finished", "OneStep", "Performance", "Work"]


_NOTHING_YET = Reply(status=200, body=b'{"message":"working on it"}')


class Work(Protocol):
    """What one request asks for, admitted and ready to be done."""

    def advance(self, share: float) -> None:
        """Do the work up to `share` of the whole (0 to 1); what is done already is not done again."""
        ...

    def reply(self) -> Reply:
        """The answer, once all of the work is done."""
        ...


@attrs.define
class OneStep:
    """Work that is done at once or not at all; half of it counts as all.

    Attributes:
        act: Does the work and says what to answer.
    """

    act: Callable[[], Reply]
    _reply: Reply | None = attrs.field(default=None, init=False)

    def advance(self, share: float) -> None:
        """Do the work unless it is done or less than half of it is asked for."""
        if self._reply is None and share >= 0.5:
            self._reply = self.act()

    def reply(self) -> Reply:
        """The answer."""
        self.advance(1.0)
        assert self._reply is not None
        return self._reply


@attrs.frozen
class Finished:
    """Nothing to do: the answer is known, as for a request that was refused."""

    answer: Reply

    def advance(self, share: float) -> None:
        """Do nothing."""

    def reply(self) -> Reply:
        """The answer."""
        return self.answer


@attrs.define
class Performance:
    """One request's work from its beginning to its reply; a refusal on the way becomes the reply.

    Attributes:
        begin: Admits the request. It is called when the work starts, which may be long after the request
            came.
        dress: Adds to the reply what the service says in every answer.
    """

    begin: Callable[[], Work]
    dress: Callable[[Reply], Reply]
    _work: Work | None = attrs.field(default=None, init=False)
    _is_done: bool = attrs.field(default=False, init=False)

    def advance(self, share: float) -> None:
        """Do the work up to a share of the whole, and begin it where that has not been done."""
        try:
            if self._work is None:
                self._work = self.begin()
            self._work.advance(share)
        except Refusal as refusal:
            self._work = Finished(refusal.reply)
        self._is_done = share >= 1

    def finish(self) -> Reply:
        """Do what is left, and return the answer."""
        self.advance(1.0)
        assert self._work is not None
        return self.dress(self._work.reply())

    def reply_so_far(self) -> Reply:
        """The answer of work that is done; where some of it is left, an answer that says nothing."""
        return self.finish() if self._is_done else _NOTHING_YET
