"""From a call to the network and back: transport (one exchange), dispatcher (when, how often, how many)."""

from galtea_async.http.account_wide import AccountWide
from galtea_async.http.adaptive_limit import AdaptiveLimit
from galtea_async.http.admission import Admission, Slot
from galtea_async.http.aiohttp_transport import AiohttpTransport
from galtea_async.http.announcer import Announcer
from galtea_async.http.backoff import BackOff
from galtea_async.http.call import Call
from galtea_async.http.call_options import CallOptions
from galtea_async.http.channel import Channel
from galtea_async.http.client_shell import ClientShell, make_channel
from galtea_async.http.declared_rate import DeclaredRate, declared_rate
from galtea_async.http.dialect import Dialect
from galtea_async.http.dispatcher import Dispatcher
from galtea_async.http.exchange import Answer, Exchange, Loss, WireRequest
from galtea_async.http.gauge import JobGauge
from galtea_async.http.learned_rate import LearnedRate
from galtea_async.http.link import Link
from galtea_async.http.meter import Meter, metered
from galtea_async.http.per_path import PerPath
from galtea_async.http.priority import urgently
from galtea_async.http.rate import Rate
from galtea_async.http.retry_budget import RetryBudget
from galtea_async.http.route_class import RouteClass
from galtea_async.http.route_scheme import RouteScheme
from galtea_async.http.route_table import RouteTable
from galtea_async.http.server_clock import ServerClock, TimeSpan
from galtea_async.http.statistics import RouteStatistics, Statistics
from galtea_async.http.transport import Transport

__all__ = [
    "AccountWide",
    "AdaptiveLimit",
    "Admission",
    "AiohttpTransport",
    "Announcer",
    "Answer",
    "BackOff",
    "Call",
    "CallOptions",
    "Channel",
    "ClientShell",
    "DeclaredRate",
    "Dialect",
    "Dispatcher",
    "Exchange",
    "JobGauge",
    "LearnedRate",
    "Link",
    "Loss",
    "Meter",
    "PerPath",
    "Rate",
    "RetryBudget",
    "RouteClass",
    "RouteScheme",
    "RouteStatistics",
    "RouteTable",
    "ServerClock",
    "Slot",
    "Statistics",
    "TimeSpan",
    "Transport",
    "WireRequest",
    "declared_rate",
    "make_channel",
    "metered",
    "urgently",
]
