"""Bridges to tools that are not needed to run the client. Nothing here is imported unless it is asked for."""

from __future__ import annotations

__all__: list[str] = []
