"""Reads the inputs of a form off its code, HTML or React, where no model can be asked. Takes time in proportion."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from shared.areas.forms.models import JsonObject

MAX_TAGS: Final = 5000
MAX_TAG: Final = 4000  # characters of one tag's attributes
MAX_LABEL: Final = 2000
_TAG = re.compile(r"<(/?)(label|input|select|textarea|option)\b", re.IGNORECASE)
_BRACES = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*+\})*+\})*+\}"
_ATTRIBUTE = re.compile(
    rf"""[\s/]*+(?:{_BRACES}|(?P<name>[\w:.-]++)(?:\s*=\s*(?:"(?P<a>[^"]*+)"|'(?P<b>[^']*+)'|(?P<code>{_BRACES})"""
    r"""|(?P<c>[^\s"'<>{}]++)))?)"""
)
_LITERAL = re.compile(r"""\{\s*(["'`])([^"'`$]*)\1\s*\}""")
_BUTTONS: Final = ("submit", "button", "reset", "image")


@dataclass(slots=True)
class _Input:
    name: str
    type: str
    id: str
    hint: str  # what it says of itself where no label does
    required: bool
    accept: str = ""  # of a file
    multiple: bool = False
    options: list[str] = field(default_factory=list)
    count: int = 1

    def told(self, labels: dict[str, str]) -> JsonObject:
        is_group = self.type == "radio" or self.count > 1  # whose labels are those of its options
        label = ("" if is_group else labels.get(self.id, "")) or self.hint or self.name
        options = self.options if is_group or self.type == "select" else []
        told = {"name": self.name, "label": label, "type": self.type, "required": self.required, "options": options}
        files = {"accept": self.accept, "multiple": self.multiple or self.count > 1} if self.type == "file" else {}
        return {**told, **files}


def inputs(code: str) -> list[JsonObject]:
    """``{name, label, type, required, options}`` of each name, in order, of a file also ``accept`` and ``multiple``;
    names that the code makes up are left out."""
    page = _Page(code)
    for tag in islice(_TAG.finditer(code), MAX_TAGS):
        if tag[1]:
            page.end(tag[2].lower(), tag.start())
        else:
            page.begin(tag[2].lower(), *_attributes(code, tag.end()))
    return [one.told(page.labels) for one in page.found.values()]


class _Page:
    """What has been read of a form so far."""

    def __init__(self, code: str) -> None:
        self.found: dict[str, _Input] = {}
        self.labels: dict[str, str] = {}  # by the id of the input
        self._code = code
        self._label: tuple[int, list[str]] | None = None  # the open one: where its text begins, the ids it is for
        self._select: _Input | None = None  # the open one

    def begin(self, kind: str, told: dict[str, str], end: int) -> None:
        """A tag with these attributes, which ends at *end*."""
        if kind == "label":
            self._label = end, [told.get("for") or told.get("htmlfor") or ""]
        elif kind != "option":
            self._input(kind, told, end)
        elif self._select is not None:
            shown = self._code[end : end + MAX_LABEL].partition("<")[0]
            self._select.options.append(told.get("value", _words(shown)))

    def end(self, kind: str, start: int) -> None:
        """The closing tag at *start*."""
        if kind == "select":
            self._select = None
        if kind == "label" and self._label is not None:
            begin, ids = self._label
            text = _words(self._code[begin : min(start, begin + MAX_LABEL)])
            self.labels |= {one: text for one in ids if one not in self.labels}
            self._label = None

    def _input(self, kind: str, told: dict[str, str], end: int) -> None:
        name = told.get("name", "").strip().removesuffix("[]")
        chosen = told.get("type", "text").lower() if kind == "input" else kind
        if not name or chosen in _BUTTONS:
            return
        if name in self.found:
            self.found[name].count += 1
        else:
            hint = told.get("aria-label") or told.get("placeholder") or ""
            self.found[name] = _Input(
                *(name, chosen, told.get("id") or f"at {end}", hint, "required" in told),
                accept=told.get("accept", ""),
                multiple="multiple" in told or told.get("name", "").strip().endswith("[]"),
            )
        one = self.found[name]
        if chosen in ("radio", "checkbox") and told.get("value"):
            one.options.append(told["value"])
        if kind == "select":
            self._select = one
        if self._label is not None:
            self._label[1].append(one.id)


def _attributes(code: str, at: int) -> tuple[dict[str, str], int]:
    """A tag's attributes, their names in small letters, and where it ends. A value that is code is left out."""
    told: dict[str, str] = {}
    until = at + MAX_TAG
    while found := _ATTRIBUTE.match(code, at, until):
        at = found.end()
        literal = _LITERAL.fullmatch(found["code"]) if found["code"] else None
        if found["name"] and (literal or not found["code"]):
            value = literal[2] if literal else found["a"] or found["b"] or found["c"] or ""
            told.setdefault(found["name"].lower(), html.unescape(value))
        elif found["name"] in ("required", "multiple") and found["code"] != "{false}":
            told.setdefault(found["name"], "")
    end = code.find(">", at, until)
    return told, end + 1 if end >= 0 else at


def _words(markup: str) -> str:
    """The text of markup, without the star and the colon of a label."""
    text = html.unescape(re.sub(r"<[^<>]*>|\{[^{}]*\}", " ", markup))
    return " ".join(text.split()).strip(" *:")
