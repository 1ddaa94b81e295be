"""``make demo``: starts the local cloud, plays every act on the demo data, and says how long each step took."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import asyncpg

from emulators import demo_data, demo_monday
from emulators.acts import (
    DemoFailed,
    Stage,
    accounts,
    builder,
    connections,
    forms,
    journeys,
    leads,
    monday,
    reviews,
    tasks,
)
from emulators.cloud import CloudFailed, LocalCloud, Options, Terminal, reset
from emulators.vendors.ctm import Ctm
from emulators.vendors.monday import Monday
from shared.crypto import KeyRing

if TYPE_CHECKING:
    from asyncpg import Connection

ACTS: tuple[tuple[str, Callable[[LocalCloud, Stage], Awaitable[None]]], ...] = (
    ("A visitor's form becomes a lead", forms.act),
    ("A paper form becomes a web form", builder.act),
    ("A client is onboarded", accounts.onboarding),
    ("An attacker is not", accounts.attacks),
    ("Calls become leads, rated on both sides", leads.act),
    ("A lead becomes an active client", journeys.act),
    ("The staff's board", tasks.act),
    ("Accounts at other vendors are connected", connections.act),
    ("A bad review is answered, a good one asked for", reviews.act),
    ("Requests and tasks are at Monday, a post is written", monday.act),
)


async def seed(cloud: LocalCloud) -> None:
    """Load the demo's data into a running cloud; the second time nothing changes."""
    connection = await asyncpg.connect(cloud.database_url)
    try:
        await _speak_json(connection)
        await demo_data.load(connection, KeyRing.parse(cloud.secrets["ENCRYPTION_KEYS"]))
        await demo_monday.load(connection)
        boards = cloud.parts.named("monday")
        assert isinstance(boards, Monday)
        await demo_monday.open_boards(boards, connection)
    finally:
        await connection.close()
    ctm = cloud.parts.named("ctm")
    assert isinstance(ctm, Ctm)
    demo_data.open_accounts(ctm)


async def _speak_json(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


async def run(options: Options) -> int:
    """Play every act on an empty cloud of its own; 0 when all of them worked."""
    began = time.monotonic()
    try:
        reset(options.state_dir)  # limits and blocks of an earlier play would still hold
        async with LocalCloud(options, progress=Terminal(interactive=sys.stdout.isatty())) as cloud:
            await seed(cloud)
            print(f"The local cloud is ready after {time.monotonic() - began:.1f} s at {cloud.base_url}\n", flush=True)
            stage = Stage()
            for title, act in ACTS:
                print(f"{title}", flush=True)
                await act(cloud, stage)
                print(flush=True)
            print(f"All {stage.steps} steps worked, {time.monotonic() - began:.1f} s in all.", flush=True)
            return 0
    except (DemoFailed, CloudFailed) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr, flush=True)
        return 1
