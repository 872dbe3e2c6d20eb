"""How an emulator is set."""

from __future__ import annotations

import attrs

__all__ = ["changed_rules"]


def changed_rules(rules: attrs.AttrsInstance) -> dict[str, object]:
    """The rules that differ from their defaults, by name."""
    settings = attrs.asdict(rules, recurse=False)
    defaults = attrs.asdict(type(rules)(), recurse=False)
    return {name: value for name, value in settings.items() if value != defaults[name]}
