"""`POST /evaluations/fromSessions`: many sessions in one call.

The call is admitted as a whole or refused as a whole, and a refusal leaves nothing behind. Once admitted, its
sessions are taken one after the other; each is evaluated, fails, or is skipped. Failures are listed in the
answer, skipped sessions are counted in its message and appear nowhere else.

The work can stop after any number of sessions, which is what happens when a service dies or is cut off in the
middle: the sessions up to there have their evaluations, the others have none, and the run that was opened
never ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from galtea_async.emulator.galtea import runs, wire
from galtea_async.emulator.galtea.bodies import BatchBody
from galtea_async.emulator.galtea.evaluations import NewEvaluation, Subject, add
from galtea_async.emulator.galtea.metric_choice import MetricChoice
from galtea_async.emulator.galtea.service import Service
from galtea_async.emulator.replies import Problem, Reply, json_reply
from galtea_async.emulator.store import json_array

if TYPE_CHECKING:
    from collections.abc import Iterator

    from galtea_async.emulator.galtea.scoring import Metric
    from galtea_async.emulator.routes import Call

__all__ = ["Batch", "begin", "check_credits", "find_subjects"]

_SUBJECTS = """
SELECT s.id, s.version_id, s.product_id, s.test_case_id, t.test_id, s.refusal,
    CASE WHEN s.is_skipped THEN 'not applicable' {or_with_pending_turns} END
