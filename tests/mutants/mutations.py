"""The safeguards of "exactly once", each as the small change that takes it away.

A promise that no test can see broken is no promise. So each safeguard is listed here with the edit that
removes it and with the tests that then have to fail; `run.py` makes the edits, one at a time, in a copy.

A mutation whose text is no longer in the file is an error, so this list cannot fall behind the code.
"""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["MUTATIONS", "Mutation"]


@attrs.frozen(kw_only=True)
class Mutation:
    """A safeguard and how to take it away.

    Attributes:
        name: A short name for the table.
        removes: What is no longer guaranteed, in words.
        file: The file that changes, below `galtea_async`.
        old: What stands there, exactly once.
        new: What stands there instead.
        tests: Arguments for pytest; at least one of the tests that they select has to fail.
    """

    name: str
    removes: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


LOST_ANSWERS: Final = "tests/bulk/test_reconciliation.py::test_lost_answers_of_explicit_ids"
CANCELLED_RUNS: Final = "tests/bulk/test_journal.py::test_a_run_cancelled_at_any_moment_is_continued"
WORK_OF_OTHERS: Final = (
    "tests/bulk/test_reconciliation.py::test_the_work_of_others_in_the_same_seconds_does_not_count"
)

MUTATIONS: Final = (
    Mutation(
        name="believe the first listing",
        removes="rows are believed only when they have not changed for the settling time",
        file="bulk/reconciliation.py",
        old="settled_at = last_change + self.policy.settle",
        new="settled_at = last_change",
        tests=(LOST_ANSWERS,),
    ),
    Mutation(
        name="a change is no news",
        removes="a row that appears while the rows settle starts the wait anew",
        file="bulk/reconciliation.py",
        old="mark, last_change = findings.mark, now",
        new="mark = findings.mark",
        tests=("tests/bulk/test_reconciliation.py::test_a_change_starts_the_wait_anew",),
    ),
    Mutation(
        name="resend without looking",
        removes="a batch whose answer was lost is looked for before it is sent again",
        file="bulk/run.py",
        old="await self._reconcile(chunk, problem.message)",
        new="await self._postpone(chunk, problem)",
        tests=(LOST_ANSWERS,),
    ),
    Mutation(
        name="send without intent",
        removes="a batch is marked as sent on the disk before it leaves",
        file="bulk/journal_file.py",
        old="\"UPDATE chunk SET state = 'sent', since = ? WHERE number = ?\"",
        new="\"UPDATE chunk SET state = 'planned', since = ? WHERE number = ?\"",
        tests=("tests/bulk/test_journal.py::test_a_resumed_job_looks_before_it_sends", CANCELLED_RUNS),
    ),
    Mutation(
        name="forget the verdict",
        removes="what became of a batch is on the disk before the job goes on",
        file="bulk/journal_file.py",
        old="UPDATE chunk SET state = 'settled', evaluated = ?",
        new="UPDATE chunk SET state = state, evaluated = ?",
        tests=("tests/bulk/test_journal.py::test_the_report_of_a_continued_job_covers_all_of_it",),
    ),
    Mutation(
        name="drop the remainder",
        removes="sessions that a lost batch left undone go on in batches of their own",
        file="bulk/journal_file.py",
        old="for child in settlement.children]",
        new="for child in settlement.children[:0]]",
        tests=(LOST_ANSWERS,),
    ),
    Mutation(
        name="resume without memory",
        removes="ids that the journal has are not taken from the input again",
        file="bulk/journal.py",
        old="            self._known.add(ids)\n",
        new="",
        tests=("tests/bulk/test_journal.py::test_more_input_extends_a_job",),
    ),
    Mutation(
        name="two processes, one journal",
        removes="a journal is used by one process at a time",
        file="bulk/journal_database.py",
        old='"BEGIN EXCLUSIVE"',
        new='"BEGIN"',
        tests=("tests/bulk/test_journal.py::test_a_journal_in_use_is_refused",),
    ),
    Mutation(
        name="everybody's rows count",
        removes="rows of a colleague's runs are told from the batch's own",
        file="galtea/ownership.py",
        old="if not await self._serves_runs():",
        new="if rows or not await self._serves_runs():",
        tests=(WORK_OF_OTHERS,),
    ),
    Mutation(
        name="larger batches count",
        removes="a run that touches sessions outside of the batch is another one's",
        file="galtea/ownership.py",
        old="return all([session.id in members async for session in involved])",
        new="return [session.id in members async for session in involved] != []",
        tests=("tests/bulk/test_exactly_once.py::test_a_larger_batch_of_the_same_user_does_not_count",),
    ),
    Mutation(
        name="no margin for whole seconds",
        removes="rows whose time was cut to whole seconds are found",
        file="galtea/batches.py",
        old="_TIME_RESOLUTION: Final = timedelta(seconds=1)",
        new="_TIME_RESOLUTION: Final = timedelta(0)",
        tests=(
            "tests/bulk/test_exactly_once.py::test_rows_are_looked_for_from_the_whole_second_of_the_send",
        ),
    ),
    Mutation(
        name="their clock is ours",
        removes="the time of a send is put on the service's clock",
        file="bulk/chunk_watch.py",
        old="return self.service.gauge.service_time(chunk.sent_at)[0]",
        new="return chunk.sent_at",
        tests=("tests/bulk/test_exactly_once.py::test_work_is_found_by_the_clock_of_the_service",),
    ),
    Mutation(
        name="half done is done",
        removes="a session that lacks some of its metrics gets these",
        file="galtea/batches.py",
        old="missing={} if expected is None else missing_metrics(own, expected),",
        new="missing={},",
        tests=("tests/bulk/test_reconciliation.py::test_only_the_missing_metrics_are_made",),
    ),
    Mutation(
        name="hidden rows stay hidden",
        removes="rows of metrics that are excluded from analytics are asked for",
        file="galtea/batches.py",
        old="_sees_excluded: bool = field(default=True, init=False)",
        new="_sees_excluded: bool = field(default=False, init=False)",
        tests=("tests/bulk/test_reconciliation.py::test_metrics_hidden_from_analytics_are_seen",),
    ),
    Mutation(
        name="an instant ends with its last page",
        removes="rows of one instant may stand elsewhere in each page",
        file="galtea/cursor.py",
        old="if goes_beyond and not self._window.offset:",
        new="if goes_beyond:",
        tests=("tests/galtea/test_cursor.py",),
    ),
    Mutation(
        name="repeat a write blindly",
        removes="a write whose fate is unknown is not sent again by the layer that retries",
        file="http/verdict.py",
        old="return Verdict(error, Repeat.NEVER)",
        new="return Verdict(error, Repeat.SOON)",
        tests=("tests/http/test_retry.py::test_a_write_is_never_repeated_blindly",),
    ),
    Mutation(
        name="a cancel keeps its slot",
        removes="a request that is cancelled in the moment of its admission gives the slot back",
        file="http/admission.py",
        old="self.leave(Slot(route, self.clock(), route.rate.learned.phase))",
        new="self._admit()",
        tests=("tests/http/test_admission.py::test_a_cancel_in_the_moment_of_admission_gives_the_slot_back",),
    ),
    Mutation(
        name="believe what is under way",
        removes="a batch that is worked on is not believed, however long it looks the same",
        file="bulk/reconciliation.py",
        old="findings.stage is Stage.OPEN and has_settled",
        new="has_settled",
        tests=("tests/bulk/test_reconciliation.py::test_what_is_under_way_is_not_believed",),
    ),
    Mutation(
        name="the service makes its run at once",
        removes="after a lost answer a run may still appear for a minute",
        file="bulk/chunk_watch.py",
        old="return max(self.policy.settle, self.service.least_settle)",
        new="return self.policy.settle",
        tests=("tests/bulk/test_pandaprobe_jobs.py::test_a_run_that_appears_late_is_found",),
    ),
    Mutation(
        name="forget what was accepted",
        removes="a resumed job knows which runs were accepted",
        file="bulk/journal_file.py",
        old="SET accepted_as = ?",
        new="SET accepted_as = NULL AND ?",
        tests=("tests/bulk/test_pandaprobe_jobs.py::test_an_accepted_run_that_is_stuck_is_left_alone",),
    ),
    Mutation(
        name="go on after the end",
        removes="what waits for its turn when a run is told to end is not sent",
        file="http/dispatcher.py",
        old="await (turn if event is None else unless(event, turn))",
        new="await turn",
        tests=(
            "tests/bulk/test_pandaprobe_ownership.py::test_nothing_is_booked_after_a_run_was_told_to_end",
        ),
    ),
    Mutation(
        name="any run of the name",
        removes="a run that has the name and does something else is not believed",
        file="pandaprobe/batches.py",
        old="elif not self._fits(run, content):",
        new="elif False:",
        tests=(
            "tests/bulk/test_pandaprobe_ownership.py::test_a_run_of_the_same_name_that_does_something_else_is_no_permission_to_send",
        ),
    ),
    Mutation(
        name="delete what is at work",
        removes="only a run that was never begun is deleted",
        file="pandaprobe/batches.py",
        old="run.status is SessionRunStatus.PENDING and not was_accepted",
        new="not was_accepted",
        tests=(
            "tests/bulk/test_pandaprobe_ownership.py::test_a_lost_run_that_is_stuck_at_work_is_left_alone",
        ),
    ),
    Mutation(
        name="delete what was accepted",
        removes="a run that was accepted is never deleted",
        file="pandaprobe/batches.py",
        old="run.status is SessionRunStatus.PENDING and not was_accepted",
        new="run.status is SessionRunStatus.PENDING",
        tests=("tests/bulk/test_pandaprobe_jobs.py::test_an_accepted_run_that_is_stuck_is_left_alone",),
    ),
    Mutation(
        name="nobody else is in the queue",
        removes="a run that waits behind those of others is no orphan",
        file="pandaprobe/batches.py",
        old="is_orphan and await self._others_move(now)",
        new="False",
        tests=(
            "tests/bulk/test_pandaprobe_ownership.py::test_an_apparent_orphan_behind_the_runs_of_others_is_waited_for",
        ),
    ),
    Mutation(
        name="gone is without scores",
        removes="a run that was deleted says nothing of its sessions",
        file="pandaprobe/batches.py",
        old="            if again is None:\n",
        new="            if False:\n",
        tests=(
            "tests/bulk/test_pandaprobe_ownership.py::test_a_run_that_is_deleted_before_its_scores_are_read",
        ),
    ),
    Mutation(
        name="gone was never made",
        removes="a run that is deleted while a job waits is not sent again by it",
        file="pandaprobe/batches.py",
        old="watched is None or not watched.was_there",
        new="True",
        tests=(
            "tests/bulk/test_pandaprobe_ownership.py::test_a_run_that_is_deleted_at_work_is_not_sent_again_by_the_same_job",
        ),
    ),
    Mutation(
        name="the first failure is the last",
        removes="a FAILED run is believed when it lasts",
        file="pandaprobe/run_progress.py",
        old="self._failures >= _ATTEMPTS or lasted >= self.policy.failed_for",
        new="True",
        tests=("tests/bulk/test_pandaprobe_jobs.py::test_a_failure_that_does_not_last_is_not_believed",),
    ),
)
