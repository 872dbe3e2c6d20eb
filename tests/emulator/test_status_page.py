"""The status page at `/`: what it shows, to whom, and that nothing on it can be a stranger's HTML."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import TYPE_CHECKING

import aiohttp
import pytest
from emulator.api import connected
from emulator.page import Page, page_of
from emulator.pandaprobe_api import batch
from emulator.pandaprobe_api import connected as connected_to_pandaprobe

from galtea_async.emulator import (
    Answer,
    BackgroundGaltea,
    EmulatorRules,
    Fault,
    GalteaEmulator,
    PandaProbeEmulator,
    PandaProbeRules,
    Reset,
    Truncate,
)

if TYPE_CHECKING:
    from pathlib import Path

    from emulator.api import Api

HOSTILE = """<script>alert(1)</script><img src=x onerror="alert(2)">'&amp;"</td></table>\x1b[31m\n"""
SHOWN = HOSTILE.replace("\x1b", "\N{REPLACEMENT CHARACTER}").replace("\n", "\N{REPLACEMENT CHARACTER}")
BROWSER_HEADERS = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)


async def page(api: Api) -> Page:
    answer = await api.send("GET", "/", headers=BROWSER_HEADERS)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    return page_of(answer.content.decode())


def table(page: Page, beginning: str) -> list[list[str]]:
    [found] = [rows for caption, rows in page.tables.items() if caption.startswith(beginning)]
    return found


async def test_the_page_shows_what_there_is() -> None:
    """Versions, statuses, the last requests with their faults, and how the emulator is set."""
    rules = EmulatorRules(runs=False, failed_share=0.0, skipped_share=0.0)
    faults = [
        Fault(route="GET /sessions", action=Answer(502), nth=1),
        Fault(route="GET /tests", action=Reset()),
    ]
    emulator = GalteaEmulator(seed=5, latency=0.25, rules=rules, faults=faults, judging=(1.0, 1.0))
    async with emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=1_200, name="v7")
        await api.evaluate((await emulator.session_ids(version_id))[:2])
        await api.get("/sessions", *[("ids", f"session_{number}") for number in range(9)])
        await asyncio.sleep(2)
        shown = await page(api)
        assert shown.title == "Galtea emulator"
        assert table(shown, "versions")[1:] == [
            [version_id, "v7", table(shown, "versions")[1][2], "1,200", "4"]
        ]
        assert table(shown, "sessions")[1:] == [["COMPLETED", "1,200"]]
        assert table(shown, "evaluations")[1:] == [["SUCCESS", "4"]]
        newest, oldest = table(shown, "requests: the last 2 of 2")[1:]
        assert newest[1:4] == ["502", "250 ms", "GET"]
        assert newest[4:] == ["/sessions?ids=session_0,… (9 in all)", "GET /sessions:answer=502:nth=1"]
        assert oldest[1:] == ["200", "250 ms", "POST", "/evaluations/fromSessions", ""]
        assert table(shown, "setting")[1:] == [
            ["seed", "5"],
            ["latency", "250ms"],
            ["fault", "GET /sessions:answer=502:nth=1"],
            ["fault", "GET /tests:reset"],
            ["rule runs", "False"],
            ["rule failed_share", "0.0"],
            ["rule skipped_share", "0.0"],
        ]


