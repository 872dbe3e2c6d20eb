"""How a chunk ends: whatever the service says or made, no session is lost and none is counted twice."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from galtea_async import ApiError, MetricInput, NotFoundError, OutcomeStatus
from galtea_async.bulk import settlement
from galtea_async.bulk.chunk import Chunk, ChunkState, NewChunk, Settlement
from galtea_async.bulk.provider import BatchAnswer, Findings
from galtea_async.bulk.totals import Totals

METRICS = (MetricInput(name="accuracy"), MetricInput(name="politeness"))
names = st.text("abcdef0123456789", min_size=1, max_size=12).map("session_{}".format)
some_ids = st.lists(names, min_size=1, max_size=12, unique=True).map(tuple)
errors = st.none() | st.text(max_size=10)


@st.composite
def chunks(draw: st.DrawFn) -> Chunk:
    content = NewChunk(
        session_ids=draw(some_ids),
        metrics=draw(st.none() | st.just(METRICS[:1])),
        attempts=draw(st.integers(0, 30)),
    )
    return Chunk(number=1, content=content, state=ChunkState.SENT, sent_at=1.0)


@st.composite
def findings_of(draw: st.DrawFn, chunk: Chunk) -> Findings:
    ids = st.sampled_from(chunk.content.session_ids)
    covered = draw(st.dictionaries(ids, st.integers(1, 3)))
    lacking = draw(st.sets(st.sampled_from(sorted(covered)))) if covered else set[str]()
    ended = draw(st.dictionaries(ids, st.text(max_size=10)))
    scores = {
        id_: {"accuracy": draw(st.none() | st.floats(0, 1))} for id_ in draw(st.sets(ids)) & set(covered)
    }
    return Findings(
        covered=covered,
        missing=dict.fromkeys(sorted(lacking), METRICS[1:]),
        failures={id_: reason for id_, reason in ended.items() if id_ not in covered},
        scores=scores,
        mark=1,
    )


@st.composite
def answers_to(draw: st.DrawFn, chunk: Chunk) -> BatchAnswer:
    ids = chunk.content.session_ids
    failures = draw(st.dictionaries(st.sampled_from(ids), errors))
    evaluated = draw(st.integers(0, len(ids) - len(failures)))
    unnamed = draw(st.integers(0, 2))
    return BatchAnswer(
        evaluated=evaluated,
        failed=len(failures) + unnamed,
        failures=failures,
        evaluations=2 * evaluated,
        message=draw(errors),
    )


def check_conserved(chunk: Chunk, settled: Settlement) -> None:
    """Insist that each session has an outcome or is in exactly one child, and that the counts say so."""
    ids = chunk.content.session_ids
    moved = [id_ for child in settled.children for id_ in child.session_ids]
    outcomes = settlement.outcomes(chunk, settled)
    ended = [outcome.session_id for outcome in outcomes]
    assert Counter([*moved, *ended]) == Counter(ids)
    assert all(child.session_ids for child in settled.children), "a child without sessions cannot be sent"
    assert all(len(child.session_ids) <= len(ids) for child in settled.children)
    by_status = Counter(outcome.status for outcome in outcomes)
    assert {status: settled.count(status) for status in OutcomeStatus} == {
        status: by_status[status] for status in OutcomeStatus
    }
    totals = Totals()
    totals.add(settled)
    assert totals.done == len(ended)
    report = totals.report(unresolved=len(moved), requests=1, retries=0, elapsed=0.0, journal=None)
    assert report.sessions_requested == len(ids)
    assert len(report.failures) == by_status[OutcomeStatus.FAILED]


@given(data=st.data(), chunk=chunks())
def test_an_answer_conserves_sessions(data: st.DataObject, chunk: Chunk) -> None:
    """By an answer, with the rows where it names too few, every session ends."""
    answer = data.draw(answers_to(chunk))
    settled = settlement.by_answer(chunk, answer)
    if settled is None:
        settled = settlement.by_answer_and_rows(chunk, answer, data.draw(findings_of(chunk)))
    check_conserved(chunk, settled)
    failed = {
        outcome.session_id
        for outcome in settlement.outcomes(chunk, settled)
        if outcome.status is OutcomeStatus.FAILED
    }
    assert failed >= set(answer.failures)


@given(data=st.data(), chunk=chunks())
def test_rows_conserve_sessions(data: st.DataObject, chunk: Chunk) -> None:
    """By the rows, covered sessions are evaluated, ended ones have failed, the others go on, each once."""
    findings = data.draw(findings_of(chunk))
    settled = settlement.by_rows(chunk, findings, "lost")
    check_conserved(chunk, settled)
    moved = {id_: child for child in settled.children for id_ in child.session_ids}
    for id_ in chunk.content.session_ids:
        if id_ in findings.missing:
            assert moved[id_].metrics == findings.missing[id_]
        elif id_ in findings.covered:
            assert id_ not in moved
        elif id_ in findings.failures:
            assert settled.others[id_] == (OutcomeStatus.FAILED, findings.failures[id_])
        elif id_ in moved:
            assert moved[id_].metrics == chunk.content.metrics
            assert moved[id_].attempts > chunk.content.attempts


@given(data=st.data(), chunk=chunks())
def test_scores_go_along_with_their_sessions(data: st.DataObject, chunk: Chunk) -> None:
    """Each evaluated session has the scores that were found, and no other has any."""
    findings = data.draw(findings_of(chunk))
    settled = settlement.by_rows(chunk, findings, "lost")
    given = {outcome.session_id: outcome.scores for outcome in settlement.outcomes(chunk, settled)}
    moved = {id_ for child in settled.children for id_ in child.session_ids}
    for id_ in chunk.content.session_ids:
        if id_ not in moved:
            assert given[id_] == findings.scores.get(id_)


@given(data=st.data(), chunk=chunks())
def test_a_refusal_conserves_sessions(data: st.DataObject, chunk: Chunk) -> None:
    """A refused chunk shrinks: whoever is named fails, the others go on in smaller chunks."""
    ids = chunk.content.session_ids
    named = data.draw(st.lists(st.sampled_from(ids), unique=True))
    error: ApiError = (
        NotFoundError(404, f"Sessions not found: {', '.join(named)}")
        if named
        else ApiError(data.draw(st.sampled_from([400, 413, 422])), "no")
    )
    settled = settlement.by_refusal(chunk, error)
    check_conserved(chunk, settled)
    assert all(len(child.session_ids) < len(ids) for child in settled.children)
    if named:
        assert set(settled.others) == set(named)
    assert all(child.metrics == chunk.content.metrics for child in settled.children)


def test_a_word_that_is_an_id_by_chance_names_nobody() -> None:
    """Short ids are looked for one by one, not in the words of a message."""
    content = NewChunk(session_ids=("not", "found", "x"))
    chunk = Chunk(number=1, content=content, state=ChunkState.SENT, sent_at=1.0)
    settled = settlement.by_refusal(chunk, NotFoundError(404, "Sessions not found: x"))
    assert settled.others == {}
    assert [len(child.session_ids) for child in settled.children] == [2, 1]
