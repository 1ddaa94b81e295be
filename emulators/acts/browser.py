"""A person's browser, as the acts play it: its own cookies, its own look, mails read in the local mail box."""

from __future__ import annotations

import re
from typing import Any, Self

import httpx

from emulators.acts import expect, until
from emulators.cloud import LocalCloud

CODE = r"^\d{6}$"  # a one-time code, on a line of its own


class Browser:
    """``async with Browser(cloud, "Firefox") as browser:`` sends what our own pages would send."""

    def __init__(self, cloud: LocalCloud, look: str):
        self._cloud = cloud
        headers = {"User-Agent": f"Mozilla/5.0 ({look})", "Origin": cloud.base_url, "Accept-Language": "en"}
        self.http = httpx.AsyncClient(base_url=cloud.base_url, headers=headers, trust_env=False, timeout=30)
        self.token = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def send(self, method: str, path: str, *, expected: int = 200, **options: Any) -> Any:
        """Call as the person who is signed in; the answer's JSON. Fails the demo on another status than *expected*."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = await self.http.request(method, path, headers=headers, **options)
        expect(answer.status_code == expected, f"{method} {path} got {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    async def sign_in(self, email: str, password: str, *, trust: bool = False) -> str:
        """Sign in, with the mailed code where one is asked for; says how it went."""
        before = len(await self._found(email, CODE))
        answer = await self.send("POST", "/api/auth/login", json={"email": email, "password": password})
        asked = "challengeId" in answer
        if asked:
            code = await self.mailed(email, CODE, after=before)
            form = {"challengeId": answer["challengeId"], "code": code, "trustDevice": trust}
            answer = await self.send("POST", "/api/auth/verify-mfa", json=form)
        self.token = answer["accessToken"]
        return "with a mailed code" if asked else "without a code"

    async def mailed(self, address: str, pattern: str, *, after: int = 0) -> str:
        """What *pattern* finds in the newest mail to *address* that holds it, once more than *after* of them came."""

        async def came() -> bool:
            return len(await self._found(address, pattern)) > after

        await until(f"a mail to {address} that holds {pattern}", came, within_s=30)
        newest = (await self._found(address, pattern))[-1]
        return newest[newest.lastindex or 0]

    async def _found(self, address: str, pattern: str) -> list[re.Match[str]]:
        """What *pattern* finds in the mails to *address* that hold it, the oldest first."""
        mails = sorted(await self._mails(address), key=lambda mail: mail["time"])
        found = (re.search(pattern, mail["text"], re.MULTILINE) for mail in mails)
        return [one for one in found if one is not None]

    async def _mails(self, address: str) -> list[dict[str, Any]]:
        mails = (await self._cloud.control.get("/mail")).json()["mails"]
        return [mail for mail in mails if any(address in to for to in mail["to"])]
