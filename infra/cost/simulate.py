"""Where time is lost at the busiest hour: a simulation of arrivals against instances, connections, rates and quotas.

Requests, forms, mail events and calls arrive at random (Poisson) at the rates of ``usage.toml``. Each walks through the
stations of the real system: a function's instances (started when needed, gone after a quarter of an hour unused), the
database's connections, queues with their rates and numbers at once, vendors with their quotas. A station that is busy
makes them wait. What is reported is the whole time of each flow, and how much of it was spent waiting for what.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import defaultdict, deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from infra.cost.model import Month, database, places, runs_a_day, usage
from shared import manifest
from shared.manifest import Access

IDLE_S = 900.0  # Cloud Run keeps an idle instance about so long
MOST_ARRIVALS = 30_000  # of one flow: bounds the time a simulation takes
Step = Generator["Wait | float", None, None]


@dataclass(slots=True)
class Wait:
    """Asks for a place at a station, until it is given back."""

    station: Station


@dataclass(slots=True)
class Station:
    """Something with so many places, and perhaps so many admissions a second."""

    name: str
    places: float
    per_second: float = float("inf")
    taken: int = 0
    next_at: float = 0.0
    queue: deque[Any] = field(default_factory=deque)
    wake_at: float = -1.0


@dataclass(slots=True)
class Service:
    """A function: its instances come and go."""

    station: Station
    concurrency: int
    instances: list[float] = field(default_factory=list)  # when each was last used

    def cold(self, now: float) -> bool:
        """Whether serving one more needs an instance to be started; it is then there."""
        self.instances = [used for used in self.instances if now - used < IDLE_S]
        needed = -(-self.station.taken // self.concurrency)
        busy = range(min(needed, len(self.instances)))
        for index in busy:
            self.instances[index] = now
        if needed > len(self.instances):
            self.instances.append(now)
            return True
        return False


@dataclass(slots=True)
class Flow:
    """What became of one kind of arrival."""

    durations: list[float] = field(default_factory=list)
    lost: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def percentile(self, share: float) -> float:
        ordered = sorted(self.durations)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    @property
    def worst(self) -> tuple[str, float]:
        """What most time was lost to, and its share of the whole time."""
        whole = sum(self.durations)
        if not self.lost or not whole:
            return "nothing", 0.0
        name = max(self.lost, key=lambda one: self.lost[one])
        return name, self.lost[name] / whole


class Simulation:
    """One busy hour, or the part of it that holds enough arrivals."""

    def __init__(self, clients: int, *, seed: int = 1) -> None:
        self.clients = clients
        self.now = 0.0
        self.random = random.Random(seed)
        self.flows: dict[str, Flow] = defaultdict(Flow)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._services: dict[str, Service] = {}
        self._time = usage()["time"]
        quotas = {quota["of"]: quota for quota in usage()["quotas"]}
        self.database = Station("database connections", database(clients)["server_connections"])
        self.vertex = Station("Vertex AI quota", float("inf"), quotas["classifications"]["per_minute"] / 60)
        self.ctm = Station("CTM quota", float("inf"), quotas["polls"]["per_minute"] / 60)
        self.queues = {
            queue.name: Station(f"queue {queue.name}", queue.at_once, queue.per_second)
            for queue in manifest.QUEUES.values()
        }
        self._dashboard = [
            one.name for one in manifest.by_trigger("http") if one.access not in (Access.PUBLIC, Access.LINK)
        ]
        self._popularity = [1 / (rank + 1) for rank in range(len(self._dashboard))]

    # ---- the clockwork

    def at(self, when: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._number), act))

    def start(self, flow: str, steps: Callable[[Flow], Step]) -> None:
        kind, began = self.flows[flow], self.now
        self._advance(kind, steps(kind), began)

    def _advance(self, flow: Flow, steps: Step, began: float) -> None:
        try:
            wish = next(steps)
        except StopIteration:
            flow.durations.append(self.now - began)
            return
        if isinstance(wish, Wait):
            wish.station.queue.append((self.now, flow, steps, began))
            self._admit(wish.station)
        else:
            self.at(self.now + wish, lambda: self._advance(flow, steps, began))

    def _admit(self, station: Station) -> None:
        while station.queue and station.taken < station.places:
            if station.next_at > self.now:
                if station.wake_at < self.now or station.wake_at > station.next_at:
                    station.wake_at = station.next_at
                    self.at(station.next_at, lambda: self._wake(station))
                return
            asked, flow, steps, began = station.queue.popleft()
            station.taken += 1
            station.next_at = max(self.now, station.next_at) + 1 / station.per_second
            if self.now > asked:
                flow.lost[station.name] += self.now - asked
            self.at(self.now, lambda f=flow, s=steps, b=began: self._advance(f, s, b))  # type: ignore[misc]

    def _wake(self, station: Station) -> None:
        station.wake_at = -1.0
        self._admit(station)

    def leave(self, station: Station) -> None:
        station.taken -= 1
        self._admit(station)

    # ---- what the flows are made of

    def about(self, mean: float) -> float:
        """A time that is mostly near *mean* and sometimes several times as long."""
        return self.random.lognormvariate(0, 0.5) * mean * 0.88

    def service(self, name: str) -> Service:
        if name not in self._services:
            self._services[name] = Service(
                Station(f"instances of {name}", places(name)), manifest.BY_NAME[name].concurrency
            )
        return self._services[name]

    def statements(self, count: int) -> Step:
        yield Wait(self.database)
        yield self.about(self._time["statement_s"] * count)
        self.leave(self.database)

    def run(self, name: str, flow: Flow, inside: Callable[[], Step]) -> Step:
        """A request to the function *name*, which does *inside*."""
        service = self.service(name)
        yield Wait(service.station)
        if service.cold(self.now):
            cold = self.about(self._time["cold_start_s"])
            flow.lost["cold starts"] += cold
            yield cold
        yield from inside()
        self.leave(service.station)

    def queued(self, queue: str, name: str, flow: Flow, inside: Callable[[], Step]) -> Step:
        station = self.queues[queue]
        yield Wait(station)
        yield from self.run(name, flow, inside)
        self.leave(station)

    def vendor(self, station: Station | None, mean: float) -> Step:
        if station is not None:
            yield Wait(station)
            self.leave(station)
        yield self.about(mean)

    # ---- the flows

    def request(self, flow: Flow) -> Step:
        """Somebody clicks in the dashboard."""
        name = self.random.choices(self._dashboard, self._popularity)[0]
        yield from self.run(name, flow, lambda: self.statements(self._time["statements_per_request"]))

    def form(self, flow: Flow) -> Step:
        """A visitor submits a form, until the mail about it is with Mailgun."""
        yield from self.run("forms_submit", flow, lambda: self.statements(3))

        def process() -> Step:
            yield from self.statements(2)
            yield from self.vendor(self.vertex, self._time["vertex_s"])
            yield from self.vendor(self.ctm, self._time["ctm_s"])
            yield from self.statements(2)

        yield from self.queued("forms", "forms_process", flow, process)
        yield from self.mail(flow)

    def mail(self, flow: Flow) -> Step:
        def send() -> Step:
            yield from self.statements(2)
            yield from self.vendor(None, self._time["mailgun_s"])
            yield from self.statements(1)

        yield from self.queued("emails", "emails_send", flow, send)

    def webhook(self, flow: Flow) -> Step:
        """Mailgun tells what became of a mail."""
        yield from self.run("emails_receive_mailgun", flow, lambda: self.statements(2))
        yield from self.run("emails_track", flow, lambda: self.statements(2))

    def call(self, flow: Flow) -> Step:
        """A call ended; the next poll finds it, Gemini labels it."""
        every = 86_400 / runs_a_day("leads_poll_ctm")
        wait = every - self.now % every
        # All accounts are due at once; as many are asked as the instances have places.
        turn = self.random.random() * self.clients * self._time["ctm_s"] / places("leads_sync")
        flow.lost["the poll's interval"] += wait
        flow.lost["the poll's turn"] += turn
        yield wait + turn

        def classify() -> Step:
            yield from self.vendor(self.vertex, self._time["vertex_s"])
            yield from self.statements(2)

        yield from self.run("leads_classify", flow, classify)

    # ---- the hour

    def play(self) -> dict[str, Flow]:
        """Let everything arrive for as long as it takes to see enough of it; the flows by name."""
        month, traffic = Month(self.clients), usage()["traffic"]
        hourly = {
            "dashboard request": (month.per_client("dashboard_requests"), self.request),
            "form → mail sent": (month.per_client("forms"), self.form),
            "mail": (max(0.0, month.per_client("mails") - month.per_client("forms")), self.mail),
            "mail event": (month.webhooks, self.webhook),
            "call → label": (month.per_client("calls"), self.call),
        }
        rates = {
            name: (monthly * traffic["peak"] / traffic["hours_per_month"] / 3600, steps)
            for name, (monthly, steps) in hourly.items()
        }
        busiest = max(rate for rate, _ in rates.values())
        lasts = min(3600.0, max(300.0, MOST_ARRIVALS / busiest))
        for name, (rate, steps) in rates.items():
            when = self.random.expovariate(rate)
            while when < lasts:
                self.at(when, lambda n=name, s=steps: self.start(n, s))  # type: ignore[misc]
                when += self.random.expovariate(rate)
        while self._events:
            self.now, _, act = heapq.heappop(self._events)
            act()
        return dict(self.flows)
