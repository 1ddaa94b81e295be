"""Asks a deployed gateway whether every function is there and closed to strangers, without changing anything.

``python -m infra.smoke https://… --project-number N --region R`` checks

- health, and readiness (the database answers, its schema is there);
- each path: its preflight reaches a function (so the gateway knows the path and appends it);
- each function that wants somebody signed in: a stranger gets 401 in our own error shape;
- each function's own address, past the gateway: Google refuses a caller without an identity.

With ``--services FILE`` (``gcloud run services list --format=json``) and ``--image IMAGE`` also that every function is
deployed and runs that image: at write quotas a deployment can skip one silently (firebase/firebase-tools #3919).
Prints what is wrong, and exits with 1 if anything is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Iterable
from pathlib import Path
from typing import Any

import httpx

FUNCTIONS = Path(__file__).parent / "terraform" / "functions.json"
OPEN = ("public", "link")
AT_ONCE = 16  # every function may have to start
NO_ID = "00000000-0000-0000-0000-000000000000"


async def check_gateway(client: httpx.AsyncClient, functions: Iterable[dict[str, Any]]) -> list[str]:
    """What is wrong behind the gateway, in words."""
    http = [function for function in functions if function["trigger"] == "http"]
    checks = [
        _health(client),
        _get(client, "/api/health/ready", 200, "readiness"),
        _get(client, "/no/such/path", 404, "an unknown path"),
    ]
    for function in http:
        for route in function["routes"]:
            method, _, pattern = route.partition(" ")
            path = re.sub(r"{\w+}", NO_ID, pattern)
            checks.append(_preflight(client, function["name"], path))
            if function["access"] not in OPEN:
                checks.append(_stranger(client, function["name"], method, path))
    return await _findings(checks)


async def check_doors(
    client: httpx.AsyncClient, functions: Iterable[dict[str, Any]], *, project_number: str, region: str
) -> list[str]:
    """Which functions answer somebody who comes past the gateway."""
    urls = {
        function["name"]: f"https://{function['service']}-{project_number}.{region}.run.app/" for function in functions
    }
    return await _findings(_closed(client, name, url) for name, url in urls.items())


def check_services(services: Iterable[dict[str, Any]], functions: Iterable[dict[str, Any]], image: str) -> list[str]:
    """Which functions are not deployed, or run another image, or are not ready."""
    live = {service["metadata"]["name"]: service for service in services}
    found = []
    for function in functions:
        service = live.get(function["service"])
        if service is None:
            found.append(f"{function['name']} is not deployed")
            continue
        running = service["spec"]["template"]["spec"]["containers"][0]["image"]
        if running != image:
            found.append(f"{function['name']} runs {running}")
        ready = [one["status"] for one in service["status"]["conditions"] if one["type"] == "Ready"]
        if ready != ["True"]:
            found.append(f"{function['name']} is not ready")
    return found


async def _findings(checks: Iterable[Awaitable[str | None]]) -> list[str]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(check: Awaitable[str | None]) -> str | None:
        async with turns:
            return await check

    answers = await asyncio.gather(*(in_turn(check) for check in checks))
    return [answer for answer in answers if answer]


async def _ask(client: httpx.AsyncClient, method: str, path: str, **headers: str) -> httpx.Response | str:
    dashed = {name.replace("_", "-"): text for name, text in headers.items()}
    try:
        return await client.request(method, path, headers=dashed)
    except httpx.HTTPError as error:
        return type(error).__name__


def _wrong(what: str, wanted: int, answer: httpx.Response | str) -> str | None:
    got = answer if isinstance(answer, str) else str(answer.status_code)
    return None if got == str(wanted) else f"{what}: {got} instead of {wanted}"


async def _health(client: httpx.AsyncClient) -> str | None:
    answer = await _ask(client, "GET", "/api/health")
    if isinstance(answer, httpx.Response) and answer.status_code == 200:
        return None if answer.json().get("ok") is True else "health: does not say ok"
    return _wrong("health", 200, answer)


async def _get(client: httpx.AsyncClient, path: str, wanted: int, what: str) -> str | None:
    return _wrong(what, wanted, await _ask(client, "GET", path))


async def _preflight(client: httpx.AsyncClient, name: str, path: str) -> str | None:
    answer = await _ask(
        client, "OPTIONS", path, origin="https://stranger.invalid", access_control_request_method="POST"
    )
    return _wrong(f"{name}: preflight of {path}", 204, answer)


async def _stranger(client: httpx.AsyncClient, name: str, method: str, path: str) -> str | None:
    answer = await _ask(client, method, path)
    wrong = _wrong(f"{name}: a stranger's {method} {path}", 401, answer)
    if wrong or isinstance(answer, str):
        return wrong
    body = answer.json()
    return None if {"message", "code"} <= set(body) else f"{name}: its 401 is not in our error shape"


async def _closed(client: httpx.AsyncClient, name: str, url: str) -> str | None:
    answer = await _ask(client, "GET", url)
    if isinstance(answer, str):
        return f"{name}: its own address does not answer ({answer})"
    # 403: identity asked for. 404: reached from outside, where only Google's own services may.
    return None if answer.status_code in (401, 403, 404) else f"{name}: answers past the gateway ({answer.status_code})"


async def run(given: argparse.Namespace, functions: list[dict[str, Any]]) -> list[str]:
    found = []
    async with httpx.AsyncClient(base_url=given.base_url, timeout=60) as client:
        found += await check_gateway(client, functions)
        if given.project_number:
            found += await check_doors(client, functions, project_number=given.project_number, region=given.region)
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.smoke", description="Check a deployment.")
    parser.add_argument("base_url")
    parser.add_argument("--project-number", default="")
    parser.add_argument("--region", default="us-central1")
    parser.add_argument("--services", help="output of `gcloud run services list --format=json`")
    parser.add_argument("--image", default="", help="the image that every service must run")
    given = parser.parse_args(arguments)
    functions = json.loads(FUNCTIONS.read_text())
    found = asyncio.run(run(given, functions))
    if given.services:
        found += check_services(json.loads(Path(given.services).read_text()), functions, given.image)
    for line in found:
        print(line)
    print("everything answers" if not found else f"{len(found)} things are wrong")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
