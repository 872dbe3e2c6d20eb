"""The emulated judge: scores that look real and follow from the seed alone.

A verdict depends on the seed, the session, the metric and the number of the attempt, and on nothing else. So
it is the same whatever the order in which requests arrive, and a retry may end differently.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import Literal

import attrs
import msgspec

from galtea_async.emulator.galtea.rules import EmulatorRules

__all__ = ["OUT_OF_CREDITS", "Judge", "Metric", "MetricSource", "Verdict"]

MetricSource = Literal[
    "SELF_HOSTED",
    "FULL_PROMPT",
    "PARTIAL_PROMPT",
    "HUMAN_EVALUATION",
    "GEVAL",
    "DEEPEVAL",
    "DETERMINISTIC",
    "CLASSIFIER",
]

_FREE_SOURCES = {"SELF_HOSTED", "HUMAN_EVALUATION", "DETERMINISTIC"}
_TWO_TO_16 = 65_536
_EIGHT_NUMBERS = struct.Struct("<8H")


@attrs.frozen(kw_only=True)
class Metric:
    """A metric, as far as judging needs it.

    Attributes:
        id: Its id.
        name: Its name.
        source: Who computes it.
        score: The score that the caller computed, for a self-hosted metric.
    """

    id: str
    name: str
    source: MetricSource
    score: float | None = None

    @property
    def is_judged(self) -> bool:
        """Whether a judge computes it, which costs credits."""
        return self.source not in _FREE_SOURCES


@attrs.frozen(kw_only=True)
class Verdict:
    """How an evaluation ends.

    Attributes:
        outcome: Its final status.
        seconds: How long judging takes.
        score: Between 0 and 1; `None` unless it succeeds.
        reason: Why, in words.
        error: What went wrong.
        can_retry: Whether it may be tried again.
        credits_used: What it costs.
        input_tokens: What the judge read.
        output_tokens: What the judge wrote.
        failed_turns: The turns that the judge found wanting, as a JSON array.
    """

    outcome: Literal["SUCCESS", "FAILED", "SKIPPED", "PENDING_HUMAN"]
    seconds: float = 0.0
    score: float | None = None
    reason: str | None = None
    error: str | None = None
    can_retry: bool = False
    credits_used: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    failed_turns: str = "[]"


OUT_OF_CREDITS = Verdict(
    outcome="SKIPPED", error="The organization has no credits left for this evaluation", can_retry=True
)


@attrs.define(kw_only=True, eq=False)
class Judge:
    """Decides how evaluations end.

    Attributes:
        seed: What the verdicts follow from.
        judging: The shortest and the longest time, in seconds, that judging takes.
        rules: How often evaluations fail or are skipped, and what they cost.
    """

    seed: int
    judging: tuple[float, float]
    rules: EmulatorRules
    _levels: dict[str, float] = attrs.field(factory=dict[str, float], init=False)

    def judge(self, session_id: str, metric: Metric, *, attempt: int = 0) -> Verdict:
        """Decide how one evaluation ends."""
        if metric.source == "HUMAN_EVALUATION":
            return Verdict(outcome="PENDING_HUMAN")
        if metric.source == "SELF_HOSTED":
            return Verdict(outcome="SUCCESS", score=metric.score)
        fate, *draws = self._draws(f"{session_id}/{metric.id}/{attempt}")
        if metric.source == "DETERMINISTIC":
            passed = draws[0] < 0.8
            return Verdict(
                outcome="SUCCESS", score=float(passed), reason="Rule met." if passed else "Rule not met."
            )
        shortest, longest = self.judging
        seconds = shortest + (longest - shortest) * draws[0]
        if fate < self.rules.failed_share:
            return Verdict(
                outcome="FAILED",
                seconds=seconds,
                error="The judge's answer could not be parsed",
                can_retry=True,
            )
        if fate < self.rules.failed_share + self.rules.skipped_share:
            return Verdict(
                outcome="SKIPPED", seconds=seconds, reason=f"{metric.name} does not apply to this session"
            )
        return self._scored(metric, seconds, draws)

    def _scored(self, metric: Metric, seconds: float, draws: list[float]) -> Verdict:
        level = self._level(metric.id)
        score = round(min(1.0, max(0.0, level + (draws[1] + draws[2] + draws[3] - 1.5) * 0.3)), 2)
        is_poor = score < 0.5
        return Verdict(
            outcome="SUCCESS",
            seconds=seconds,
            score=score,
            reason=f"{metric.name}: {'some turns fall short' if is_poor else 'the criteria are met'}.",
            credits_used=self.rules.credits_per_evaluation,
            input_tokens=400 + int(2_000 * draws[4]),
            output_tokens=60 + int(200 * draws[5]),
            failed_turns=_turns(draws[6]) if is_poor else "[]",
        )

    def _level(self, metric_id: str) -> float:
        """Where the scores of a metric lie on average."""
        if metric_id not in self._levels:
            self._levels[metric_id] = 0.55 + 0.4 * self._draws(metric_id)[0]
        return self._levels[metric_id]

    def _draws(self, text: str) -> list[float]:
        digest = blake2b(f"{self.seed}/{text}".encode(), digest_size=16).digest()
        return [value / _TWO_TO_16 for value in _EIGHT_NUMBERS.unpack(digest)]


def _turns(draw: float) -> str:
    return msgspec.json.encode([f"turn {1 + int(5 * draw)}"]).decode()
