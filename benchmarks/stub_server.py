"""A server that answers at once, or after a latency, and does nothing: the client is what limits the speed.

It speaks just enough HTTP for keep-alive clients that send one request at a time on a connection. The file is
also the script that runs in the other process, so it needs nothing but the standard library.
"""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

__all__ = ["evaluation_page", "stub_server"]

_FIRST: Final = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

_SESSION: Final = {
    "id": "session_0123456789abcdef01234567",
    "versionId": "version_0123456789abcdef01234567",
    "customId": None,
    "userId": "user_0123456789abcdef01234567",
    "testCaseId": None,
    "context": {"value": "It is Monday, and the customer has an open order."},
    "metadata": {"channel": "web", "language": "en"},
    "status": "COMPLETED",
    "stoppingReason": None,
    "error": None,
    "isProduction": True,
    "isSeed": False,
    "recordingUri": None,
    "runId": None,
    "createdAt": "2026-11-21T09:30:00.000Z",
    "deletedAt": None,
}


def evaluation_page(rows: int) -> bytes:
    """Return a page of evaluations as the service would send it, about 870 bytes a row."""
    return json.dumps([_evaluation(number) for number in range(rows)], separators=(",", ":")).encode()


def _evaluation(number: int) -> dict[str, object]:
    return {
        "id": f"evaluation_{number:024x}",
        "metricId": f"metric_{number % 2:024x}",
        "sessionId": f"session_{number // 2:024x}",
        "userId": "user_0123456789abcdef01234567",
        "productId": "product_0123456789abcdef01234567",
        "runId": "run_0123456789abcdef01234567",
        "testCaseId": None,
        "inferenceResultId": None,
        "status": "SUCCESS",
        "score": number % 101 / 100,
        "reason": "The answers are relevant to the questions, and no turn contradicts the context.",
        "error": None,
        "confidence": 0.9,
        "passed": True,
        "metricPassThreshold": 0.5,
        "scoreBreakdown": None,
        "canRetry": False,
        "retriesAttempted": 0,
        "creditsUsed": 2,
        "judgeInputTokens": 1_200 + number % 100,
        "judgeOutputTokens": 80,
        "judgeReasoningTokens": None,
        "longInput": False,
        "conversationSimulatorVersion": None,
        "failedTurns": [],
        "humanEvaluatorId": None,
        "humanEvaluatorStartedAt": None,
        "humanEvaluatorFinishedAt": None,
        "humanScore": None,
        "humanReason": None,
        "createdAt": "2026-11-21T09:30:00.000Z",
        "evaluatedAt": "2026-11-21T09:30:21.500Z",
        "deletedAt": None,
    }


@contextmanager
def stub_server(*, latency: float = 0.0, rows: int = 0, rate: float = 0.0, listed: int = 0) -> Generator[str]:
    """Run the server in another process, and yield its URL.

    Args:
        latency: Seconds before each answer.
        rows: The evaluations of a page.
        rate: How many requests a second are admitted, from a bucket of as many; 0 admits all.
        listed: How many evaluations there are to be listed a page at a time, oldest first, one a
            millisecond; 0 gives the same page to every request.
    """
    command = [sys.executable, "-P", __file__, str(latency), str(rows), str(rate), str(listed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


class _Bucket:
    """Tokens that flow in at a rate; as many as flow in within a second fit in."""

    def __init__(self, rate: float) -> None:
        self._rate = self._tokens = rate
        self._filled_at = time.monotonic()

    def wait(self) -> int:
        """Take a token and return 0, or return the whole seconds until there is one."""
        if not self._rate:
            return 0
        now = time.monotonic()
        self._tokens = min(self._rate, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return max(1, math.ceil((1 - self._tokens) / self._rate))


class _List:
    """Evaluations in the order in which they were made, and the pages of them that are asked for."""

    def __init__(self, size: int) -> None:
        self.size = size
        template = json.dumps({**_evaluation(0), "id": "ID", "createdAt": "CREATED"}, separators=(",", ":"))
        self._before, middle, self._after = template.partition('"ID"')
        between, _, self._after = self._after.partition('"CREATED"')
        self._between = between
        assert middle, "the template has an id"

    def page(self, target: str) -> bytes:
        """Return the page that a request names by `fromCreatedAt`, `offset` and `limit`."""
        query = parse_qs(urlsplit(target).query)
        start = 0
        if "fromCreatedAt" in query:
            moment = datetime.fromisoformat(query["fromCreatedAt"][0])
            start = round((moment - _FIRST).total_seconds() * 1_000)
        start += int(query.get("offset", ["0"])[0])
        end = min(self.size, start + int(query.get("limit", ["1000"])[0]))
        return f"[{','.join(self._row(number) for number in range(start, end))}]".encode()

    def _row(self, number: int) -> str:
        created = (_FIRST + timedelta(milliseconds=number)).isoformat(timespec="milliseconds")
        return f'{self._before}"evaluation_{number:024x}"{self._between}"{created}"{self._after}'


class _Answers:
    """The bytes of each kind of answer."""

    def __init__(self, rows: int, rate: float, listed: int) -> None:
        self._list = _List(listed)
        self._bucket = _Bucket(rate)
        self._session = _framed(201, json.dumps(_SESSION).encode())
        self._page = _framed(200, evaluation_page(rows))
        self._batches: dict[int, bytes] = {}

    def to(self, line: bytes, body: bytes) -> bytes:
        """Return the answer to a request, by its first line."""
        wait = self._bucket.wait()
        if wait:
            return _framed(429, b"{}", f"Retry-After: {wait}\r\n")
        if line.startswith(b"GET /evaluations"):
            return _framed(200, self._list.page(line.split()[1].decode())) if self._list.size else self._page
        if line.startswith(b"POST /sessions"):
            return self._session
        if line.startswith(b"POST /evaluations/fromSessions"):
            return self._batch(body.count(b'","') + 1)
        return _framed(404, b"{}")

    def _batch(self, count: int) -> bytes:
        answer = self._batches.get(count)
        if answer is None:
            batch: dict[str, object] = {
                "sessionsEvaluated": count,
                "sessionsFailed": 0,
                "evaluationsCreated": 2 * count,
                "failures": [],
                "message": f"Dispatched {2 * count} evaluations for {count} sessions.",
            }
            answer = self._batches[count] = _framed(200, json.dumps(batch).encode())
        return answer


class _Connection(asyncio.Protocol):
    def __init__(self, answers: _Answers, latency: float) -> None:
        self._answers = answers
        self._latency = latency
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        end = received.find(b"\r\n\r\n") + 4
        if end < 4 or len(received) < end + _length(received[:end]):
            return
        answer = self._answers.to(bytes(received[: received.index(b"\r\n")]), bytes(received[end:]))
        received.clear()
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(answer)


def _length(head: bytearray) -> int:
    name = b"content-length:"
    lines = (line for line in bytes(head).lower().split(b"\r\n") if line.startswith(name))
    return int(next(lines, name + b"0").removeprefix(name))


def _framed(status: int, body: bytes, headers: str = "") -> bytes:
    lines = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return f"HTTP/1.1 {status} OK\r\n{lines}".encode() + body


async def _serve(latency: float, rows: int, rate: float, listed: int) -> None:
    answers = _Answers(rows, rate, listed)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answers, latency), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
