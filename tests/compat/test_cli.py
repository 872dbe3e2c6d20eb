"""The official command line, which makes its commands from the emulator's description of its API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from galtea_async.emulator import EmulatorRules

if TYPE_CHECKING:
    from pathlib import Path

    from compat.conftest import Service
    from compat.terminal import Outcome, Terminal


def waited_for(terminal: Terminal, *arguments: str) -> Outcome:
    """List evaluations until none of them is pending; judging takes a moment."""
    for _ in range(20):
        listed = terminal.run("evaluations", "list", *arguments).succeeded()
        if "PENDING" not in [one["status"] for one in listed.json]:
            return listed
    raise AssertionError("the evaluations stay pending")


def evaluated(service: Service, terminal: Terminal) -> list[str]:
    """Two sessions of the version, evaluated by one metric from the command line; their ids."""
    metric_id = service.do(service.emulator.add_metric, service.product_id, name="Tone")
    service.do(service.emulator.add_specification, service.product_id, metric_ids=[metric_id])
    session_ids = service.do(service.emulator.add_sessions, service.version_id, 2, turns=1)
    arguments = ("create-from-sessions", f"versionId: {service.version_id}")
    answer = terminal.run("evaluations", *arguments).succeeded().json
    assert (answer["sessionsEvaluated"], answer["evaluationsCreated"], answer["failures"]) == (2, 2, [])
    return session_ids


def test_it_logs_in_and_knows_whose_key_it_has(service: Service, terminal: Terminal) -> None:
    """The key is checked, the description fetched, both without a question."""
    assert "authenticated" in terminal.run("whoami").succeeded().output
    requests = service.requests()
    assert ("GET", "/minimum-sdk-version", 200) in requests
    assert ("GET", "/openapi.json", 200) in requests


def test_it_does_not_log_in_with_a_key_that_nobody_has(service: Service, tmp_path: Path) -> None:
    """A key of the right form that the service does not know is refused."""
    from compat.terminal import Terminal

    stranger = Terminal(home=tmp_path)
    outcome = stranger.run("login", "--host", service.emulator.url, api_key="gsk_0123456789abcdef0123")
    assert outcome.status != 0
    assert ("GET", "/minimum-sdk-version", 401) in service.requests()
    assert "authenticated" not in stranger.run("whoami").output


def test_it_makes_a_command_of_every_operation(service: Service, terminal: Terminal) -> None:
    """After a sync, each route can be called: its tag is the noun, its verb the command."""
    terminal.run("sync").succeeded()
    routes = [route for route in service.emulator.routes if route.is_described]
    for tag in {route.tag for route in routes}:
        noun = tag.lower().replace(" ", "-")
        shown = terminal.run(noun, "--help").succeeded().output
        commands = {line.split()[0] for line in shown.splitlines() if line.startswith("  ")}
        assert {route.verb for route in routes if route.tag == tag} <= commands


def test_the_help_of_a_command_says_what_its_flags_mean(terminal: Terminal) -> None:
    """The words are those of the description."""
    shown = " ".join(terminal.run("sessions", "list", "--help").succeeded().output.split())
    for words in (
        "How many rows at most",
        "Created at this time or later",
        "Runs in which it was created or evaluated",
    ):
        assert words in shown


def test_sessions_are_listed_by_several_versions(service: Service, terminal: Terminal) -> None:
    """Values with commas between them arrive as several; sorted and cut into pages."""
    other = service.do(service.emulator.add_version, service.product_id)
    mine = service.do(service.emulator.add_sessions, service.version_id, 2)
    theirs = service.do(service.emulator.add_sessions, other, 1)
    versions = ("--version-ids", f"{service.version_id},{other}")
    listed = terminal.run("sessions", "list", *versions, "--statuses", "COMPLETED").succeeded().json
    assert {one["id"] for one in listed} == {*mine, *theirs}
    assert service.emulator.requests[-1].query == [
        ("statuses", "COMPLETED"),
        ("versionIds", service.version_id),
        ("versionIds", other),
    ]
    pages = [
        terminal.run("sessions", "list", *versions, "--sort", "createdAt,asc", "--limit=2", f"--offset={at}")
        for at in (0, 2)
    ]
    assert [len(page.succeeded().json) for page in pages] == [2, 1]


def test_a_session_is_created_finished_and_deleted(service: Service, terminal: Terminal) -> None:
    """Bodies are written as `name: value` pairs."""
    body = f"versionId: {service.version_id}, customId: chat-1, isProduction: false, metadata{{channel: web}}"
    created = terminal.run("sessions", "create", body).succeeded().json
    assert (created["customId"], created["isProduction"], created["metadata"]) == (
        "chat-1",
        False,
        {"channel": "web"},
    )
    finished = terminal.run("sessions", "finish", created["id"], "stoppingReason: DONE").succeeded().json
    assert (finished["status"], finished["stoppingReason"]) == ("COMPLETED", "DONE")
    assert terminal.run("sessions", "delete", created["id"]).succeeded().output.strip() == "null"
    assert service.do(service.emulator.session_ids, service.version_id) == []


def test_a_version_is_evaluated_in_one_call_and_its_evaluations_listed(
    service: Service, terminal: Terminal
) -> None:
    """All its sessions get an evaluation by the metric, and the list shows how they end."""
    session_ids = evaluated(service, terminal)
    listed = waited_for(terminal, "--version-ids", service.version_id, "--session-ids", ",".join(session_ids))
    assert {one["sessionId"] for one in listed.json} == set(session_ids)
    assert {one["status"] for one in listed.json} == {"SUCCESS"}
    counts = service.do(service.emulator.evaluation_counts, service.version_id)
    assert counts == dict.fromkeys(session_ids, 1)
    [run] = terminal.run("runs", "list", "--version-ids", service.version_id).succeeded().json
    assert (run["kind"], run["sessionCount"]) == ("EVALUATE_SESSION_BATCH", 2)


def test_an_evaluation_is_claimed_submitted_and_released(service: Service, terminal: Terminal) -> None:
    """Each step is answered with the evaluation as it is then."""
    evaluated(service, terminal)
    first = waited_for(terminal, "--version-ids", service.version_id).json[0]
    claimed = terminal.run("evaluations", "claim", first["id"]).succeeded().json
    assert claimed["humanEvaluatorId"] is not None
    assert claimed["humanEvaluatorStartedAt"] is not None
    submitted = terminal.run("evaluations", "submit", first["id"], "score: 0.25, reason: Curt").succeeded()
    assert (submitted.json["humanScore"], submitted.json["humanReason"]) == (0.25, "Curt")
    released = terminal.run("evaluations", "release", first["id"]).succeeded().json
    assert released["humanEvaluatorStartedAt"] is None


@pytest.mark.parametrize("rules", [EmulatorRules(failed_share=1.0)])
def test_failed_evaluations_are_retried_and_deleted(service: Service, terminal: Terminal) -> None:
    """By their ids; what is deleted is not found afterwards, which is an exit status of 4."""
    evaluated(service, terminal)
    listed = waited_for(terminal, "--version-ids", service.version_id, "--can-retry")
    first, second = [one["id"] for one in listed.json]
    retried = terminal.run("evaluations", "retry", f"ids: [{first}, {second}]").succeeded().json
    assert (retried["retried"], retried["skipped"]) == (2, 0)
    terminal.run("evaluations", "delete", first).succeeded()
    terminal.run("evaluations", "delete-batch", f"ids: [{second}]").succeeded()
    gone = terminal.run("evaluations", "get", first)
    assert (gone.status, gone.json) == (4, {"message": f"Evaluation {first} not found"})


def test_one_session_and_one_turn_are_evaluated(service: Service, terminal: Terminal) -> None:
    """Both are answered with the evaluations that have been made."""
    service.do(service.emulator.add_metric, service.product_id, name="Tone")
    [session_id] = service.do(service.emulator.add_sessions, service.version_id, 1, turns=1)
    metrics = "metrics: [{name: Tone}]"
    [of_session] = terminal.run(
        "evaluations", "create-from-session", f"sessionId: {session_id}, {metrics}"
    ).json
    assert (of_session["sessionId"], of_session["inferenceResultId"]) == (session_id, None)
    [turn] = terminal.run("traces", "list", "--session-ids", session_id).succeeded().json
    body = f"inferenceResultId: {turn['id']}, {metrics}"
    [of_turn] = terminal.run("evaluations", "create-from-trace", body).succeeded().json
    assert (of_turn["sessionId"], of_turn["inferenceResultId"]) == (session_id, turn["id"])


def test_the_catalogue_is_read(service: Service, terminal: Terminal) -> None:
    """Products by name, versions by product, metrics without the legacy ones."""
    service.do(service.emulator.add_metric, service.product_id, name="Tone")
    [product] = terminal.run("products", "list", "--names", "Assistant").succeeded().json
    assert product["id"] == service.product_id
    [version] = terminal.run("versions", "list", "--product-ids", service.product_id).succeeded().json
    assert version == terminal.run("versions", "get", service.version_id).succeeded().json
    [metric] = terminal.run("metrics", "list", "--include-legacy=false").succeeded().json
    assert metric["name"] == "Tone"


def test_a_refusal_is_shown_and_told_by_the_exit_status(service: Service, terminal: Terminal) -> None:
    """What the service says is printed, and nothing is sent twice."""
    service.requests()
    refused = terminal.run("sessions", "list", "--sort", "createdAt")
    assert (refused.status, refused.json) == (4, {"message": "sort takes pairs of a field and a direction"})
    service.do(service.emulator.revoke_key)
    assert terminal.run("products", "list").status == 4
    assert service.requests() == [("GET", "/sessions", 400), ("GET", "/products", 401)]