FROM sessions AS s LEFT JOIN test_cases AS t ON t.id = s.test_case_id
WHERE s.deleted_at IS NULL AND
"""

_OR_WITH_PENDING_TURNS = """
WHEN EXISTS (
    SELECT 1 FROM inference_results WHERE session_id = s.id AND status = 'PENDING' AND deleted_at IS NULL
) THEN 'with a turn that is pending'
"""
_NO_METRICS = "no metrics to evaluate"


@attrs.define(kw_only=True, eq=False)
class Batch:
    """An admitted batch.

    Attributes:
        service: Where evaluations are made.
        user_id: Who asked.
        body: What was asked.
        items: The sessions in the order in which they are taken; an id without a session stands for itself.
        choice: The metrics of each session.
        total: The sessions that matched, in a call by version.
        run_id: The caller's run, where its rows belong to one; `None` for runs of their own.
    """

    service: Service
    user_id: str
    body: BatchBody
    items: Sequence[Subject | str]
    choice: MetricChoice
    total: int | None
    run_id: str | None
    _position: int = attrs.field(default=0, init=False)
    _evaluated: int = attrs.field(default=0, init=False)
    _created: int = attrs.field(default=0, init=False)
    _failures: list[wire.BatchFailure] = attrs.field(factory=list[wire.BatchFailure], init=False)
    _skipped: Counter[str] = attrs.field(factory=Counter[str], init=False)
    _runs: dict[str, str] | None = attrs.field(default=None, init=False)
    _settled_at: str = attrs.field(default="", init=False)

    def advance(self, share: float) -> None:
        """Take sessions until a share of them has been taken."""
        upto = int(len(self.items) * share)
        with self.service.store.transaction():
            if self._runs is None:
                self._runs = self._open_runs()
            evaluations = list(self._take(self.items[self._position : upto]))
            identifiers, settled_at = add(
                self.service, evaluations, user_id=self.user_id, created_at=self.service.clock.now()
            )
            self._settled_at = max(self._settled_at, settled_at)
            if share >= 1:
                self._end_runs(self._runs)
        self._created += len(identifiers)
        self._position = max(self._position, upto)

    def reply(self) -> Reply:
        """The summary."""
        answer = wire.BatchAnswer(
            sessions_evaluated=self._evaluated,
            sessions_failed=len(self._failures),
            evaluations_created=self._created,
            failures=self._failures,
            message=self._message(),
            total_sessions_available=self.total,
            truncated=self.total is not None and self.total > len(self.items),
        )
        if self.service.rules.runs and self.service.rules.run_ids_in_answer:
            answer.run_ids = list(dict.fromkeys((self._runs or {}).values()))
        return json_reply(200, answer)

    def _take(self, items: Sequence[Subject | str]) -> Iterator[NewEvaluation]:
        covered = self._covered(items)
        for item in items:
            if isinstance(item, str):
                self._failures.append(wire.BatchFailure(session_id=item, error=f"Session {item} not found"))
            elif item.refusal is not None:
                self._failures.append(wire.BatchFailure(session_id=item.id, error=item.refusal))
            elif item.skip_reason is not None:
                self._skipped[item.skip_reason] += 1
            else:
                yield from self._evaluate(item, covered)

    def _evaluate(self, subject: Subject, covered: set[tuple[str, str]]) -> Iterator[NewEvaluation]:
        metrics = self.choice.for_session(subject)
        if not metrics:
            self._skipped[_NO_METRICS] += 1
            return
        self._evaluated += 1
        run_id = (self._runs or {}).get(subject.product_id)
        for metric in metrics:
            if (subject.id, metric.id) not in covered:
                yield NewEvaluation(subject=subject, metric=metric, run_id=run_id)

    def _covered(self, items: Sequence[Subject | str]) -> set[tuple[str, str]]:
        if self.service.rules.repeated_pairs == "evaluate":
            return set()
        statement = (
            "SELECT session_id, metric_id FROM evaluations"
            " WHERE session_id IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL"
        )
        session_ids = json_array(item.id for item in items if isinstance(item, Subject))
        return {
            (session_id, metric_id)
            for session_id, metric_id in self.service.store.rows(statement, (session_ids,))
        }

    def _open_runs(self) -> dict[str, str]:
        if not self.service.rules.runs:
            return {}
        product_ids = dict.fromkeys(item.product_id for item in self.items if isinstance(item, Subject))
        if self.run_id is not None:
            return dict.fromkeys(product_ids, self.run_id)
        return {
            product_id: runs.open_for_batch(
                self.service,
                product_id=product_id,
                version_id=self.body.version_id,
                user_id=self.user_id,
                request=self.body,
            )
            for product_id in product_ids
        }

    def _end_runs(self, opened: dict[str, str]) -> None:
        for run_id in opened.values():
            if run_id != self.run_id:  # which its caller ends
                runs.end(self.service, run_id, at=self._settled_at)

    def _message(self) -> str:
        sentences = [f"Dispatched {self._created} evaluations for {self._evaluated} sessions."]
        if self._failures:
            sentences.append(f"{len(self._failures)} sessions failed.")
        if self._skipped and self.service.rules.skips_in_message:
            reasons = ", ".join(f"{count} {reason}" for reason, count in self._skipped.items())
            sentences.append(f"Skipped {self._skipped.total()} sessions: {reasons}.")
        return " ".join(sentences)


def begin(service: Service, call: Call) -> Batch:
    """Admit a batch.

    Raises:
        Problem: The batch is refused; nothing has been done.
    """
    body = call.body(BatchBody)
    if body.run_id is not None and service.rules.batch_run_id == "refuse":
        raise Problem(400, "runId is not accepted: a batch opens its own runs")
    if (body.session_ids is None) == (body.version_id is None):
        raise Problem(400, "Exactly one of sessionIds or versionId is required")
    total: int | None = None
    items: Sequence[Subject | str]
    if body.version_id is not None:
        items, total = _of_version(service, body.version_id)
    else:
        items = _of_ids(service, body.session_ids or [])
    subjects = [item for item in items if isinstance(item, Subject)]
    choice = MetricChoice.of_request(service, body.metrics, body.specification_ids, subjects)
    run_id = body.run_id if service.rules.batch_run_id == "accept" else None
    if run_id is not None:
        for product_id, version_id in {(subject.product_id, subject.version_id) for subject in subjects}:
            runs.check_usable(service, run_id, product_id=product_id, version_id=version_id)
    check_credits(service, (choice.for_session(subject) for subject in subjects))
    return Batch(
        service=service,
        user_id=call.user_id,
        body=body,
        items=items,
        choice=choice,
        total=total,
        run_id=run_id,
    )


def check_credits(
    service: Service, choices: Iterator[tuple[Metric, ...]] | Sequence[tuple[Metric, ...]]
) -> None:
    """Refuse work by a judge when not even one evaluation can be paid for.

    Raises:
        Problem: With the status that the rules name.
    """
    if service.credits.can_pay(service.rules.credits_per_evaluation):
        return
    if any(metric.is_judged for metrics in choices for metric in metrics):
        raise Problem(
            service.rules.credits_status, "Your organization has no credits left to run this evaluation"
        )


def find_subjects(service: Service, session_ids: Sequence[str]) -> list[Subject]:
    """The sessions that exist among some ids, in no particular order."""
    condition = "s.id IN (SELECT value FROM json_each(?))"
    rows = service.store.rows(_subjects(service, condition), (json_array(session_ids),))
    return [Subject(*row) for row in rows]


def _subjects(service: Service, condition: str) -> str:
    skipped = _OR_WITH_PENDING_TURNS if service.rules.pending_turns == "skip" else ""
    return _SUBJECTS.format(or_with_pending_turns=skipped) + condition


def _of_version(service: Service, version_id: str) -> tuple[list[Subject], int]:
    versions = "SELECT id FROM versions WHERE id = ? AND deleted_at IS NULL"
    service.row("Version", version_id, versions, (version_id,))
    total = service.store.value(
        "SELECT count(*) FROM sessions WHERE version_id = ? AND deleted_at IS NULL", (version_id,)
    )
    condition = "s.version_id = ? ORDER BY (s.place * ?) % 2147483647 LIMIT ?"
    parameters = (version_id, service.salt(), service.rules.batch_cap)
    rows = service.store.rows(_subjects(service, condition), parameters)
    return [Subject(*row) for row in rows], total


def _of_ids(service: Service, session_ids: Sequence[str]) -> list[Subject | str]:
    if not session_ids:
        raise Problem(400, "sessionIds must not be empty")
    cap = service.rules.session_ids_cap
    if cap is not None and len(session_ids) > cap:
        raise Problem(400, f"Too many sessionIds: {len(session_ids)}, at most {cap} are allowed")
    wanted = (
        list(dict.fromkeys(session_ids)) if service.rules.duplicate_ids == "collapse" else list(session_ids)
    )
    found = {subject.id: subject for subject in find_subjects(service, wanted)}
    missing = [session_id for session_id in dict.fromkeys(wanted) if session_id not in found]
    if missing and service.rules.unknown_session == "not_found":
        raise Problem(404, f"Sessions not found: {', '.join(missing)}")
    return [found.get(session_id, session_id) for session_id in wanted]
