"""Which blocks of `evaluations.claimed` are open, and in which of them a review was submitted."""

from __future__ import annotations

from attrs import define, field

__all__ = ["OpenClaim", "OpenClaims"]


@define(eq=False)
class OpenClaim:
    """A block that holds a claim.

    Attributes:
        evaluation_id: What is claimed.
        is_submitted: Whether the review was submitted, which ends the claim.
    """

    evaluation_id: str
    is_submitted: bool = field(default=False, init=False)


@define(eq=False)
class OpenClaims:
    """The open blocks of a client. A review may be submitted by another task than the one in the block."""

    _open: set[OpenClaim] = field(factory=set[OpenClaim], init=False)

    def begin(self, evaluation_id: str) -> OpenClaim:
        """Note that a block begins."""
        claim = OpenClaim(evaluation_id)
        self._open.add(claim)
        return claim

    def submitted(self, evaluation_id: str) -> None:
        """Note that a review has arrived."""
        for claim in self._open:
            if claim.evaluation_id == evaluation_id:
                claim.is_submitted = True

    def end(self, claim: OpenClaim) -> None:
        """Note that a block has ended."""
        self._open.discard(claim)
