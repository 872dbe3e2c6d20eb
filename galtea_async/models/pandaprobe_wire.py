"""How PandaProbe writes its objects: in snake case throughout, and scores as decimal texts.

Its documents call the number of sessions in a run `total_traces`, its servers `total_targets`. Scores are
decimal numbers of up to four places, and come as texts such as `"0.7233"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from galtea_async.models.recorded_session import RecordedSession
from galtea_async.models.score_line import ScoreLine
from galtea_async.models.session_metric import SessionMetric
from galtea_async.models.session_run import SessionRun
from galtea_async.models.session_score import SessionScore
from galtea_async.models.trace import Trace, TraceInput, TraceReceipt
from galtea_async.models.wire_form import WireForm, same_name

__all__ = ["PANDAPROBE_FORMS"]

_PLAIN: Final = WireForm(name_of=same_name)

PANDAPROBE_FORMS: Final[Mapping[type[Any], WireForm]] = {
    SessionRun: WireForm(name_of=same_name, older_names={"total_targets": "total_traces"}),
    SessionScore: WireForm(name_of=same_name, decimals=frozenset({"value"})),
    ScoreLine: WireForm(name_of=same_name, decimals=frozenset({"value"})),
    SessionMetric: _PLAIN,
    RecordedSession: _PLAIN,
    Trace: _PLAIN,
    TraceInput: _PLAIN,
    TraceReceipt: _PLAIN,
}
"""The wire forms of PandaProbe's objects, by their models."""
