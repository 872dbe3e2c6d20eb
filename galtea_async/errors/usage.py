"""What the caller has to change: the settings, the arguments, or where the client is used."""

from __future__ import annotations

from galtea_async.errors.root import GalteaError

__all__ = ["ConfigurationError", "InvalidRequestError", "LifecycleError"]


class ConfigurationError(GalteaError):
    """The settings of the client make no sense; raised while it is built.

    Example:
        >>> AsyncGaltea("gsk_key", base_url="not a url")
        Traceback (most recent call last):
        galtea_async.errors.ConfigurationError: base_url must be an http(s) URL with a host, not 'not a url'
    """


class InvalidRequestError(GalteaError, ValueError):
    """The arguments cannot be right; refused before anything was sent.

    Example:
        >>> await galtea.sessions.create()
        Traceback (most recent call last):
        galtea_async.errors.InvalidRequestError: sessions.create needs version_id or product_id
    """


class LifecycleError(GalteaError, RuntimeError):
    """The client is not open, is closed, or belongs to another event loop or process.

    Example:
        >>> closed = AsyncGaltea("gsk_key")
        >>> await closed.sessions.get("session_1")
        Traceback (most recent call last):
        galtea_async.errors.LifecycleError: the client is not open -> use it inside "async with"
    """
