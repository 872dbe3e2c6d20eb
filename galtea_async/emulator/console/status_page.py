"""The status page: what there is to see of an emulator, in HTML without scripts and without the network."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING

from galtea_async.emulator.console.setting import changed_rules
from galtea_async.emulator.duration_text import duration_as_text
from galtea_async.emulator.fault_text import fault_as_text
from galtea_async.emulator.request_line import duration_line, printable, target_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiohttp import web

    from galtea_async.emulator.console.backstage import Backstage
    from galtea_async.emulator.exchange import Exchange
    from galtea_async.emulator.recording import RecordedRequest

__all__ = ["accepts_pages", "status_page"]

_REQUESTS = 50
_LONGEST_FAULT = 100
_SECONDS_BETWEEN_LOOKS = 5

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 95rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; }
section { overflow-x: auto; }
table { border-collapse: collapse; margin: 1.5rem 0; }
caption { font-weight: 600; padding: .2rem 0; text-align: left; }
caption::first-letter { text-transform: uppercase; }
th, td { border-bottom: 1px solid #8886; padding: .2rem 1.2rem .2rem 0; }
th, td { text-align: left; vertical-align: top; }
th { font-weight: 500; opacity: .7; }
td.number { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
tr.bad td { color: #c33; }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{refresh}">
<link rel="icon" href="data:,">
<title>{service} emulator</title>
<style>{style}</style>
</head>
<body>
<h1>A local {service}</h1>
<p>An emulator: what is here is made up, and goes nowhere. It is {now}. This page renews itself.</p>
{tables}
</body>
</html>
"""


def accepts_pages(request: web.Request) -> bool:
    """Whether a request asks for a page in so many words, as browsers do and clients of an API do not."""
    accepted = request.headers.get("Accept", "").lower().split(",")
    return any(kind.partition(";")[0].strip() == "text/html" for kind in accepted)


def status_page(exchange: Exchange, backstage: Backstage) -> str:
    """Write the page."""
    overview = backstage.overview()
    tables = [
        *(_table(table.name, table.columns, map(_row, table.rows)) for table in overview),
        _requests(exchange),
        _setting(exchange, backstage),
    ]
    return _PAGE.format(
        refresh=_SECONDS_BETWEEN_LOOKS,
        service=escape(backstage.service),
        style=_STYLE,
        now=escape(f"{exchange.clock.now():%Y-%m-%d %H:%M:%S} UTC"),
        tables="\n".join(tables),
    )


def _requests(exchange: Exchange) -> str:
    latest = list(islice(reversed(exchange.recording.latest), _REQUESTS))
    caption = f"requests: the last {len(latest)} of {exchange.recording.count:,}"
    columns = ("time", "status", "duration", "method", "path", "fault")
    return _table(caption, columns, map(_request, latest))


def _request(request: RecordedRequest) -> str:
    is_bad = request.duration is not None and (
        request.status is None or request.status >= 400 or request.is_cut
    )
    cells = [
        _text(f"{request.at:%H:%M:%S}"),
        _text(_status(request)),
        _number(duration_line(request)),
        _text(request.method),
        _code(target_line(request)),
        "<td></td>" if request.fault is None else _code(_shortened(fault_as_text(request.fault))),
    ]
    kind = ' class="bad"' if is_bad else ""
    return f"<tr{kind}>{''.join(cells)}</tr>"


def _status(request: RecordedRequest) -> str:
    if request.status is None:
        return "no answer"
    return f"{request.status}, cut" if request.is_cut else str(request.status)


def _setting(exchange: Exchange, backstage: Backstage) -> str:
    conditions = exchange.conditions
    rows = [
        ("seed", str(backstage.seed)),
        ("latency", duration_as_text(conditions.latency)),
        *(("fault", _shortened(fault_as_text(fault))) for fault in conditions.faults),
        *((f"rule {name}", repr(value)) for name, value in changed_rules(backstage.rules).items()),
    ]
    return _table(
        "setting", ("what", "value"), (f"<tr>{_text(name)}{_code(value)}</tr>" for name, value in rows)
    )


def _table(caption: str, columns: Sequence[str], rows: Iterable[str]) -> str:
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "\n".join(rows) or f'<tr><td colspan="{len(columns)}">none</td></tr>'
    return (
        f"<section><table>\n<caption>{escape(caption)}</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></section>"
    )


def _row(values: Sequence[str | int]) -> str:
    cells = (_number(f"{value:,}") if isinstance(value, int) else _text(value) for value in values)
    return f"<tr>{''.join(cells)}</tr>"


def _text(value: str) -> str:
    return f"<td>{escape(printable(value))}</td>"


def _code(value: str) -> str:
    return f"<td><code>{escape(printable(value))}</code></td>"


def _number(value: str) -> str:
    return f'<td class="number">{escape(value)}</td>'


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_FAULT else f"{text[: _LONGEST_FAULT - 1]}…"
