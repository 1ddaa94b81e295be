"""Which function serves a path: the one matcher of the gateway, the local cloud and the runtime.

A pattern is a method and whole segments: ``"POST /api/hub/leads/{call_id}/notes"``. A literal segment wins before a
parameter, at the leftmost place where two patterns differ, as API Gateway decides; where the literal way leads nowhere,
the parameter's way is tried. HEAD is served by the function of GET.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from shared.manifest import Function


@dataclass(frozen=True, slots=True)
class Match:
    """The function of a request and what its path's parameters hold, percent-decoded once."""

    function: Function
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Leaf:
    function: Function
    names: tuple[str, ...]  # of the parameters, from left to right


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    methods: dict[str, _Leaf] = field(default_factory=dict)


class Router:
    """Built once; ``match`` walks the path's segments without looking at patterns that cannot fit."""

    def __init__(self) -> None:
        self._root = _Node()
        self._literal: dict[tuple[str, str], Match] = {}  # patterns without parameters, which nothing can win before

    @classmethod
    def from_functions(cls, functions: Iterable[Function]) -> Router:
        """A router for every HTTP function's routes. Raises ValueError when two functions claim one route."""
        router = cls()
        for function in functions:
            for route in function.routes:
                router._add(route, function)
        return router

    def match(self, method: str, path: str) -> Match | None:
        """The function of a method and a raw path (still percent-encoded, no query); None when there is none."""
        method = "GET" if method == "HEAD" else method
        literal = self._literal.get((method, path))
        if literal is not None:
            return literal
        for node, values in self._reach(path):
            leaf = node.methods.get(method)
            if leaf is not None:
                return Match(leaf.function, dict(zip(leaf.names, values, strict=True)))
        return None

    def allowed(self, path: str) -> tuple[str, ...]:
        """The methods that *path* answers, sorted; empty when nothing is there."""
        methods = {method for node, _ in self._reach(path) for method in node.methods}
        return tuple(sorted(methods | {"HEAD"} if "GET" in methods else methods))

    def _add(self, route: str, function: Function) -> None:
        method, _, pattern = route.partition(" ")
        names: list[str] = []
        node = self._root
        for segment in split(pattern):
            if segment.startswith("{") and segment.endswith("}"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        if method in node.methods:
            raise ValueError(f"{route} belongs to {node.methods[method].function.name} and to {function.name}")
        node.methods[method] = _Leaf(function, tuple(names))
        if not names:
            self._literal[method, pattern] = Match(function, {})

    def _reach(self, path: str) -> Iterator[tuple[_Node, tuple[str, ...]]]:
        """Every end that fits *path*, best first, with the values of its parameters."""
        segments = [unquote(segment) for segment in split(path)]
        if any("\x00" in segment for segment in segments):  # no text that we keep can hold one
            return iter(())
        return _descend(self._root, segments, 0, ())


def split(path: str) -> list[str]:
    """The raw segments of a path; ``/a/`` has an empty last one and is another path than ``/a``."""
    return path.removeprefix("/").split("/")


def _descend(
    node: _Node, segments: list[str], depth: int, values: tuple[str, ...]
) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    if depth == len(segments):
        yield node, values
        return
    segment = segments[depth]
    literal = node.literals.get(segment)
    if literal is not None:
        yield from _descend(literal, segments, depth + 1, values)
    if node.parameter is not None and segment:  # a parameter is never empty
        yield from _descend(node.parameter, segments, depth + 1, (*values, segment))