async def test_an_empty_emulator_says_that_there_is_nothing() -> None:
    """Each table is there, and says `none`."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        shown = await page(api)
        for name in ("versions", "sessions", "evaluations", "requests: the last 0 of 0"):
            assert table(shown, name)[1:] == [["none"]]


async def test_only_the_last_requests_are_shown() -> None:
    """Fifty of them, the newest first, and how many there were."""
    async with GalteaEmulator(records_requests=False) as emulator, connected(emulator) as api:
        for number in range(260):
            await api.get(f"/sessions/{number}")
        rows = table(await page(api), "requests: the last 50 of 260")[1:]
        assert [row[4] for row in rows] == [f"/sessions/{number}" for number in range(259, 209, -1)]


async def test_a_request_that_waits_is_under_way() -> None:
    """A request without an answer yet is shown as such; a lost answer and half of one are told apart."""
    faults = [
        Fault(route="POST /sessions", action=Reset()),
        Fault(route="GET /sessions", action=Truncate(1)),
    ]
    async with GalteaEmulator(faults=faults) as emulator, connected(emulator, patience=10) as api:
        with pytest.raises(OSError, match="reset"):
            await api.post("/sessions", {})
        with pytest.raises(aiohttp.ClientPayloadError):
            await api.get("/sessions")
        emulator.latency = 60
        waiting = asyncio.ensure_future(api.get("/runs"))
        await asyncio.sleep(1)
        newest, half, lost = table(await page(api), "requests")[1:]
        assert newest[1:3] == ["no answer", "under way"]
        assert (half[1], lost[1]) == ("200, cut", "no answer")
        with pytest.raises(TimeoutError):
            await waiting


async def test_nothing_on_the_page_is_a_strangers_html() -> None:
    """Hostile names, paths, queries, faults and rules are shown as texts, without control characters."""
    fault = Fault(route="GET /tests", action=Answer(500, body=HOSTILE))
    async with GalteaEmulator(faults=[fault]) as emulator, connected(emulator) as api:
        product_id = await emulator.add_product(HOSTILE)
        await emulator.add_version(product_id, sessions=1, name=HOSTILE)
        plain = (await page(api)).tags
        await api.get("/sessions", (HOSTILE, "x"))
        shown = await page(api)
        assert table(shown, "versions")[1][1:3] == [SHOWN, SHOWN]
        assert table(shown, "requests")[1][4] == f"/sessions?{SHOWN}=x"
        assert not {"script", "img"} & set(shown.tags)
        assert shown.tags.count("table") == plain.count("table") == 5
        assert not [name for name, _ in shown.attributes if name.startswith("on")]


async def test_the_page_needs_nothing_from_elsewhere() -> None:
    """No script, no address but its own, and a policy that forbids both."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        answer = await api.send("GET", "/", headers=BROWSER_HEADERS)
        html = answer.content.decode()
        assert "script" not in html
        assert "http://" not in html
        assert "https://" not in html
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/*", ""])
async def test_clients_of_the_api_find_nothing_there(accept: str) -> None:
    """Without `text/html` among what is accepted, `/` is an unknown route, as at the service."""
    async with GalteaEmulator() as emulator, connected(emulator) as api:
        answer = await api.send("GET", "/", headers={"Accept": accept})
        assert (answer.status, "Cannot GET /" in answer.content.decode()) == (404, True)
    async with PandaProbeEmulator() as other, connected_to_pandaprobe(other) as api:
        answer = await api.send("GET", "/", headers={"Accept": accept})
        assert (answer.status, answer.json) == (404, {"detail": "Not Found"})


async def test_the_page_is_no_request_of_the_services() -> None:
    """It is not recorded, and faults, latency, keys and rate limits leave it alone."""
    emulator = GalteaEmulator(faults=[Fault(action=Reset())], latency=30, rate_limit=(1, 1_000))
    async with emulator, connected(emulator, api_key="wrong") as api:
        asked_at = asyncio.get_running_loop().time()
        for _ in range(3):
            await page(api)
        assert asyncio.get_running_loop().time() - asked_at < 1
        assert emulator.requests == []


async def test_pandaprobe_has_a_page_too() -> None:
    """Projects, runs and scores of the other service."""
    emulator = PandaProbeEmulator(rules=PandaProbeRules(workers=2))
    async with emulator, connected_to_pandaprobe(emulator) as api:
        await batch(api, await emulator.add_sessions(3, traces=2))
        await asyncio.sleep(5)
        shown = await page(api)
        assert shown.title == "PandaProbe emulator"
        assert table(shown, "projects")[1:] == [[emulator.project_name, emulator.project_id, "3", "6"]]
        assert table(shown, "runs")[1:] == [["COMPLETED", "1"]]
        assert table(shown, "scores")[1:] == [["SUCCESS", "3"]]
        assert table(shown, "setting")[-1] == ["rule workers", "2"]


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome here")
def test_a_browser_shows_the_page(tmp_path: Path) -> None:
    """A real browser renders the page, and finds hostile names to be texts."""
    assert BROWSER is not None
    with BackgroundGaltea(GalteaEmulator()) as emulator:
        version_id = emulator.add_version(emulator.add_product(HOSTILE), sessions=3, name=HOSTILE)
        command = [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}",
            f"--screenshot={tmp_path / 'page.png'}",
            "--dump-dom",
            emulator.url,
        ]
        ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50)
        assert emulator.requests == []
    shown = page_of(ended.stdout)
    assert table(shown, "versions")[1] == [version_id, SHOWN, SHOWN, "3", "0"]
    assert table(shown, "sessions")[1:] == [["COMPLETED", "3"]]
    assert not {"script", "img"} & set(shown.tags)
    assert (tmp_path / "page.png").stat().st_size > 5_000
