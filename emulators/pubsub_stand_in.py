"""A stand-in for the Pub/Sub emulator, for machines without Java: the part of the gRPC API that we use, in memory.

Push deliveries have the wire format of cloud.google.com/pubsub/docs/push. Held equal to the official emulator by
``tests/contracts/google``, and better in two things: it keeps the retry policy's back-off to the millisecond, where the
official one looks every three seconds, and it sends ``deliveryAttempt``. Neither of them signs its push requests.
"""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import grpc
import httpx
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1.types import (
    AcknowledgeRequest,
    DeleteSubscriptionRequest,
    DeleteTopicRequest,
    GetSubscriptionRequest,
    GetTopicRequest,
    ListSubscriptionsRequest,
    ListSubscriptionsResponse,
    ListTopicsRequest,
    ListTopicsResponse,
    ModifyAckDeadlineRequest,
    ModifyPushConfigRequest,
    PublishRequest,
    PublishResponse,
    PubsubMessage,
    PullRequest,
    PullResponse,
    Subscription,
    Topic,
    UpdateSubscriptionRequest,
)

from emulators.faults import Faults
from emulators.grpc_service import LocalServer, Method, Refused, already_exists, invalid, not_found, page, service

NAME = "pubsub"
PUBLISHER = "google.pubsub.v1.Publisher"
SUBSCRIBER = "google.pubsub.v1.Subscriber"
DELETED_TOPIC = "_deleted-topic_"
RESOURCE_ID = r"(?!goog)[A-Za-z][A-Za-z0-9._~%+-]{2,254}"
PUSHED = {102, 200, 201, 202, 204}  # what counts as an acknowledgement of a push
PUSHES_AT_ONCE = 100  # for each subscription
PULL_WAIT_S = 20.0
PAGE = 1000
ACK_DEADLINE_S = 10
RETENTION_S = 7 * 24 * 3600
ATTEMPTS = (5, 100)
UNSIGNED_BACKOFF_S = (0.1, 60.0)  # of a push subscription without a retry policy
POLICY_BACKOFF_S = (10.0, 600.0)  # what a retry policy means by an unset field


@dataclass(slots=True, eq=False)
class Entry:
    """One message in one subscription, until it is acknowledged or dead."""

    message: Any
    attempts: int = 0
    available_at: float = 0.0  # by time.monotonic(); in the future while leased, or backing off
    ack_id: str = ""
    running: bool = False


@dataclass(slots=True, eq=False)
class Sub:
    """A subscription and what it has not delivered yet, in the order of publishing."""

    pb: Any
    entries: dict[str, Entry] = field(default_factory=dict)
    by_ack_id: dict[str, Entry] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PUSHES_AT_ONCE))
    done: int = 0
    dead: int = 0

    @property
    def endpoint(self) -> str:
        return str(self.pb.push_config.push_endpoint)

    def backoff_s(self, attempts: int) -> float:
        """Seconds to wait after the *attempts*-th refusal."""
        shortest, longest = UNSIGNED_BACKOFF_S if self.endpoint else (0.0, 0.0)
        if self.pb.HasField("retry_policy"):
            policy = self.pb.retry_policy
            shortest, longest = POLICY_BACKOFF_S
            if policy.HasField("minimum_backoff"):
                shortest = policy.minimum_backoff.ToTimedelta().total_seconds()
            if policy.HasField("maximum_backoff"):
                longest = policy.maximum_backoff.ToTimedelta().total_seconds()
        return min(shortest * 2.0 ** min(attempts - 1, 60), longest)

    def is_spent(self, entry: Entry) -> bool:
        policy = self.pb.dead_letter_policy
        return bool(policy.dead_letter_topic) and entry.attempts >= policy.max_delivery_attempts

    def drop(self, entry: Entry) -> None:
        self.entries.pop(entry.message.message_id, None)
        self.by_ack_id.pop(entry.ack_id, None)


