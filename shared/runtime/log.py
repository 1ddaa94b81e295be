"""Structured logging for Cloud Logging: one JSON object a line, with severity, request id and trace.

An event is a constant name, facts are fields: ``log.info("lead_labelled", lead_id=…)``. Fields are ids, counts and
durations; never bodies, codes, tokens, addresses or what a visitor wrote.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

# Facts of the request or job being served, on every line it writes.
_bound: ContextVar[dict[str, object] | None] = ContextVar("bound", default=None)


@contextmanager
def bound(**facts: object) -> Iterator[None]:
    """Add *facts* to every line written inside."""
    token = _bound.set({**(_bound.get() or {}), **facts})
    try:
        yield
    finally:
        _bound.reset(token)


_SEVERITIES = ("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL")
_threshold = _SEVERITIES.index(os.environ.get("LOG_LEVEL", "INFO").upper())


def _write(severity: str, event: str, fields: dict[str, object]) -> None:
    if _SEVERITIES.index(severity) < _threshold:
        return
    line = {
        "severity": severity,
        "message": event,
        "time": datetime.now(UTC).isoformat(),
        **(_bound.get() or {}),
        **fields,
    }
    sys.stdout.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def debug(event: str, **fields: object) -> None:
    _write("DEBUG", event, fields)


def info(event: str, **fields: object) -> None:
    _write("INFO", event, fields)


def warning(event: str, **fields: object) -> None:
    _write("WARNING", event, fields)


def error(event: str, *, exception: BaseException | None = None, **fields: object) -> None:
    """Log an error. Of *exception* only its type and where it was raised are written: its text may quote data."""
    if exception is not None:
        fields["error"] = type(exception).__name__
        fields["stack"] = [
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(exception.__traceback__)[-8:]
        ]
    _write("ERROR", event, fields)
