"""The plugin for pytest, in processes of its own, as its users run it."""

from __future__ import annotations

import importlib.util
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.blocking import PACKAGE_FOLDER
from support.examples import read_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
SECONDS = 50
NO_ASYNCIO = ("-p", "no:asyncio")
WITH_ASYNCIO = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")


@pytest.fixture
def run_tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Run a file of tests where the package is installed and nothing is configured; warnings are errors."""
    installed = pytester.mkdir("installed")
    declare_plugin(installed)
    paths = [str(PACKAGE_FOLDER.parent), str(installed)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))

    def run(tests: str, *options: str, asyncio_options: tuple[str, ...] = NO_ASYNCIO) -> pytest.RunResult:
        pytester.makepyfile(tests)
        strict = ("-W", "error", "--strict-markers", *asyncio_options)
        return pytester.runpytest_subprocess(*strict, *options, timeout=SECONDS)

    return run


def declare_plugin(folder: Path) -> None:
    """Do what an installation does, so that pytest finds the plugin by itself."""
    points = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["entry-points"]["pytest11"]
    metadata = folder / "galtea_async-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: galtea-async\nVersion: 0\n", "utf-8")
    lines = [f"{name} = {module}" for name, module in points.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]), "utf-8")


def test_a_plain_test_needs_no_configuration(run_tests: Callable[..., pytest.RunResult]) -> None:
    """A synchronous test fills the emulator, and the code under test finds it by the environment."""
    run_tests(
        """
        import asyncio
        import os

        from galtea_async import AsyncGaltea, evaluate_version

        async def job(version_id):
            async with AsyncGaltea() as galtea:
                return await evaluate_version(galtea, version_id)

        def test_job(galtea_emulator):
            version_id = galtea_emulator.add_version(sessions=7)
            assert asyncio.run(job(version_id)).sessions_evaluated == 7
            assert set(galtea_emulator.evaluation_counts(version_id).values()) == {2}
            assert galtea_emulator.requests[0].path == "/evaluations/fromSessions"

        def test_the_environment(galtea_emulator):
            assert os.environ["GALTEA_API_URL"] == galtea_emulator.url
            assert os.environ["GALTEA_API_KEY"] == galtea_emulator.api_key

        def test_without_it():
            assert "GALTEA_API_URL" not in os.environ
            assert "GALTEA_API_KEY" not in os.environ
        """
    ).assert_outcomes(passed=3)


def test_each_test_has_its_own_data(run_tests: Callable[..., pytest.RunResult]) -> None:
    """Nothing of one test is there in the next, and the same seed gives the same ids."""
    run_tests(
        """
        import pytest

        seen = []

        @pytest.mark.parametrize("number", range(3))
        def test_it(galtea_emulator, number):
            assert galtea_emulator.version_ids() == []
            assert galtea_emulator.requests == []
            seen.append(galtea_emulator.add_version(sessions=1))
            assert len(set(seen)) == 1
        """
    ).assert_outcomes(passed=3)


def test_a_marker_sets_the_emulator(run_tests: Callable[..., pytest.RunResult]) -> None:
    """Sessions, turns, faults and settings; the marker of the test adds to that of its class, and wins."""
    run_tests(
        """
        import urllib.error
        import urllib.request

        import pytest

        from galtea_async.emulator import Answer, EmulatorRules, Fault

        def ask(emulator, path):
            headers = {"Authorization": f"Bearer {emulator.api_key}"}
            try:
                request = urllib.request.Request(emulator.url + path, headers=headers)
                with urllib.request.urlopen(request) as answer:
                    return answer.status
            except urllib.error.HTTPError as error:
                with error:
                    return error.status

        @pytest.mark.galtea_emulator(seed=3, sessions=4, turns=1, rules=EmulatorRules(runs=False))
        class TestMarked:
            def test_class(self, galtea_emulator):
                [version_id] = galtea_emulator.version_ids()
                assert len(galtea_emulator.session_ids(version_id)) == 4
                assert ask(galtea_emulator, "/runs") == 404

            faults = ["GET /sessions:answer=502:nth=1", Fault(route="GET /products", action=Answer(503))]

            @pytest.mark.galtea_emulator(sessions=2, faults=faults)
            def test_function(self, galtea_emulator):
                [version_id] = galtea_emulator.version_ids()
                assert len(galtea_emulator.session_ids(version_id)) == 2
                paths = ["/sessions", "/sessions", "/products", "/runs"]
                assert [ask(galtea_emulator, path) for path in paths] == [502, 200, 503, 404]

        @pytest.mark.parametrize(
            "given",
            [
                pytest.param(fault, marks=pytest.mark.galtea_emulator(faults=fault))
                for fault in ("GET /sessions:answer=502", Fault(route="GET /sessions", action=Answer(502)))
            ],
        )
        def test_one_fault_alone(galtea_emulator, given):
            assert len(galtea_emulator.faults) == 1
            assert ask(galtea_emulator, "/sessions") == 502
        """
    ).assert_outcomes(passed=4)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("7", "takes its arguments by name"),
        ("session=7", "unexpected keyword argument 'session'"),
        ("faults=['GET /runs:rest']", "in the fault 'GET /runs:rest'"),
        ("faults='GET /runs:rest'", "in the fault 'GET /runs:rest'"),
        ("rate_limit=20", "rate_limit is a pair of numbers, (requests, seconds)"),
    ],
)
def test_a_mistake_in_a_marker_is_an_error(
    run_tests: Callable[..., pytest.RunResult], arguments: str, said: str
) -> None:
    """The test does not run, and the error says what is wrong."""
    result = run_tests(
        f"""
        import pytest

        @pytest.mark.galtea_emulator({arguments})
        def test_it(galtea_emulator):
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"E *{said}*"])


