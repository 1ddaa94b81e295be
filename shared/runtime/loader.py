"""Finds the coroutine of a function's name: ``leads_add_note`` in ``functions/leads/add_note.py``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING

from shared import manifest

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def load(name: str) -> Callable[[Request], Awaitable[Response]]:
    """The function *name*, its module imported and nothing else; KeyError when the manifest has none."""
    function = manifest.BY_NAME[name]
    served = getattr(import_module(function.module), name)
    assert served.function is function, f"{function.module} does not decorate {name}"
    return served  # type: ignore[no-any-return]
