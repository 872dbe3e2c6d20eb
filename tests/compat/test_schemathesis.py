"""Schemathesis against the emulators: whatever is sent, they answer as they describe themselves.

It makes requests of what the description says, of its bounds, and of what it forbids, and follows what comes
back from one operation to the next.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest
from anyio.from_thread import start_blocking_portal

from galtea_async.emulator import PandaProbeEmulator, PandaProbeRules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from compat.conftest import Service

    from galtea_async.emulator import RecordedRequest

pytest.importorskip("schemathesis")

_COMMAND = Path(sys.executable).parent / "schemathesis"
_SEED = "20260107"
_SECONDS = 240
_HOOKS = Path(__file__).parent / "known_ids.py"
_UNLIMITED = PandaProbeRules(
    run_requests=1_000_000, trace_requests=1_000_000, other_requests=1_000_000, trace_delay=0.0
)

# What the services themselves do not keep: they ignore fields that they do not know, refuse what no schema
# can say (a session that does not exist, two fields that exclude each other), and Galtea answers an unknown
# method as it answers an unknown path.
_NOT_KEPT = "positive_data_acceptance,negative_data_rejection,unsupported_method,allow_header_conformance"


@attrs.frozen(kw_only=True)
class Target:
    """What is tried out.

    Attributes:
        url: Where it is.
        headers: What says who asks.
        ids_by_path: Ids that exist, by the path in which they are asked for.
        ids_by_field: Ids that exist, by the field of a body in which they are sent.
        examples: How many requests are made up for each operation, beside those at the bounds.
    """

    url: str
    headers: Mapping[str, str]
    ids_by_path: Mapping[str, Sequence[str]]
    ids_by_field: Mapping[str, Sequence[str]]
    examples: int = 15


def tried_out(target: Target, folder: Path, *, except_for: str = _NOT_KEPT) -> None:
    """Run schemathesis with all its checks but some; what it prints says how to repeat what fails."""
    settings = folder / "schemathesis.toml"
    settings.write_text(f"hooks = {json.dumps(str(_HOOKS))}\n", encoding="utf-8")
    done = subprocess.run(
        [
            *(str(_COMMAND), "--config-file", str(settings), "run", f"{target.url}/openapi.json"),
            *("--checks", "all", "--exclude-checks", except_for),
            *("--max-examples", str(target.examples), "--seed", _SEED, "--warnings", "off"),
            *(part for name, value in target.headers.items() for part in ("--header", f"{name}: {value}")),
        ],
        env={
            "PATH": os.defpath,
            "HOME": str(folder),
            "NO_COLOR": "1",
            "KNOWN_IDS_BY_PATH": json.dumps(dict(target.ids_by_path)),
            "KNOWN_IDS_BY_FIELD": json.dumps(dict(target.ids_by_field)),
        },
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def check_answered(requests: Sequence[RecordedRequest], least: int) -> None:
    """Each of many requests has got an answer that the emulator meant: a handler that fails sends none."""
    assert len(requests) > least
    assert [(one.method, one.path, one.query, one.body) for one in requests if one.status is None] == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_galtea_answers_as_it_describes_itself(service: Service, tmp_path: Path) -> None:
    """No failure of the server, no status, content or shape that is not described, no way past the key."""
    emulator, do = service.emulator, service.do
    metric_ids = [do(emulator.add_metric, service.product_id) for _ in range(2)]
    test_case_ids = [do(emulator.add_test_case, "test_a")]
    specification_ids = [
        do(emulator.add_specification, service.product_id, metric_ids=metric_ids, test_ids=["test_a"])
    ]
    session_ids = do(emulator.add_sessions, service.version_id, 40, turns=2)
    evaluation_ids = do(emulator.add_evaluations, session_ids[:20])
    versions, products = [service.version_id], [service.product_id]
    by_path = {
        **{f"/sessions/{{id}}{rest}": session_ids[:20] for rest in ("", "/finish")},
        **{f"/evaluations/{{id}}{rest}": evaluation_ids for rest in ("", "/claim", "/release", "/submit")},
        **{f"/specifications/{{id}}{rest}": specification_ids for rest in ("/metrics", "/tests")},
        "/versions/{id}": versions,
    }
    by_field = {
        "sessionId": session_ids[20:],
        "sessionIds": session_ids[20:],
        "versionId": versions,
        "productId": products,
        "testCaseId": test_case_ids,
        "specificationIds": specification_ids,
        "metricIds": metric_ids,
        "testIds": ["test_a"],
        "ids": evaluation_ids,
    }
    headers = {"Authorization": f"Bearer {emulator.api_key}"}
    tried_out(Target(url=emulator.url, headers=headers, ids_by_path=by_path, ids_by_field=by_field), tmp_path)
    check_answered(emulator.requests, 1_000)
    succeeded = {one.route for one in emulator.requests if one.status == 200}
    assert {"/sessions/{id}", "/evaluations/{id}", "/evaluations/{id}/claim"} <= succeeded


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pandaprobe_answers_as_it_describes_itself(tmp_path: Path) -> None:
    """Its failures are those of the server as well: on texts and numbers that its database refuses."""
    emulator = PandaProbeEmulator(rules=_UNLIMITED)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(emulator):
        session_ids = portal.call(partial(emulator.add_sessions, 10, traces=2))
        target = Target(
            url=emulator.url,
            headers={"X-API-Key": emulator.api_key, "X-Project-Name": emulator.project_name},
            ids_by_path={
                "/sessions/{id}": session_ids,
                "/evaluations/session-scores/{id}": session_ids,
            },
            ids_by_field={
                "session_ids": session_ids,
                "metrics": ["agent_reliability", "agent_consistency"],
            },
        )
        tried_out(target, tmp_path, except_for=f"{_NOT_KEPT},not_a_server_error")
        check_answered(emulator.requests, 500)
        broken = [one for one in emulator.requests if one.status == 500]
        assert {one.route for one in broken if one.method == "GET"} <= {
            "/evaluations/session-runs",
            "/evaluations/session-scores",
            "/sessions",
            "/traces",
        }
