"""A client with nothing but its shell, for what is the same whatever the service."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager

from galtea_async import RateLimit, RetryPolicy, Timeout
from galtea_async.emulator import PandaProbeEmulator
from galtea_async.events import Observer
from galtea_async.http import ClientShell, Dialect, PerPath, RouteScheme, make_channel
from galtea_async.http.client_shell import MAX_BODY
from galtea_async.secret import Secret

__all__ = ["FEW", "USUAL", "key_headers", "open_shell", "panda_routes", "shell_of"]

KEY = "sk_pp_0123456789"
USUAL = RateLimit(200, 60, shape="window")
FEW = RateLimit(50, 60, shape="window")


def panda_routes(max_concurrency: int = 4) -> PerPath:
    """How PandaProbe counts requests."""
    return PerPath(
        usual=USUAL,
        special={
            "POST /evaluations/session-runs/batch": FEW,
            "POST /evaluations/session-runs": FEW,
            "POST /evaluations/session-runs/{id}/retry": FEW,
            "POST /traces": RateLimit(100, 60, shape="window"),
        },
        max_concurrency=max_concurrency,
    )


def key_headers(emulator: PandaProbeEmulator) -> dict[str, str]:
    """What an emulated PandaProbe lets in."""
    return {"X-API-Key": emulator.api_key, "X-Project-Name": emulator.project_name}


def shell_of(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    routes: RouteScheme | None = None,
    refusals: Dialect | None = None,
    observers: Iterable[Observer] = (),
    retry: RetryPolicy | None = None,
    max_concurrency: int = 4,
) -> ClientShell:
    """Make a shell that counts by paths, unless another scheme is given."""
    channel = make_channel(
        base_url=url,
        headers=headers or {},
        secret_headers={} if headers else {"X-API-Key": Secret(KEY)},
        max_concurrency=max_concurrency,
        max_body=MAX_BODY,
        proxy=None,
        trust_env=False,
        ssl_context=None,
        observers=observers,
        timeout=Timeout(),
        retry=retry or RetryPolicy(),
        routes=routes or panda_routes(max_concurrency),
        refusals=refusals,
    )
    return ClientShell(name="AsyncService", base_url=url, channel=channel)


@asynccontextmanager
async def open_shell(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    routes: RouteScheme | None = None,
    refusals: Dialect | None = None,
    observers: Iterable[Observer] = (),
    retry: RetryPolicy | None = None,
    max_concurrency: int = 4,
) -> AsyncGenerator[ClientShell]:
    """Open a shell, and close it at the end."""
    shell = shell_of(
        url,
        headers=headers,
        routes=routes,
        refusals=refusals,
        observers=observers,
        retry=retry,
        max_concurrency=max_concurrency,
    )
    await shell.open()
    try:
        yield shell
    finally:
        await shell.close()