class PubsubStandIn:
    """gRPC ``google.pubsub.v1`` Publisher and Subscriber on a free loopback port."""

    def __init__(self, faults: Faults):
        self._faults = faults
        self._server = LocalServer()
        self._topics: dict[str, Any] = {}
        self._subs: dict[str, Sub] = {}
        self._ids = count(1)
        self._pushes: set[asyncio.Task[None]] = set()
        self._http: httpx.AsyncClient | None = None

    async def start(self) -> int:
        self._http = httpx.AsyncClient(limits=httpx.Limits(max_connections=None), trust_env=False)
        publisher = {
            "CreateTopic": Method(Topic.pb(), self._create_topic),
            "GetTopic": Method(GetTopicRequest.pb(), self._get_topic),
            "ListTopics": Method(ListTopicsRequest.pb(), self._list_topics),
            "DeleteTopic": Method(DeleteTopicRequest.pb(), self._delete_topic),
            "Publish": Method(PublishRequest.pb(), self._publish),
        }
        subscriber = {
            "CreateSubscription": Method(Subscription.pb(), self._create_subscription),
            "GetSubscription": Method(GetSubscriptionRequest.pb(), self._get_subscription),
            "UpdateSubscription": Method(UpdateSubscriptionRequest.pb(), self._update_subscription),
            "ListSubscriptions": Method(ListSubscriptionsRequest.pb(), self._list_subscriptions),
            "DeleteSubscription": Method(DeleteSubscriptionRequest.pb(), self._delete_subscription),
            "ModifyPushConfig": Method(ModifyPushConfigRequest.pb(), self._modify_push_config),
            "Pull": Method(PullRequest.pb(), self._pull),
            "Acknowledge": Method(AcknowledgeRequest.pb(), self._acknowledge),
            "ModifyAckDeadline": Method(ModifyAckDeadlineRequest.pb(), self._modify_ack_deadline),
        }
        return await self._server.start(
            service(PUBLISHER, NAME, self._faults, publisher), service(SUBSCRIBER, NAME, self._faults, subscriber)
        )

    async def stop(self) -> None:
        await self._server.stop()
        pushes = list(self._pushes)
        for push in pushes:
            push.cancel()
        await asyncio.gather(*pushes, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()
            self._http = None
        self._topics, self._subs = {}, {}

    def snapshot(self) -> dict[str, dict[str, int]]:
        """Subscription's full name → waiting, running, done, dead."""
        return {name: self._counts(sub) for name, sub in self._subs.items()}

    @staticmethod
    def _counts(sub: Sub) -> dict[str, int]:
        running = sum(1 for entry in sub.entries.values() if entry.running)
        return {"waiting": len(sub.entries) - running, "running": running, "done": sub.done, "dead": sub.dead}

    # Publisher

    async def _create_topic(self, request: Any) -> Any:
        check_name("topics", request.name)
        if request.name in self._topics:
            raise already_exists("Topic already exists")
        self._topics[request.name] = request
        return request

    async def _get_topic(self, request: Any) -> Any:
        return self._topic(request.topic)

    async def _list_topics(self, request: Any) -> Any:
        names = sorted(name for name in self._topics if name.startswith(f"{request.project}/topics/"))
        chosen, token = page(names, request, PAGE)
        return ListTopicsResponse.pb()(topics=[self._topics[name] for name in chosen], next_page_token=token)

    async def _delete_topic(self, request: Any) -> Any:
        self._topic(request.topic)
        del self._topics[request.topic]
        for sub in self._subs.values():
            if sub.pb.topic == request.topic:
                sub.pb.topic = DELETED_TOPIC
        return Empty()

    async def _publish(self, request: Any) -> Any:
        self._topic(request.topic)
        if not request.messages:
            raise invalid("No messages to publish")
        if not all(message.data or message.attributes for message in request.messages):
            raise invalid("Some messages are empty")
        return PublishResponse.pb()(message_ids=[self._fan_out(request.topic, each) for each in request.messages])

    def _fan_out(self, topic: str, given: Any) -> str:
        message = PubsubMessage.pb()()
        message.CopyFrom(given)
        message.message_id = str(next(self._ids))
        message.publish_time.FromMilliseconds(time.time_ns() // 1_000_000)
        for sub in self._subs.values():
            if sub.pb.topic == topic:
                entry = Entry(message)
                sub.entries[message.message_id] = entry
                sub.wake.set()
                if sub.endpoint:
                    self._start_push(sub, entry)
        return str(message.message_id)

    def _topic(self, name: str) -> Any:
        check_name("topics", name)
        if name not in self._topics:
            raise not_found("Topic not found")
        return self._topics[name]

    # Subscriptions

    async def _create_subscription(self, request: Any) -> Any:
        check_name("subscriptions", request.name)
        if request.topic not in self._topics:
            raise not_found("Subscription topic does not exist")
        if request.name in self._subs:
            raise already_exists("Subscription already exists")
        self._check(request)
        request.push_config.SetInParent()
        request.ack_deadline_seconds = request.ack_deadline_seconds or ACK_DEADLINE_S
        if not request.HasField("message_retention_duration"):
            request.message_retention_duration.FromSeconds(RETENTION_S)
        self._subs[request.name] = Sub(request)
        return request

    def _check(self, pb: Any) -> None:
        if pb.filter or pb.enable_message_ordering or pb.enable_exactly_once_delivery:
            raise Refused(grpc.StatusCode.UNIMPLEMENTED, "filter, ordering and exactly-once need the official emulator")
        if pb.HasField("dead_letter_policy"):
            policy = pb.dead_letter_policy
            policy.max_delivery_attempts = policy.max_delivery_attempts or ATTEMPTS[0]
            if not ATTEMPTS[0] <= policy.max_delivery_attempts <= ATTEMPTS[1]:
                raise Refused(grpc.StatusCode.OUT_OF_RANGE, "max_delivery_attempts must be between 5 and 100")
            if policy.dead_letter_topic not in self._topics:
                raise not_found("Dead letter topic not found")

    async def _get_subscription(self, request: Any) -> Any:
        return self._sub(request.subscription).pb

    async def _update_subscription(self, request: Any) -> Any:
        sub = self._sub(request.subscription.name)
        if not request.update_mask.paths:
            raise invalid("update_mask must name the fields to update")
        updated = Subscription.pb()()
        updated.CopyFrom(sub.pb)
        for path in request.update_mask.paths:
            if path not in updated.DESCRIPTOR.fields_by_name or path in {"name", "topic"}:
                raise invalid(f"Invalid update_mask: {path}")
            updated.ClearField(path)
        masked = Subscription.pb()()
        request.update_mask.MergeMessage(request.subscription, masked)
        updated.MergeFrom(masked)
        self._check(updated)
        updated.push_config.SetInParent()
        updated.ack_deadline_seconds = updated.ack_deadline_seconds or ACK_DEADLINE_S
        self._replace(sub, updated)
        return updated

    async def _list_subscriptions(self, request: Any) -> Any:
        names = sorted(name for name in self._subs if name.startswith(f"{request.project}/subscriptions/"))
        chosen, token = page(names, request, PAGE)
        return ListSubscriptionsResponse.pb()(
            subscriptions=[self._subs[name].pb for name in chosen], next_page_token=token
        )

    async def _delete_subscription(self, request: Any) -> Any:
        sub = self._sub(request.subscription)
        del self._subs[request.subscription]
        sub.entries.clear()
        sub.wake.set()
        return Empty()

    async def _modify_push_config(self, request: Any) -> Any:
        sub = self._sub(request.subscription)
        updated = Subscription.pb()()
        updated.CopyFrom(sub.pb)
        updated.push_config.CopyFrom(request.push_config)
        self._replace(sub, updated)
        return Empty()

    def _replace(self, sub: Sub, updated: Any) -> None:
        was_pull = not sub.endpoint
        sub.pb = updated
        if was_pull and sub.endpoint:
            for entry in list(sub.entries.values()):
                self._start_push(sub, entry)

    def _sub(self, name: str) -> Sub:
        check_name("subscriptions", name)
        if name not in self._subs:
            raise not_found("Subscription does not exist")
        return self._subs[name]

    # Pull

    async def _pull(self, request: Any) -> Any:
        sub = self._sub(request.subscription)
        if request.max_messages <= 0:
            raise invalid("max_messages must be positive")
        until = time.monotonic() + (0 if request.return_immediately or sub.endpoint else PULL_WAIT_S)
        leased = list(self._lease(sub, request.max_messages))
        while not leased and (wait := until - time.monotonic()) > 0:
            sub.wake.clear()
            soonest = min((entry.available_at for entry in sub.entries.values()), default=until)
            with suppress(TimeoutError):
                await asyncio.wait_for(sub.wake.wait(), max(0.0, min(wait, soonest - time.monotonic())))
            leased = list(self._lease(sub, request.max_messages))
        return PullResponse.pb()(received_messages=leased)

    def _lease(self, sub: Sub, most: int) -> Iterator[dict[str, Any]]:
        now = time.monotonic()
        ready = [] if sub.endpoint else [entry for entry in sub.entries.values() if entry.available_at <= now]
        for entry in ready:
            if sub.is_spent(entry) and self._dead_letter(sub, entry):
                continue
            if most <= 0:
                return
            most -= 1
            entry.attempts += 1
            entry.available_at = now + sub.pb.ack_deadline_seconds
            sub.by_ack_id.pop(entry.ack_id, None)
            entry.ack_id = f"{sub.pb.name}:{next(self._ids)}"
            sub.by_ack_id[entry.ack_id] = entry
            counted = entry.attempts if sub.pb.HasField("dead_letter_policy") else 0
            yield {"ack_id": entry.ack_id, "message": entry.message, "delivery_attempt": counted}

    async def _acknowledge(self, request: Any) -> Any:
        sub = self._sub(request.subscription)
        for entry in self._leased(sub, request.ack_ids):
            sub.drop(entry)
            sub.done += 1
        return Empty()

    async def _modify_ack_deadline(self, request: Any) -> Any:
        sub = self._sub(request.subscription)
        entries = self._leased(sub, request.ack_ids)
        if not 0 <= request.ack_deadline_seconds <= 600:
            raise invalid("ack_deadline_seconds must be between 0 and 600")
        for entry in entries:
            if request.ack_deadline_seconds == 0:
                self._refused(sub, entry)
            else:
                entry.available_at = time.monotonic() + request.ack_deadline_seconds
        sub.wake.set()
        return Empty()

    @staticmethod
    def _leased(sub: Sub, ack_ids: Any) -> list[Entry]:
        """The entries of those ids; one that is no longer leased is passed over, as the real service does."""
        for ack_id in ack_ids:
            if not ack_id.startswith(f"{sub.pb.name}:"):
                raise invalid(f"Invalid ack id (ack_id={ack_id})")
        return [sub.by_ack_id[ack_id] for ack_id in ack_ids if ack_id in sub.by_ack_id]

    # Push

    def _start_push(self, sub: Sub, entry: Entry) -> None:
        push = asyncio.create_task(self._push(sub, entry))
        self._pushes.add(push)
        push.add_done_callback(self._pushes.discard)

    async def _push(self, sub: Sub, entry: Entry) -> None:
        """Send until it is acknowledged, dead, deleted, or the subscription turns to pull."""
        while sub.endpoint and entry.message.message_id in sub.entries:
            if (wait := entry.available_at - time.monotonic()) > 0:
                await asyncio.sleep(wait)
                continue
            async with sub.slots:
                entry.attempts += 1
                entry.running = True
                acknowledged = await self._post(sub, entry)
                entry.running = False
            if acknowledged:
                sub.drop(entry)
                sub.done += 1
            else:
                self._refused(sub, entry)

    async def _post(self, sub: Sub, entry: Entry) -> bool:
        assert self._http is not None
        counted = entry.attempts if sub.pb.HasField("dead_letter_policy") else None
        try:
            async with asyncio.timeout(sub.pb.ack_deadline_seconds):
                answer = await self._http.post(
                    sub.endpoint,
                    json=push_body(sub.pb.name, entry.message, counted),
                    headers={"User-Agent": "APIs-Google", "From": "noreply@google.com"},
                    timeout=None,
                )
        except (TimeoutError, httpx.RequestError, httpx.InvalidURL):
            return False
        return answer.status_code in PUSHED

    # What nobody wants

    def _refused(self, sub: Sub, entry: Entry) -> None:
        if not (sub.is_spent(entry) and self._dead_letter(sub, entry)):
            entry.available_at = time.monotonic() + sub.backoff_s(entry.attempts)

    def _dead_letter(self, sub: Sub, entry: Entry) -> bool:
        """Publish the message to the dead-letter topic and drop it; False if that topic is gone."""
        topic = sub.pb.dead_letter_policy.dead_letter_topic
        if topic not in self._topics:
            return False
        sub.drop(entry)
        sub.dead += 1
        project, _, name = sub.pb.name.removeprefix("projects/").partition("/subscriptions/")
        dead = PubsubMessage.pb()()
        dead.CopyFrom(entry.message)
        dead.attributes["CloudPubSubDeadLetterSourceSubscription"] = name
        dead.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = project
        dead.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = iso(entry.message.publish_time)
        dead.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = str(entry.attempts)
        self._fan_out(topic, dead)
        return True


def check_name(collection: str, name: str) -> None:
    if not re.fullmatch(rf"projects/[^/]+/{collection}/{RESOURCE_ID}", name):
        raise invalid(f"Invalid [{collection}] name: (name={name})")


def iso(timestamp: Any) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(timestamp.ToMilliseconds() / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def push_body(subscription: str, message: Any, attempt: int | None) -> dict[str, Any]:
    """The JSON of one push request; ``deliveryAttempt`` only where a dead-letter policy is set."""
    published = iso(message.publish_time)
    wrapped: dict[str, Any] = {
        "data": base64.b64encode(message.data).decode(),
        "attributes": dict(message.attributes),
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": published,
        "publish_time": published,
    }
    if message.ordering_key:
        wrapped["orderingKey"] = message.ordering_key
    body: dict[str, Any] = {"message": wrapped, "subscription": subscription}
    return body if attempt is None else {**body, "deliveryAttempt": attempt}
