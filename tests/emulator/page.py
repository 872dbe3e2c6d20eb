"""The status page, read as a browser reads it: without looking for strings in HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

import attrs

__all__ = ["Page", "page_of"]

_EMPTY: Final = {"meta", "link", "br", "img", "input"}


@attrs.define
class Page:
    """What is on a page.

    Attributes:
        title: Its title.
        tags: The names of all its elements, in their order.
        tables: The cells of each table, row by row, by its caption.
        attributes: The names and values of all attributes.
    """

    title: str = ""
    tags: list[str] = attrs.field(factory=list[str])
    tables: dict[str, list[list[str]]] = attrs.field(factory=dict[str, list[list[str]]])
    attributes: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])


class _Reader(HTMLParser):
    """Collects a page; every element must be closed where it was opened."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[str] = []
        self.text: list[str] = []
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append(tag)
        self.page.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _EMPTY:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"title", "caption", "td", "th"}:
            self.text = []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"
        if tag == "title":
            self.page.title = "".join(self.text)
        if tag == "caption":
            self.rows = self.page.tables.setdefault("".join(self.text), [])
        if tag in {"td", "th"}:
            self.rows[-1].append("".join(self.text))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page_of(html: str) -> Page:
    """Read a page, and see that its elements are properly nested."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader.page
