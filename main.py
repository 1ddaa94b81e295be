"""The deployed entry file: hands functions-framework the one function that ``FUNCTION_TARGET`` names.

Importing nothing but that function keeps cold starts short. ``FUNCTION_USE_ASGI=1`` selects the framework's ASGI
server.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))


def __getattr__(name: str) -> Callable[..., Awaitable[Any]]:
    from shared.manifest import BY_NAME
    from shared.runtime.loader import load

    if name not in BY_NAME:
        raise AttributeError(name)
    return load(name)
