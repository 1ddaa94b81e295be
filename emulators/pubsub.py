"""Pub/Sub on this machine: an emulator, official or ours, with the project's topics and push subscriptions in it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.api_core.exceptions import AlreadyExists
from google.pubsub_v1 import PublisherAsyncClient, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport
from google.pubsub_v1.types import PullRequest, PullResponse

from emulators.faults import Faults
from emulators.official import Emulator, Name
from emulators.pubsub_stand_in import PubsubStandIn

NAME: Name = "pubsub"
SHOWN_MESSAGES = 200  # of each topic, for the console
UPDATABLE = ("push_config", "ack_deadline_seconds", "retry_policy", "dead_letter_policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSubscription:
    """A push subscription; ``topic`` and ``dead_letter_topic`` are ids within the project, ``endpoint`` is a URL."""

    name: str
    topic: str
    endpoint: str
    attempts: int = 8
    ack_deadline_s: int = 60
    min_backoff_s: float = 10
    max_backoff_s: float = 600
    dead_letter_topic: str | None = None


@dataclass(slots=True)
class Seen:
    """What the console knows of one topic, from a pull subscription of its own."""

    published: int = 0
    recent: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=SHOWN_MESSAGES))


class Pubsub(Emulator):
    """Topics and push subscriptions on whichever emulator runs, made through Google's own client.

    The official emulator does not say what it has yet to deliver, so ``snapshot`` knows that of the stand-in alone.
    """

    def __init__(
        self,
        topics: Iterable[str],
        push: Iterable[PushSubscription],
        *,
        project: str,
        state_dir: Path,
        faults: Faults,
        env: Mapping[str, str] = os.environ,
    ):
        self._broker = PubsubStandIn(faults)
        super().__init__(NAME, self._broker, state_dir, env)
        self._project, self._push = f"projects/{project}", list(push)
        self._topics = {topic: Seen() for topic in topics}
        self._channel: grpc.aio.Channel | None = None

    async def start(self) -> None:
        await super().start()
        self.status.ready = False
        self._channel = grpc.aio.insecure_channel(self.address)
        await self._make_topics()
        await self._make_subscriptions()
        self.status.ready = True

    async def stop(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()
        await super().stop()

    async def snapshot(self) -> dict[str, Any]:
        """``topics``: id → published, recent (id, at, attributes, bytes; never the data). ``subscriptions``: name →
        topic, endpoint, dead and, of the stand-in, waiting, running, done (else None)."""
        await self._watch()
        counts = self._broker.snapshot()
        return {
            "topics": {
                name: {"published": seen.published, "recent": list(seen.recent)} for name, seen in self._topics.items()
            },
            "subscriptions": {each.name: self._shown(each, counts) for each in self._push},
        }

    def _shown(self, each: PushSubscription, counts: dict[str, dict[str, int]]) -> dict[str, Any]:
        dead = [
            message
            for message in (
                self._topics[each.dead_letter_topic].recent if each.dead_letter_topic in self._topics else ()
            )
            if message["attributes"].get("CloudPubSubDeadLetterSourceSubscription") == each.name
        ]
        count = counts.get(self._subscription(each.name), {})
        known = {name: count.get(name) for name in ("waiting", "running", "done")}
        return {"topic": each.topic, "endpoint": each.endpoint, **known, "dead": dead}

    async def _watch(self) -> None:
        """Take what the console's own subscriptions hold."""
        assert self._channel is not None
        # Not through the client, which warns of return_immediately; without it an empty pull waits for 90 seconds.
        pull = self._channel.unary_unary(
            "/google.pubsub.v1.Subscriber/Pull",
            request_serializer=PullRequest.serialize,
            response_deserializer=PullResponse.deserialize,
        )
        for topic, seen in self._topics.items():
            name = self._subscription(console(topic))
            request = PullRequest(subscription=name, max_messages=1000, return_immediately=True)
            while received := (await pull(request)).received_messages:
                seen.published += len(received)
                seen.recent.extend(shown(each.message) for each in received)
                ack_ids = [each.ack_id for each in received]
                await self._subscriber.acknowledge(subscription=name, ack_ids=ack_ids)

    async def _make_topics(self) -> None:
        publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=self._channel))
        for topic in self._topics:
            try:
                await publisher.create_topic(name=f"{self._project}/topics/{topic}")
            except AlreadyExists:  # an emulator that was running before we came
                continue

    async def _make_subscriptions(self) -> None:
        for topic in self._topics:
            await self._make({"name": self._subscription(console(topic)), "topic": f"{self._project}/topics/{topic}"})
        for each in self._push:
            await self._make(self._message(each))

    async def _make(self, subscription: dict[str, Any]) -> None:
        try:
            await self._subscriber.create_subscription(request=subscription)
        except AlreadyExists:  # keep what it still has to deliver; the endpoint, at least, is a new one
            paths = [path for path in UPDATABLE if path in subscription]
            if paths:
                await self._subscriber.update_subscription(
                    request={"subscription": subscription, "update_mask": {"paths": paths}}
                )

    def _message(self, each: PushSubscription) -> dict[str, Any]:
        message: dict[str, Any] = {
            "name": self._subscription(each.name),
            "topic": f"{self._project}/topics/{each.topic}",
            "push_config": {"push_endpoint": each.endpoint},
            "ack_deadline_seconds": each.ack_deadline_s,
            "retry_policy": {
                "minimum_backoff": duration(each.min_backoff_s),
                "maximum_backoff": duration(each.max_backoff_s),
            },
        }
        if each.dead_letter_topic is not None:
            message["dead_letter_policy"] = {
                "dead_letter_topic": f"{self._project}/topics/{each.dead_letter_topic}",
                "max_delivery_attempts": each.attempts,
            }
        return message

    def _subscription(self, name: str) -> str:
        return f"{self._project}/subscriptions/{name}"

    @property
    def _subscriber(self) -> SubscriberAsyncClient:
        return SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=self._channel))


def console(topic: str) -> str:
    """The id of the console's own subscription to *topic*."""
    return f"console.{topic}"


def duration(seconds: float) -> dict[str, int]:
    whole, rest = divmod(round(seconds * 1e9), 10**9)
    return {"seconds": whole, "nanos": rest}


def shown(message: Any) -> dict[str, Any]:
    return {
        "id": message.message_id,
        "at": message.publish_time.timestamp(),
        "attributes": dict(message.attributes),
        "bytes": len(message.data),
    }
