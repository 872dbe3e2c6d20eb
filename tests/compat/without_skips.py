"""A plugin for pytest under which whatever is skipped has failed.

Where an official client is not installed, its suite is skipped, which is right on a developer's machine. Who
installs the clients in order to run the suites wants to hear of it: a client that has moved its modules would
otherwise leave a run green that has tried nothing. `nox -s compat` loads the plugin with
`-p compat.without_skips`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]

_Report = TypeVar("_Report", pytest.CollectReport, pytest.TestReport)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let a module fail that is skipped as a whole."""
    return _failed((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)  # outermost: it sees what all others have made of the report
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test fail that is skipped."""
    return _failed((yield))


def _failed(report: _Report) -> _Report:
    is_expected_failure = hasattr(report, "wasxfail")
    if report.skipped and not is_expected_failure:
        report.outcome = "failed"
        report.longrepr = f"skipped, which is a failure here: {report.longrepr}"
    return report
