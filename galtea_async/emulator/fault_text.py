r"""Faults as texts, for command lines and JSON.

A text names a route, what happens, and any number of details, with colons between them:

    POST /evaluations/fromSessions:reset:after:nth=1,3
    GET *:throttle=2s:times=5
    *:answer=503:body="<h1>Down for maintenance</h1>":probability=0.1
    POST /sessions:late=30s:disconnect

- The route is a verb and a path with its placeholders, such as `GET /runs/{id}`. `*` stands for any.
- What happens is `reset`, `disconnect`, `hang`, `corrupt`, `delay=TIME`, `truncate=BYTES`, `throttle`,
  `throttle=TIME`, `throttle="Sat, 21 Nov 2026 04:33:58 GMT"`, `answer=STATUS` or `late=TIME`.
- `late` does the work that much later. A second action says what the client sees instead of an answer:
  `reset`, `disconnect`, `hang`, `throttle` or `answer`; without one it is `hang`.
- With `answer` go `body="..."`, `base64="..."` for a body that is no text, `type="text/plain"`, and
  `header="Name: value"`, which may be repeated.
- The moment is `before` (nothing of the work has been done), `during` or `after`; without one it is `before`.
- `nth=1,3` means the first and the third matching request, `times=5` no more than five of them, and
  `probability=0.1` one in ten.

What stands in double quotes may contain colons; inside, `\"` and `\n` mean what they mean in JSON.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Final

import attrs
import msgspec

from galtea_async.emulator.duration_text import duration_as_text, duration_from_text
from galtea_async.emulator.faults import (
    Action,
    Answer,
    Corrupt,
    Delay,
    Disconnect,
    Fault,
    Hang,
    LateWork,
    Reset,
    Throttle,
    Truncate,
)

__all__ = ["fault_as_text", "fault_from_text"]

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_PART: Final = re.compile(rf'(?:{_QUOTED.pattern}|[^:"])*')
_DEFAULT_TYPE: Final = Answer(200).content_type

_SIMPLE: Final[Mapping[str, Action]] = {
    "reset": Reset(),
    "disconnect": Disconnect(),
    "hang": Hang(),
    "corrupt": Corrupt(),
}
_MEASURED: Final[Mapping[str, Callable[[str], Action]]] = {
    "delay": lambda value: Delay(duration_from_text(value)),
    "truncate": lambda value: Truncate(_whole_number(value)),
    "throttle": lambda value: Throttle(_retry_after(value) if value else None),
    "answer": lambda value: Answer(_status(value)),
    "late": lambda value: LateWork(duration_from_text(value)),
}
_ACTIONS: Final = (*_SIMPLE, *_MEASURED)
_MOMENTS: Final = ("before", "during", "after")
_DETAILS: Final = ("nth", "times", "probability")
_DETAILS_OF_AN_ANSWER: Final = ("body", "base64", "type", "header")


def fault_from_text(text: str) -> Fault:
    """Read a fault; the module's documentation describes the texts.

    Raises:
        ValueError: The text is no fault; the message says what is wrong with it.

    Example:
        >>> from galtea_async.emulator import fault_from_text
        >>> fault = fault_from_text("POST /sessions:reset:after:nth=2")
        >>> fault.route, fault.when, fault.action
        ('POST /sessions', 'after', Reset())
    """
    try:
        route, *parts = _parts(text)
        return _fault(_text(route), [_Part.of(part) for part in parts])
    except ValueError as error:
        raise ValueError(f"in the fault {text!r}: {error}") from None


def fault_as_text(fault: Fault) -> str:
    """Write a fault so that `fault_from_text` reads the same again.

    Example:
        >>> from galtea_async.emulator import Delay, Fault, fault_as_text
        >>> fault_as_text(Fault(route="GET *", action=Delay(0.05), times=3))
        'GET *:delay=50ms:times=3'
    """
    parts = [_route_as_text(fault.route), *_action_as_texts(fault.action)]
    if fault.when != "before":
        parts.append(fault.when)
    if fault.nth is not None:
        parts.append(f"nth={','.join(map(str, sorted(fault.nth)))}")
    if fault.times is not None:
        parts.append(f"times={fault.times}")
    if fault.probability < 1:
        parts.append(f"probability={fault.probability!r}")
    return ":".join(parts)


@attrs.frozen
class _Part:
    """What stands between two colons: a word, or a word and its value."""

    word: str
    value: str
    has_value: bool

    @classmethod
    def of(cls, text: str) -> _Part:
        word, sign, value = text.partition("=")
        return cls(word.strip().lower(), value.strip(), bool(sign))


@attrs.define
class _Parts:
    """The parts behind the route; each is taken once."""

    left: list[_Part]

    def action(self) -> Action:
        """Take the part that says what happens, and what belongs to it."""
        if not self.left:
            raise ValueError(f"after the route comes what happens: {_listed(_ACTIONS)}")
        action = self._one_action()
        if isinstance(action, LateWork):
            return self._with_sight(action)
        return self._with_details(action) if isinstance(action, Answer) else action

    def moment(self) -> str:
        """Take the part that says when it happens."""
        moments = [part.word for part in self.left if part.word in _MOMENTS and not part.has_value]
        if len(moments) > 1:
            raise ValueError(f"there is one moment, and not {_listed(moments)}")
        self.left = [part for part in self.left if part.word not in moments]
        return moments[0] if moments else "before"

    def value(self, word: str) -> str | None:
        """Take the value of a word that may be there once."""
        values = self.values(word)
        if len(values) > 1:
            raise ValueError(f"{word!r} may be there once")
        return values[0] if values else None

    def values(self, word: str) -> list[str]:
        """Take the values of a word that may be there several times."""
        values = [part.value for part in self.left if part.word == word and part.has_value]
        self.left = [part for part in self.left if not (part.word == word and part.has_value)]
        return values

    def end(self) -> None:
        """See that nothing is left."""
        for part in self.left:
            if part.word in _DETAILS_OF_AN_ANSWER:
                raise ValueError(f"{part.word!r} goes with 'answer' only")
            if part.word in _ACTIONS:
                raise ValueError(f"one thing happens; a second, here {part.word!r}, may only follow 'late'")
            raise ValueError(_unknown(part.word, (*_MOMENTS, *(f"{word}=..." for word in _DETAILS))))

    def _one_action(self) -> Action:
        part = self.left.pop(0)
        if part.word in _SIMPLE:
            if part.has_value:
                raise ValueError(f"{part.word!r} has no value")
            return _SIMPLE[part.word]
        if part.word in _MEASURED:
            if not part.value and part.word != "throttle":
                raise ValueError(f"{part.word!r} needs a value, as in {part.word}={_EXAMPLES[part.word]}")
            return _MEASURED[part.word](part.value)
        raise ValueError(f"what happens is {_unknown(part.word, _ACTIONS)}")

    def _with_sight(self, late: LateWork) -> LateWork:
        if not self.left or self.left[0].word not in _ACTIONS:
            return late
        word = self.left[0].word
        match self._one_action():
            case Answer() as answer:
                return attrs.evolve(late, then=self._with_details(answer))
            case Reset() | Disconnect() | Hang() | Throttle() as then:
                return attrs.evolve(late, then=then)
            case _:
                raise ValueError(f"{word!r} cannot follow 'late'")

    def _with_details(self, answer: Answer) -> Answer:
        body, encoded, kind = (self.value(word) for word in ("body", "base64", "type"))
        if body is not None and encoded is not None:
            raise ValueError("the body is 'body' or 'base64', and not both")
        return Answer(
            answer.status,
            body=_text(body or "") if encoded is None else base64.b64decode(_text(encoded), validate=True),
            headers=dict(_header(_text(value)) for value in self.values("header")),
            content_type=_DEFAULT_TYPE if kind is None else _text(kind),
        )


_EXAMPLES: Final = {"delay": "2s", "truncate": "10", "answer": "503", "late": "30s"}


def _fault(route: str, given: list[_Part]) -> Fault:
    parts = _Parts(given)
    action = parts.action()
    when = parts.moment()
    nth, times, probability = (parts.value(word) for word in _DETAILS)
    parts.end()
    return Fault(
        route=route,
        when=when,  # type: ignore[arg-type]  # it is one of `_MOMENTS`
        action=action,
        nth=None if nth is None else [_whole_number(one) for one in nth.split(",")],
        times=None if times is None else _whole_number(times),
        probability=1.0 if probability is None else _share(probability),
    )


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    position = 0
    while True:
        match = _PART.match(text, position)
        assert match is not None  # it matches nothing at all, too
        parts.append(match[0])
        if match.end() == len(text):
            return parts
        if text[match.end()] != ":":
            raise ValueError("a quotation mark is not closed")
        position = match.end() + 1


def _text(value: str) -> str:
    """A value as it stands, or what its quotation marks enclose."""
    value = value.strip()
    if not value.startswith('"'):
        return value
    if not _QUOTED.fullmatch(value):
        raise ValueError(f"a quoted value ends with its quotation mark, not as {value}")
    return msgspec.json.decode(value, type=str)


def _whole_number(text: str) -> int:
    if not (text.strip().isascii() and text.strip().isdecimal()):
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"a probability is a number from 0 to 1, not {text!r}") from None


def _status(text: str) -> int:
    status = _whole_number(text)
    if not 200 <= status <= 599:
        raise ValueError(f"a status is a number from 200 to 599, not {text!r}")
    return status


def _retry_after(text: str) -> float | str:
    return _text(text) if text.startswith('"') else duration_from_text(text)


def _header(text: str) -> tuple[str, str]:
    name, sign, value = text.partition(":")
    if not (sign and name.strip()):
        raise ValueError(f'a header is given as header="Name: value", not as {text!r}')
    return name.strip(), value.strip()


def _unknown(word: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(word, known, n=1)
    meant = f" (perhaps {near[0]!r})" if near else ""
    return f"{_listed(known)}; {word!r} is none of them{meant}"


def _listed(words: tuple[str, ...] | list[str]) -> str:
    return ", ".join(words)


def _route_as_text(route: str) -> str:
    is_plain = route == route.strip() and not set(route) & {":", '"'}
    return route if is_plain else _quoted(route)


def _action_as_texts(action: Action) -> list[str]:
    match action:
        case Delay():
            return [f"delay={duration_as_text(action.seconds)}"]
        case Truncate():
            return [f"truncate={action.bytes}"]
        case LateWork():
            then = [] if action.then == Hang() else _action_as_texts(action.then)
            return [f"late={duration_as_text(action.seconds)}", *then]
        case Throttle():
            return [f"throttle{_retry_after_as_text(action.retry_after)}"]
        case Answer():
            return _answer_as_texts(action)
        case Reset() | Disconnect() | Hang() | Corrupt():
            return [type(action).__name__.lower()]


def _answer_as_texts(answer: Answer) -> list[str]:
    texts = [f"answer={answer.status}"]
    if isinstance(answer.body, bytes):
        texts.append(f"base64={_quoted(base64.b64encode(answer.body).decode())}")
    elif answer.body:
        texts.append(f"body={_quoted(answer.body)}")
    if answer.content_type != _DEFAULT_TYPE:
        texts.append(f"type={_quoted(answer.content_type)}")
    return [*texts, *(f"header={_quoted(f'{name}: {value}')}" for name, value in answer.headers.items())]


def _retry_after_as_text(retry_after: float | str | None) -> str:
    if retry_after is None:
        return ""
    return f"={_quoted(retry_after) if isinstance(retry_after, str) else duration_as_text(retry_after)}"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
