"""The rules of the page "Create session", checked before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from galtea_async import InvalidRequestError, SessionInput, SessionStatus
from galtea_async.models.converter import unstructure


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"custom_id": "chat-1"},
        {"version_id": "", "product_id": ""},
        {"version_id": "v", "test_case_id": "t", "is_production": True},
        {"version_id": "v", "test_case_id": "t", "context": "x"},
        {"version_id": "v", "test_case_id": "t", "context": {}},
        {"version_id": "v", "run_id": "r", "is_production": True},
    ],
)
def test_what_the_page_forbids(fields: dict[str, Any]) -> None:
    """What the service would refuse is refused here."""
    with pytest.raises(InvalidRequestError):
        SessionInput(**fields)


@pytest.mark.parametrize(
    ("fields", "wire"),
    [
        ({"version_id": "v"}, {"versionId": "v"}),
        ({"product_id": "p"}, {"productId": "p"}),
        ({"version_id": "v", "is_production": False}, {"versionId": "v", "isProduction": False}),
        (
            {"version_id": "v", "test_case_id": "t", "is_production": False},
            {"versionId": "v", "testCaseId": "t", "isProduction": False},
        ),
        ({"version_id": "v", "context": ""}, {"versionId": "v", "context": ""}),
        ({"version_id": "v", "metadata": {}}, {"versionId": "v", "metadata": {}}),
        ({"version_id": "v", "status": SessionStatus.PENDING}, {"versionId": "v", "status": "PENDING"}),
        ({"version_id": "v", "status": "FAILED"}, {"versionId": "v", "status": "FAILED"}),
        ({"version_id": "v", "run_id": "r"}, {"versionId": "v", "runId": "r"}),
    ],
)
def test_what_the_page_allows(fields: dict[str, Any], wire: dict[str, Any]) -> None:
    """What is set is sent, also when it is false or empty; what is not set is left to the service."""
    assert unstructure(SessionInput(**fields)) == wire