CLIENT = """
from galtea_async import evaluate_version

@pytest.mark.galtea_emulator(sessions=5)
async def test_client(galtea, galtea_emulator):
    [version_id] = galtea_emulator.version_ids()
    async with galtea:
        report = await evaluate_version(galtea, version_id)
        evaluations = [one async for one in galtea.evaluations.iterate(version_ids=version_id)]
    assert report.sessions_evaluated == 5
    assert len(evaluations) == len(galtea_emulator.evaluations()) == 10
"""


def test_it_works_with_the_plugin_of_anyio(run_tests: Callable[..., pytest.RunResult]) -> None:
    """The client's fixture needs no event loop; the test opens it on its own."""
    run_tests(
        f"""
import pytest

pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"
{CLIENT}
        """
    ).assert_outcomes(passed=1)


@pytest.mark.skipif(not importlib.util.find_spec("pytest_asyncio"), reason="pytest-asyncio is not installed")
def test_it_works_with_pytest_asyncio(run_tests: Callable[..., pytest.RunResult]) -> None:
    """Likewise with the other plugin that runs async tests."""
    run_tests(f"import pytest\n{CLIENT}", asyncio_options=WITH_ASYNCIO).assert_outcomes(passed=1)


def test_it_works_without_any_such_plugin(run_tests: Callable[..., pytest.RunResult]) -> None:
    """A plain test opens the client in a loop that it makes."""
    run_tests(
        """
        import asyncio

        def test_it(galtea, galtea_emulator):
            async def sessions():
                async with galtea:
                    return [session.id async for session in galtea.sessions.iterate(version_ids=version_id)]

            version_id = galtea_emulator.add_version(sessions=2)
            assert asyncio.run(sessions()) == galtea_emulator.session_ids(version_id)
        """,
        "-p",
        "no:anyio",
    ).assert_outcomes(passed=1)


def test_tests_that_do_not_ask_for_it_do_not_pay_for_it(run_tests: Callable[..., pytest.RunResult]) -> None:
    """The emulator is not imported unless a test asks for it, and the plugin can be left out."""
    tests = """
        import sys

        def test_it():
            assert "galtea_async.emulator" not in sys.modules
        """
    run_tests(tests).assert_outcomes(passed=1)
    result = run_tests("def test_it(galtea_emulator): pass", "-p", "no:galtea_async")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *fixture 'galtea_emulator' not found"])


def test_the_how_to_is_true(run_tests: Callable[..., pytest.RunResult]) -> None:
    """The tests on its page pass as they stand there."""
    name = "how-to/test-without-an-account.md"
    blocks = read_blocks(PYPROJECT.parent / "docs" / name, name=name)
    [source] = [block.source for block in blocks if block.reason_not_to_run is not None]
    run_tests(source).assert_outcomes(passed=source.count("def test_"))


def test_pytest_explains_it(run_tests: Callable[..., pytest.RunResult]) -> None:
    """`--fixtures` and `--markers` say what there is."""
    result = run_tests("", "--fixtures")
    result.stdout.fnmatch_lines(
        [
            "galtea_emulator *",
            "*A running local Galtea of the test's own.",
            "galtea *",
            "*to be opened by the test*",
        ]
    )
    run_tests("", "--markers").stdout.fnmatch_lines(["@pytest.mark.galtea_emulator(sessions=0, turns=2, *"])
