"""A score that a session got from PandaProbe, as the service returns it."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from galtea_async.models.json_value import JsonValue
from galtea_async.models.open_enum import OpenEnum

__all__ = ["SessionScore", "SessionScoreSource", "SessionScoreStatus"]


class SessionScoreStatus(OpenEnum):
    """What became of a score.

    Example:
        >>> SessionScoreStatus("SUCCESS")
        <SessionScoreStatus.SUCCESS: 'SUCCESS'>
    """

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class SessionScoreSource(OpenEnum):
    """Where a score comes from: a run, a person, or a program of yours.

    Example:
        >>> SessionScoreSource("ANNOTATION").is_known, SessionScoreSource("ORACLE").is_known
        (True, False)
    """

    AUTOMATED = "AUTOMATED"
    ANNOTATION = "ANNOTATION"
    PROGRAMMATIC = "PROGRAMMATIC"


@define(kw_only=True)
class SessionScore:
    """What a session scored by one metric. Only `id` is certain.

    `name` is the metric's. `value` is a number although the service writes it as a text; the text of a score
    that is no number is in `extra["value"]`. `eval_run_id` is the run that made it, until that is deleted.

    Example:
        >>> run = await panda.session_runs.create_batch(panda_session_ids, metrics=["agent_reliability"])
        >>> run = await panda.session_runs.wait(run.id)
        >>> score, *others = await panda.session_runs.scores(run.id)
        >>> score.name, score.status, 0 <= score.value <= 1
        ('agent_reliability', <SessionScoreStatus.SUCCESS: 'SUCCESS'>, True)
    """

    id: str
    session_id: str | None = None
    project_id: str | None = None
    name: str | None = None
    data_type: str | None = None
    value: float | None = None
    source: SessionScoreSource | None = None
    status: SessionScoreStatus | None = None
    eval_run_id: str | None = None
    author_user_id: str | None = None
    reason: str | None = None
    metadata: JsonValue = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    extra: dict[str, JsonValue] = field(factory=dict[str, JsonValue])
