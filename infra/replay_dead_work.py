"""Sends dead work again.

``python -m infra.replay_dead_work https://…`` wants a superadmin's access token in ``ANCHOR_TOKEN``. Without options it
only lists, by handler and reason. ``--handler forms_process`` or ``--reason "vendor"`` chooses, and ``--send`` sends
what was chosen. What was sent and fails again is dead again, with its new reason.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx

PAGE = 200  # the most that one call lists


def dead(client: httpx.Client) -> Iterator[dict[str, Any]]:
    """All dead work, newest first: ``{"id", "kind", "target", "handler", "reason", …}``."""
    offset = 0
    while True:
        answer = client.get("/api/jobs/dead", params={"limit": PAGE, "offset": offset})
        answer.raise_for_status()
        page = answer.json()["work"]
        yield from page
        offset += len(page)
        if len(page) < PAGE:
            return


def matches(work: dict[str, Any], *, handler: str, reason: str) -> bool:
    return handler in ("", work["handler"]) and reason.lower() in (work["reason"] or "").lower()


def send(client: httpx.Client, work: dict[str, Any]) -> bool:
    """Send one piece again; False when somebody else was faster."""
    answer = client.post(f"/api/jobs/dead/{work['id']}/resend")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return False
    answer.raise_for_status()
    return True


def main(arguments: list[str], *, transport: httpx.BaseTransport | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.replay_dead_work", description="List or resend dead work.")
    parser.add_argument("base_url")
    parser.add_argument("--handler", default="", help="only what this function gave up")
    parser.add_argument("--reason", default="", help="only what has this in its reason")
    parser.add_argument("--send", action="store_true", help="send it again instead of listing it")
    given = parser.parse_args(arguments)
    token = os.environ.get("ANCHOR_TOKEN", "")
    if not token:
        print("Set ANCHOR_TOKEN to a superadmin's access token.", file=sys.stderr)
        return 2
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=given.base_url, headers=headers, timeout=60, transport=transport) as client:
        # The whole list first: sending shortens it while it is read.
        chosen = [work for work in dead(client) if matches(work, handler=given.handler, reason=given.reason)]
        for (handler, reason), count in Counter((work["handler"], work["reason"]) for work in chosen).most_common():
            print(f"{count:6}  {handler}: {reason}")
        if not given.send:
            print(f"{len(chosen)} pieces of dead work" + ("; add --send to send them again" if chosen else ""))
            return 0
        sent = sum(send(client, work) for work in chosen)
    print(f"{sent} of {len(chosen)} sent again")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
