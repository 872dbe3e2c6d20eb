"""Every exception of `galtea_async`, in one tree that is split by what the caller can do next.

```text
GalteaError
├── ConfigurationError        fix the settings of the client
├── InvalidRequestError       fix the arguments; nothing was sent              (also a ValueError)
├── LifecycleError            open the client, or use it in its own loop       (also a RuntimeError)
├── TransportError
│   ├── NotSentError          nothing left this machine: repeat it freely
│   │   └── WouldWaitError    its turn did not come within the time that the caller gave it
│   ├── NoAnswerError         a read whose answer never came whole: repeat it
│   └── UnknownOutcomeError   a write without a verdict: look before repeating
├── DecodeError               the service answered a read with something unreadable
├── ApiError                  the service said no; nothing was done
│   ├── BadRequestError       400, 422
│   ├── AuthenticationError   401
│   ├── PaymentRequiredError  402, or a refusal that speaks of credits or quota
│   ├── PermissionDeniedError 403
│   ├── RequestBlockedError   a proxy refused the request (403/413/414/431): send a smaller one
│   ├── NotFoundError         404
│   ├── ConflictError         409, or a `customId` that exists
│   ├── RateLimitedError      429, after every permitted wait
│   └── ServerError           5xx or 408 to a read
├── BulkEvaluationError       a bulk run ended early; carries its report
├── BulkImportError           an import ended early; carries its report
├── WaitTimeoutError          the time to wait is over; carries what came and what did not
├── StuckRunError             a session run makes no progress: see to the workers, then send it again
└── JournalError              the journal file cannot be used
    └── JournalMismatchError  it belongs to another job
```

Errors are plain data: they pickle, copy and print, and hold no key. Those of aiohttp are never chained.
"""

from galtea_async.errors.api import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitedError,
    RequestBlockedError,
    ServerError,
)
from galtea_async.errors.jobs import (
    BulkEvaluationError,
    BulkImportError,
    JournalError,
    JournalMismatchError,
)
from galtea_async.errors.root import (
    GalteaError,
)
from galtea_async.errors.transport import (
    DecodeError,
    NoAnswerError,
    NotSentError,
    TransportError,
    UnknownOutcomeError,
    WouldWaitError,
)
from galtea_async.errors.usage import (
    ConfigurationError,
    InvalidRequestError,
    LifecycleError,
)
from galtea_async.errors.waiting import (
    StuckRunError,
    WaitTimeoutError,
)

__all__ = [
    "ApiError",
    "AuthenticationError",
    "BadRequestError",
    "BulkEvaluationError",
    "BulkImportError",
    "ConfigurationError",
    "ConflictError",
    "DecodeError",
    "GalteaError",
    "InvalidRequestError",
    "JournalError",
    "JournalMismatchError",
    "LifecycleError",
    "NoAnswerError",
    "NotFoundError",
    "NotSentError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RequestBlockedError",
    "ServerError",
    "StuckRunError",
    "TransportError",
    "UnknownOutcomeError",
    "WaitTimeoutError",
    "WouldWaitError",
]

for _name in __all__:
    globals()[_name].__module__ = __name__  # tracebacks and pickles name the place that is documented
