"""How the tests run: virtual time, no blocking calls, a clean environment, nothing left behind.

An `async def test_...` needs no marker and no fixture: it runs on a fresh event loop whose clock jumps (see
`support.virtual_time`), and fails when it leaves a task or an unseen exception behind (see `support.run`).
Marked `real_time`, it runs on an ordinary loop. It may carry hypothesis' `@given`; each example then gets its
own loop. What a test needs open it opens with `async with`; there are no async fixtures.
"""

from __future__ import annotations

import functools
import gc
import inspect
import os
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from support.blocking import PACKAGE_FOLDER, blocking_calls_are_errors
from support.run import run, run_in_real_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

hypothesis.settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=1_000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

SCRUBBED_NAMES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "WS_PROXY", "WSS_PROXY", "NETRC"}
SCRUBBED_PREFIXES = ("GALTEA_", "PANDAPROBE_", "SSL_CERT_")


def pytest_report_header() -> str:
    """Say which copy of the package is under test: the checkout's, or an installed one."""
    return f"galtea_async: {PACKAGE_FOLDER}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse names of tests with an address in memory: each worker must collect the same names."""
    changing = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if changing:
        raise pytest.UsageError(f"another name in each process, give it an id: {changing[0]}")


def pytest_collection_finish() -> None:
    """Hide what was imported from the garbage collector: collecting after each test is then cheap."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test on its own event loop."""
    runner = run_in_real_time if pyfuncitem.get_closest_marker("real_time") else run
    properties = getattr(pyfuncitem.obj, "hypothesis", None)
    if properties is not None and inspect.iscoroutinefunction(properties.inner_test):
        properties.inner_test = _as_plain_function(runner, properties.inner_test)
        return None
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    runner(pyfuncitem.obj, **_arguments_of(pyfuncitem))
    return True


@pytest.fixture(autouse=True, scope="session")
def _no_blocking_calls() -> Iterator[None]:
    with blocking_calls_are_errors():
        yield


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper() in SCRUBBED_NAMES or name.upper().startswith(SCRUBBED_PREFIXES):
            monkeypatch.delenv(name)


def _arguments_of(pyfuncitem: pytest.Function) -> dict[str, Any]:
    return {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}


def _as_plain_function(runner: Callable[..., Any], test: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(test)
    def plain(*args: Any, **kwargs: Any) -> Any:
        return runner(test, *args, **kwargs)

    return plain
