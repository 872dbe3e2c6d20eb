"""What a job is: the settings that a journal is bound to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from galtea_async.bulk.provider import JobSettings
from galtea_async.models.converter import converter, encode_json, read_json, unstructure
from galtea_async.models.metric_input import MetricInput

__all__ = ["Plan"]

_SESSIONS: Final = "sessions"
_IN_RUN: Final = "sessions in a run"
_VERSION: Final = "version "
_VERSION_IN_RUN: Final = "version in a run "


@frozen(kw_only=True)
class Plan:
    """What a job is. A journal made for one plan is refused for another.

    Attributes:
        kind: What is evaluated: `sessions`, `sessions in a run`, or `version` with its id.
        target: The service.
        settings: What the sessions are evaluated with.
    """

    kind: str
    target: str
    settings: JobSettings

    @classmethod
    def of_sessions(cls, target: str, settings: JobSettings, *, in_run: bool) -> Plan:
        """Return the plan to evaluate sessions by explicit ids."""
        return cls(kind=_IN_RUN if in_run else _SESSIONS, target=target, settings=settings)

    @classmethod
    def of_version(cls, version_id: str, target: str, settings: JobSettings, *, in_run: bool) -> Plan:
        """Return the plan to evaluate a version."""
        kind = _VERSION_IN_RUN if in_run else _VERSION
        return cls(kind=kind + version_id, target=target, settings=settings)

    @classmethod
    def from_described(cls, texts: Mapping[str, str]) -> Plan:
        """Read a plan back from its texts."""
        metrics = converter.structure(read_json(texts["metrics"].encode()), list[MetricInput])
        specifications = texts["specification_ids"].split(", ") if texts["specification_ids"] else []
        return cls(
            kind=texts["kind"],
            target=texts["target"],
            settings=JobSettings(metrics=tuple(metrics), specification_ids=tuple(specifications)),
        )

    @property
    def version_id(self) -> str | None:
        """The version that is evaluated; `None` for explicit ids."""
        for prefix in (_VERSION_IN_RUN, _VERSION):
            if self.kind.startswith(prefix):
                return self.kind.removeprefix(prefix)
        return None

    @property
    def in_run(self) -> bool:
        """Whether the job has a run of its own."""
        return self.kind == _IN_RUN or self.kind.startswith(_VERSION_IN_RUN)

    def described(self) -> dict[str, str]:
        """Return each setting as a text; the order in which metrics were named does not count."""
        metrics = sorted(encode_json(unstructure(metric)).decode() for metric in self.settings.metrics)
        return {
            "kind": self.kind,
            "target": self.target,
            "metrics": f"[{', '.join(metrics)}]",
            "specification_ids": ", ".join(sorted(self.settings.specification_ids)),
        }
