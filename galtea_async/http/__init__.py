"""From a call to the network and back: transport (one exchange), dispatcher (when, how often, how many)."""

from galtea_async.http.admission import Admission
from galtea_async.http.aiohttp_transport import AiohttpTransport
from galtea_async.http.backoff import BackOff
from galtea_async.http.call import Call
from galtea_async.http.channel import Channel
from galtea_async.http.dispatcher import Dispatcher
from galtea_async.http.exchange import Answer, Exchange, Loss, WireRequest
from galtea_async.http.gauge import JobGauge
from galtea_async.http.meter import Meter, metered
from galtea_async.http.server_clock import ServerClock, TimeSpan
from galtea_async.http.statistics import Statistics
from galtea_async.http.transport import Transport

__all__ = [
    "Admission",
    "AiohttpTransport",
    "Answer",
    "BackOff",
    "Call",
    "Channel",
    "Dispatcher",
    "Exchange",
    "JobGauge",
    "Loss",
    "Meter",
    "ServerClock",
    "Statistics",
    "TimeSpan",
    "Transport",
    "WireRequest",
    "metered",
]
