"""Building a client of PandaProbe: who asks, for which project, and what is read from where."""

from __future__ import annotations

import datetime
import pickle
from typing import Any

import pytest
from pandaprobe.world import RELIABILITY, open_world

from galtea_async import AsyncPandaProbe, AuthenticationError, ConfigurationError, LifecycleError, RateLimit
from galtea_async.emulator import PandaProbeEmulator
from support.raw_server import RawRequest, RawServer, json_answer

KEY = "sk_pp_0123456789"
TOKEN = "header.payload.signature"
PROJECT_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
EMPTY = json_answer(200, '{"items": [], "total": 0, "limit": 20, "offset": 0}')


async def sent_by(**settings: Any) -> RawRequest:
    """The request that a client of these settings makes."""
    async with RawServer(EMPTY) as server, AsyncPandaProbe(base_url=server.url, **settings) as panda:
        assert await panda.session_runs.list() == []
    return server.requests[0]


async def test_a_key_and_a_project() -> None:
    """A key goes with the project's name, and nothing of the other pair is sent."""
    request = await sent_by(api_key=KEY, project_name="support bot", headers={"X-Team": "blue"})
    assert request.header("x-api-key") == KEY
    assert request.header("x-project-name") == "support bot"
    assert request.header("x-team") == "blue"
    assert request.header("authorization") is None
    assert request.header("x-project-id") is None


async def test_a_token_and_a_project() -> None:
    """A token goes with the project's id, and nothing of the other pair is sent."""
    request = await sent_by(token=TOKEN, project_id=PROJECT_ID.upper())
    assert request.header("authorization") == f"Bearer {TOKEN}"
    assert request.header("x-project-id") == PROJECT_ID
    assert request.header("x-api-key") is None
    assert request.header("x-project-name") is None


async def test_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, project and address come from the variables of the vendor's own client."""
    async with RawServer(EMPTY) as server:
        monkeypatch.setenv("PANDAPROBE_API_KEY", KEY)
        monkeypatch.setenv("PANDAPROBE_PROJECT_NAME", "support bot")
        monkeypatch.setenv("PANDAPROBE_ENDPOINT", f"{server.url}/")
        async with AsyncPandaProbe() as panda:
            await panda.session_runs.list()
    (request,) = server.requests
    assert request.target == "/evaluations/session-runs?limit=20"
    assert (request.header("x-api-key"), request.header("x-project-name")) == (KEY, "support bot")


