"""JSX to JavaScript for the builder's preview. Takes processor time: call it in a thread.

The code is read into a tree, and what is not plain JavaScript in it (elements, imports, exports) is replaced where it
stands; all else stays as its author wrote it. Each part of an element is replaced for itself, so that elements within
elements need no further care.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.entities import name2codepoint
from typing import TYPE_CHECKING, Final

from shared.errors import Problem

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

COMPONENT: Final = "FormComponent"
_VALUE: Final = "__formComponent"  # what an exported expression is until its module has run to its end
_ELEMENTS: Final = ("jsx_element", "jsx_self_closing_element")
_ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([A-Za-z0-9]{2,10}));")

# Words of JavaScript where only elements have them: ``<label for="a" class="b">``, ``</var>``.
_KEYWORD = re.compile(
    r"\b(?:as|async|case|catch|class|const|default|do|else|export|extends|finally|for|function|if|import|in|new|return|"
    r"static|super|switch|throw|try|typeof|var|void|while|with|yield)(?=\s*=(?!=))|(?:(?<=<)|(?<=</))(?:var|switch)\b"
)


def compile_jsx(code: str) -> str:
    """*code* as the body of a function that defines ``FormComponent`` from ``React.createElement``.

    Imports are left out, the default export is what ``FormComponent`` stands for. Empty code stays empty. A mistake in
    the code is a Problem (400, ``SYNTAX_ERROR``) whose ``detail`` says where it is.
    """
    if not code.strip():
        return ""
    tree, module = _parsed(code), _Module(code)
    for node in _nodes(tree):
        module.read(node)
    return module.as_body()


class _Module:
    """A module that is being turned into the body of a function."""

    def __init__(self, code: str) -> None:
        self._source = code.encode()
        self._edits: list[tuple[int, int, str]] = []  # from, to (bytes), what stands there instead
        self._exported: str | None = None

    def as_body(self) -> str:
        """The code with all replacements; a default export of another name gets a scope of its own."""
        parts, at = [], 0
        for start, end, text in sorted(self._edits, key=lambda edit: edit[:2]):
            parts += [self._source[at:start].decode(), text]
            at = end
        body = ("".join(parts) + self._source[at:].decode()).strip()
        if self._exported in (None, COMPONENT):
            return body
        return f"const {COMPONENT} = (() => {{\n{body}\nreturn {self._exported};\n}})();"

    def read(self, node: Node) -> None:
        if node.is_error or node.is_missing:
            until = node.children[-1] if node.children else node  # what came before it made sense until then
            raise self._mistake(until, "this cannot be read as JSX")
        match node.type:
            case "import_statement":
                self._replace(node, "")
            case "export_statement":
                self._export(node)
            case "jsx_opening_element" | "jsx_self_closing_element":
                self._begin(node)
            case "jsx_closing_element":
                self._replace(node, ")")
            case "jsx_element":
                self._children(node)

    def _replace(self, node: Node, text: str) -> None:
        self._edits.append((node.start_byte, node.end_byte, text))

    def _text(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode()

    def _mistake(self, node: Node, what: str) -> Problem:
        before = self._source[: node.start_byte].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        detail = f"Line {line}, column {column}: {what}."
        return Problem("The code has a syntax error.", code="SYNTAX_ERROR", detail=detail)

    # What a module says of itself

    def _export(self, node: Node) -> None:
        declared, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
        is_default = any(child.type == "default" for child in node.children)
        if declared is not None:
            self._edits.append((node.start_byte, declared.start_byte, ""))
            named = declared.child_by_field_name("name")
            if is_default and named is not None:
                self._exported = self._text(named)
        elif value is not None and value.type == "identifier":
            self._replace(node, "")
            self._exported = self._text(value)
        elif value is not None:
            self._edits.append((node.start_byte, value.start_byte, f"const {_VALUE} = "))
            self._exported = _VALUE
        else:
            self._replace(node, "")
            self._exported = self._default_of_list(node) or self._exported

    def _default_of_list(self, node: Node) -> str | None:
        """``A`` of ``export { A as default }``; what comes from another module is not to be had here."""
        if node.child_by_field_name("source") is not None:
            return None
        for clause in node.named_children:
            for one in clause.named_children:
                name, alias = one.child_by_field_name("name"), one.child_by_field_name("alias")
                if name is not None and alias is not None and self._text(alias) == "default":
                    return self._text(name)
        return None

    # Elements

    def _begin(self, node: Node) -> None:
        """``<a b="c" {...d}>`` → ``React.createElement("a", {"b": "c", ...d}``"""
        name, first, last = node.child_by_field_name("name"), node.children[0], node.children[-1]
        attributes = [child for child in node.named_children if child.type in ("jsx_attribute", "jsx_expression")]
        self._replace(first, "React.createElement(" + ("React.Fragment" if name is None else ""))
        if name is not None:
            self._replace(name, self._tag(name))
        for at, attribute in enumerate(attributes):
            self._insert(attribute, ", " if at else ", {")
            self._attribute(attribute)
        self._replace(last, ("}" if attributes else ", null") + (")" if last.type == "/>" else ""))

    def _insert(self, before: Node, text: str) -> None:
        self._edits.append((before.start_byte, before.start_byte, text))

    def _tag(self, name: Node) -> str:
        """HTML's own elements are named by a text, components by themselves."""
        text = self._text(name)
        is_html = name.type != "member_expression" and (text[:1].islower() or not text.isidentifier())
        return json.dumps(text) if is_html else text

    def _attribute(self, node: Node) -> None:
        if node.type == "jsx_expression":
            self._unwrap(node)
            return
        key, *rest = node.named_children
        self._replace(key, json.dumps(self._text(key)) + ("" if rest else ": true"))
        for child in node.children:
            if child.type == "=":
                self._replace(child, ": ")
        for value in rest:
            if value.type == "string":
                self._replace(value, json.dumps(_decoded(self._text(value)[1:-1])))
            elif value.type == "jsx_expression":
                self._unwrap(value)

    def _children(self, node: Node) -> None:
        """Everything between an element's tags: texts, ``{expressions}``, and elements, which see to themselves."""
        opening, *children, closing = node.children
        names = [tag.child_by_field_name("name") for tag in (opening, closing)]
        first, second = (self._text(name) if name is not None else "" for name in names)
        if first != second:
            raise self._mistake(closing, f"<{first}> is closed by </{second}>")
        at = opening.end_byte
        for child in children:
            if child.type == "jsx_text":
                continue
            self._words(at, child.start_byte)
            at = child.end_byte
            if child.type in _ELEMENTS:
                self._insert(child, ", ")
            elif any(inner.type != "comment" for inner in child.named_children):
                self._insert(child, ", ")
                self._unwrap(child)
            else:
                self._replace(child, "")
        self._words(at, closing.start_byte)

    def _words(self, start: int, end: int) -> None:
        if start < end:
            text = _decoded(_collapsed(self._source[start:end].decode()))
            self._edits.append((start, end, f", {json.dumps(text)}" if text else ""))

    def _unwrap(self, node: Node) -> None:
        """An expression without its braces; two, by a comma, stay one."""
        held = [child for child in node.named_children if child.type != "comment"]
        if not held:
            raise self._mistake(node, "an expression is missing here")
        marks = ("(", ")") if held[0].type == "sequence_expression" else ("", "")
        for brace, mark in zip((node.children[0], node.children[-1]), marks, strict=True):
            self._replace(brace, mark)


def _collapsed(text: str) -> str:
    """A text as JSX shows it: lines without the spaces around them, joined by one; blank ones are nothing."""
    return re.sub(r"^\n|\n$", "", re.sub(r"[ \t]*(?:\r\n?|\n)\s*", "\n", text)).replace("\n", " ")


def _decoded(text: str) -> str:
    return _ENTITY.sub(_letter, text)


def _letter(found: re.Match[str]) -> str:
    code = int(found[1], 16) if found[1] else int(found[2]) if found[2] else name2codepoint.get(found[3], -1)
    return chr(code) if 0 <= code < 0x110000 and not 0xD800 <= code < 0xE000 else found[0]


def _parsed(code: str) -> Tree:
    """The tree of *code*, of which the grammar sees what it can read, letter for letter as long.

    It takes an ampersand in a text for the beginning of an entity, and ``class=`` for a class. What an element holds is
    read off the code itself.
    """
    import tree_sitter_javascript
    from tree_sitter import Language, Parser

    seen = _KEYWORD.sub(lambda found: "_" * len(found[0]), code.replace("&&", "||").replace("&", "^"))
    return Parser(Language(tree_sitter_javascript.language())).parse(seen.encode())


def _nodes(tree: Tree) -> Iterator[Node]:
    """Every node, a parent before its children; without recursion, for code may be nested deeply."""
    cursor = tree.walk()
    while True:
        node = cursor.node
        assert node is not None
        yield node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
