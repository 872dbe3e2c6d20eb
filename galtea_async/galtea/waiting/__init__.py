"""Waiting for evaluations to settle: all of them at once, or as a stream."""

from galtea_async.galtea.waiting.wait_for_evaluations import wait_for_evaluations
from galtea_async.galtea.waiting.watch_evaluations import EvaluationWatch, watch_evaluations

__all__ = ["EvaluationWatch", "wait_for_evaluations", "watch_evaluations"]
