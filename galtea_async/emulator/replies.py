"""What a handler answers, before it becomes bytes on a connection."""

from __future__ import annotations

import html
from collections.abc import Mapping

import attrs
import msgspec

__all__ = ["JSON", "Problem", "Refusal", "Reply", "html_page", "json_reply", "message_reply", "unknown_route"]

JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"

_EXPRESS_ERROR = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Error</title>
</head>
<body>
<pre>{text}</pre>
</body>
</html>
"""

_NGINX_ERROR = (
    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@attrs.frozen(kw_only=True)
class Reply:
    """A status, a body and what is said about them.

    Attributes:
        status: The HTTP status.
        body: The body, not compressed.
        content_type: The `Content-Type` header; empty for an answer without a body.
        headers: Further headers.
        closes: Whether the connection is closed behind the answer, without announcing it.
    """

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    closes: bool = False


class Refusal(Exception):  # noqa: N818 - it is an answer and not a fault of the program
    """Ends the handling of a request with an answer.

    Args:
        reply: What to answer.
    """

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply


class Problem(Refusal):
    """Ends the handling of a request with an answer in JSON that says what is wrong with it.

    Args:
        status: The HTTP status.
        message: What to tell the caller.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message_reply(status, message))


def json_reply(status: int, value: object) -> Reply:
    """Answer with a value as JSON."""
    return Reply(status=status, body=msgspec.json.encode(value))


def message_reply(status: int, message: str) -> Reply:
    """Answer as the service's shared error handler does: a message and nothing else."""
    return json_reply(status, {"message": message})


def html_page(status: int, title: str) -> Reply:
    """Answer as a proxy in front of the service does: a page for people."""
    return Reply(status=status, body=_NGINX_ERROR.format(title=title).encode(), content_type=_HTML)


def unknown_route(method: str, path: str) -> Reply:
    """Answer as Express does where no route matches."""
    body = _EXPRESS_ERROR.format(text=html.escape(f"Cannot {method} {path}"))
    return Reply(status=404, body=body.encode(), content_type=_HTML)