async def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given counts; a token sets the key of the environment aside altogether."""
    monkeypatch.setenv("PANDAPROBE_API_KEY", "sk_pp_other")
    monkeypatch.setenv("PANDAPROBE_PROJECT_NAME", "other")
    monkeypatch.setenv("PANDAPROBE_ENDPOINT", "http://127.0.0.1:9")
    request = await sent_by(api_key=KEY)
    assert (request.header("x-api-key"), request.header("x-project-name")) == (KEY, "other")
    request = await sent_by(token=TOKEN, project_id=PROJECT_ID)
    assert request.header("x-api-key") is None
    assert request.header("x-project-name") is None


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "PANDAPROBE_API_KEY"),
        ({"project_name": "p"}, "PANDAPROBE_API_KEY"),
        ({"api_key": KEY}, "PANDAPROBE_PROJECT_NAME"),
        ({"api_key": "sk pp", "project_name": "p"}, "copy it again"),
        ({"api_key": KEY, "token": TOKEN, "project_name": "p", "project_id": PROJECT_ID}, "mixture"),
        ({"api_key": KEY, "project_id": PROJECT_ID}, "mixture"),
        ({"project_name": "p", "token": TOKEN}, "mixture"),
        ({"project_name": "p", "token": TOKEN, "project_id": PROJECT_ID}, "mixture"),
        ({"token": TOKEN}, "project_id is missing"),
        ({"project_id": PROJECT_ID}, "token is missing"),
        ({"token": "", "project_id": PROJECT_ID}, "token"),
        ({"token": f"Bearer {TOKEN}", "project_id": PROJECT_ID}, "without the word Bearer"),
        ({"token": "tökén", "project_id": PROJECT_ID}, "non-ASCII"),
        ({"token": "a\nb", "project_id": PROJECT_ID}, "control"),
        ({"token": TOKEN, "project_id": "support bot"}, "UUID"),
        ({"token": TOKEN, "project_id": ""}, "UUID"),
        ({"token": TOKEN, "project_id": 5}, "UUID"),
        *[
            ({"api_key": KEY, "project_name": name}, "project_name has")
            for name in ("", " ", " p", "p ", "-p", "p.", "p/q", "prüfung", "p\n", "p\tq", "x" * 256, 5)
        ],
        *[
            ({"api_key": KEY, "project_name": "p", "headers": {name: "x"}}, "sets the header")
            for name in ("x-api-key", "X-Project-Name", "x-project-id", "Authorization")
        ],
        ({"api_key": KEY, "project_name": "p", "base_url": "not a url"}, "base_url"),
        ({"api_key": KEY, "project_name": "p", "max_concurrency": 0}, "max_concurrency"),
        ({"api_key": KEY, "project_name": "p", "max_body": 0}, "max_body"),
        ({"api_key": KEY, "project_name": "p", "proxy": "nowhere"}, "proxy"),
        ({"api_key": KEY, "project_name": "p", "observers": [5]}, "observer"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], problem: str) -> None:
    """What cannot work is refused when the client is built, and no key or token is shown."""
    with pytest.raises(ConfigurationError, match=problem) as caught:
        AsyncPandaProbe(**settings)
    assert KEY not in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("name", ["p", "7", "x" * 255, "Anna's bot_v1.2 - test"])
def test_names_that_projects_may_have(name: str) -> None:
    """What the service allows is allowed."""
    assert "closed" in repr(AsyncPandaProbe(KEY, project_name=name))


async def test_both_pairs_reach_the_same_project() -> None:
    """With either pair of credentials the emulated service lets the client in."""
    async with PandaProbeEmulator() as emulator:
        await emulator.add_sessions(2)
        settings: list[dict[str, Any]] = [
            {"api_key": emulator.api_key, "project_name": emulator.project_name},
            {"token": emulator.token, "project_id": emulator.project_id},
        ]
        for pair in settings:
            async with AsyncPandaProbe(base_url=emulator.url, **pair) as panda:
                assert len(await panda.sessions.list()) == 2


async def test_a_key_that_is_wrong() -> None:
    """A wrong key is an `AuthenticationError` that does not show it."""
    async with (
        PandaProbeEmulator() as emulator,
        AsyncPandaProbe(KEY, project_name="p", base_url=emulator.url) as panda,
    ):
        with pytest.raises(AuthenticationError) as caught:
            await panda.session_metrics.list()
        assert KEY not in f"{caught.value!r} {caught.value} {panda!r}"


@pytest.mark.parametrize(
    "panda",
    [AsyncPandaProbe(KEY, project_name="p"), AsyncPandaProbe(token=TOKEN, project_id=PROJECT_ID)],
    ids=["key", "token"],
)
def test_a_client_keeps_its_secrets(panda: AsyncPandaProbe) -> None:
    """Neither its text nor a pickle shows a key or a token."""
    assert "AsyncPandaProbe https://api.pandaprobe.com closed" in repr(panda)
    assert KEY not in repr(panda)
    assert TOKEN not in repr(panda)
    with pytest.raises(TypeError, match="AsyncPandaProbe"):
        pickle.dumps(panda)


async def test_a_client_is_used_inside_its_block() -> None:
    """Before and after its block a client refuses to work, and a view is not entered by itself."""
    async with PandaProbeEmulator() as emulator:
        panda = AsyncPandaProbe(emulator.api_key, project_name="p", base_url=emulator.url)
        with pytest.raises(LifecycleError):
            await panda.session_runs.list()
        async with panda:
            with pytest.raises(LifecycleError):
                await panda.with_options().__aenter__()
        with pytest.raises(LifecycleError):
            await panda.session_runs.list()


async def test_no_window_is_overrun() -> None:
    """120 runs in a row are paced to the service's 50 a minute: not one request is refused."""
    async with open_world() as world:
        for _ in range(120):
            await world.panda.session_runs.create_batch(world.session_ids[:1], metrics=[RELIABILITY])
        assert world.emulator.rate_limited == 0
        assert world.panda.statistics().sent == 120


async def test_a_known_limit_takes_the_place_of_the_usual_one() -> None:
    """`rate_limit` is what a service of your own allows for runs; the other limits stay."""
    async with open_world(rate_limit=RateLimit(2, 60, shape="window")) as world:
        moments: list[datetime.datetime] = []
        for _ in range(3):
            await world.panda.session_runs.create_batch(world.session_ids[:1], metrics=[RELIABILITY])
            moments.append(world.emulator.requests[-1].at)
            await world.panda.session_runs.list()
        assert (moments[1] - moments[0]).total_seconds() < 5
        assert (moments[2] - moments[0]).total_seconds() >= 60
