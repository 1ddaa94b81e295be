"""Pub/Sub: one contract for the official emulator and for our stand-in, through Google's own async clients."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import AlreadyExists, GoogleAPICallError, InvalidArgument, NotFound, ServiceUnavailable
from google.pubsub_v1 import PublisherAsyncClient, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from emulators.faults import Fault, Faults
from emulators.pubsub import Pubsub, PushSubscription

PROJECT = "projects/anchor-local"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
async def emulator(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pubsub]:
    """A running Pub/Sub, official or ours, without topics."""
    pubsub = Pubsub(
        [], [], project="anchor-local", state_dir=tmp_path_factory.mktemp("pubsub"), faults=Faults(), env=environ
    )
    await pubsub.start()
    if pubsub.status.kind == "stand-in" and environ.get("ANCHOR_EMULATORS") != "stand-in":
        await pubsub.stop()
        pytest.skip(f"no official emulator: {pubsub.status.note}")
    yield pubsub
    await pubsub.stop()


@pytest.fixture
async def pubsub(emulator: Pubsub, connect: Any) -> Any:
    channel = connect(emulator.env["PUBSUB_EMULATOR_HOST"])
    return SimpleNamespace(
        kind=emulator.status.kind,
        publisher=PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel)),
        subscriber=SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel)),
    )


def fresh(collection: str) -> str:
    return f"{PROJECT}/{collection}/t{uuid.uuid4().hex}"


@pytest.fixture
async def topic(pubsub: Any) -> str:
    return (await pubsub.publisher.create_topic(name=fresh("topics"))).name


async def publish(pubsub: Any, topic: str, data: bytes = b"", **attributes: str) -> str:
    answer = await pubsub.publisher.publish(topic=topic, messages=[{"data": data, "attributes": attributes}])
    return answer.message_ids[0]


async def pull(pubsub: Any, subscription: str, many: int = 1) -> list[Any]:
    """Exactly *many* messages, however few come in one answer."""
    got: list[Any] = []
    async with asyncio.timeout(25):
        while len(got) < many:
            answer = await pubsub.subscriber.pull(subscription=subscription, max_messages=many - len(got))
            got += answer.received_messages
    return got


async def test_topics_come_and_go(pubsub: Any, topic: str) -> None:
    """Made once, found, listed, deleted; a subscription outlives its topic."""
    with pytest.raises(AlreadyExists):
        await pubsub.publisher.create_topic(name=topic)
    assert (await pubsub.publisher.get_topic(topic=topic)).name == topic
    assert topic in [each.name async for each in await pubsub.publisher.list_topics(project=PROJECT)]
    subscription = await pubsub.subscriber.create_subscription(name=fresh("subscriptions"), topic=topic)
    await pubsub.publisher.delete_topic(topic=topic)
    with pytest.raises(NotFound):
        await pubsub.publisher.get_topic(topic=topic)
    left = await pubsub.subscriber.get_subscription(subscription=subscription.name)
    assert left.topic == "_deleted-topic_"


async def test_subscriptions_come_and_go(pubsub: Any, topic: str) -> None:
    """Made with defaults, found, listed, deleted."""
    name = fresh("subscriptions")
    made = await pubsub.subscriber.create_subscription(name=name, topic=topic)
    assert made.ack_deadline_seconds == 10
    assert made.message_retention_duration.total_seconds() == 7 * 24 * 3600
    with pytest.raises(AlreadyExists):
        await pubsub.subscriber.create_subscription(name=name, topic=topic)
    assert await pubsub.subscriber.get_subscription(subscription=name) == made
    assert name in [each.name async for each in await pubsub.subscriber.list_subscriptions(project=PROJECT)]
    await pubsub.subscriber.delete_subscription(subscription=name)
    with pytest.raises(NotFound):
        await pubsub.subscriber.get_subscription(subscription=name)


async def test_wrong_requests_are_refused_alike(pubsub: Any, topic: str) -> None:
    """The same gRPC codes from both."""
    none, publisher, subscriber = fresh("topics"), pubsub.publisher, pubsub.subscriber
    dead = {"name": fresh("subscriptions"), "topic": topic}
    plain = await subscriber.create_subscription(name=fresh("subscriptions"), topic=topic)
    refusals = {
        "bad topic": publisher.create_topic(name=f"{PROJECT}/topics/1"),
        "no topic": publisher.create_topic(name="topic"),
        "get": publisher.get_topic(topic=none),
        "delete": publisher.delete_topic(topic=none),
        "publish": publisher.publish(topic=none, messages=[{"data": b"x"}]),
        "empty": publisher.publish(topic=topic, messages=[{}]),
        "nothing": publisher.publish(topic=topic, messages=[]),
        "bad subscription": subscriber.create_subscription(name=f"{PROJECT}/subscriptions/1", topic=topic),
        "to nothing": subscriber.create_subscription(name=fresh("subscriptions"), topic=none),
        "get subscription": subscriber.get_subscription(subscription=fresh("subscriptions")),
        "delete subscription": subscriber.delete_subscription(subscription=fresh("subscriptions")),
        "pull": subscriber.pull(subscription=fresh("subscriptions"), max_messages=1),
        "ack": subscriber.acknowledge(subscription=plain.name, ack_ids=["nonsense"]),
        "few attempts": subscriber.create_subscription(
            request={**dead, "dead_letter_policy": {"dead_letter_topic": topic, "max_delivery_attempts": 4}}
        ),
        "no dead letters": subscriber.create_subscription(
            request={**dead, "dead_letter_policy": {"dead_letter_topic": none, "max_delivery_attempts": 5}}
        ),
    }
    codes = {}
    for name, refusal in refusals.items():
        with pytest.raises(GoogleAPICallError) as caught:
            await refusal
        codes[name] = caught.value.grpc_status_code.name
    assert codes == {
        **dict.fromkeys(("bad topic", "no topic", "empty", "nothing", "bad subscription", "ack"), "INVALID_ARGUMENT"),
        **dict.fromkeys(("get", "delete", "publish", "to nothing", "get subscription", "pull"), "NOT_FOUND"),
        **dict.fromkeys(("delete subscription", "no dead letters"), "NOT_FOUND"),
        "few attempts": "OUT_OF_RANGE",
    }


async def test_each_subscription_gets_each_message(pubsub: Any, topic: str) -> None:
    """Data, attributes, id and time; what was published before the subscription is not for it."""
    await publish(pubsub, topic, b"too early")
    names = [(await pubsub.subscriber.create_subscription(name=fresh("subscriptions"), topic=topic)).name for _ in "ab"]
    ids = [await publish(pubsub, topic, b"one", kind="x"), await publish(pubsub, topic, kind="attributes only")]
    for name in names:
        received = await pull(pubsub, name, 2)
        messages = {each.message.message_id: each.message for each in received}
        assert sorted(messages) == sorted(ids)
        assert (messages[ids[0]].data, dict(messages[ids[0]].attributes)) == (b"one", {"kind": "x"})
        assert messages[ids[0]].publish_time is not None


async def test_an_acknowledged_message_is_gone_and_a_refused_one_comes_again(pubsub: Any, topic: str) -> None:
    """A deadline of 0 gives it back at once."""
    name = (await pubsub.subscriber.create_subscription(name=fresh("subscriptions"), topic=topic)).name
    await publish(pubsub, topic, b"one")
    await publish(pubsub, topic, b"two")
    first = {each.message.data: each.ack_id for each in await pull(pubsub, name, 2)}
    await pubsub.subscriber.acknowledge(subscription=name, ack_ids=[first[b"one"]])
    await pubsub.subscriber.modify_ack_deadline(subscription=name, ack_ids=[first[b"two"]], ack_deadline_seconds=0)
    [again] = await pull(pubsub, name)
    assert again.message.data == b"two"


async def test_a_push_has_googles_wire_format(pubsub: Any, topic: str, worker: Any) -> None:
    """The JSON body, both spellings of its keys; 2xx acknowledges."""
    name = fresh("subscriptions")
    await pubsub.subscriber.create_subscription(
        request={"name": name, "topic": topic, "push_config": {"push_endpoint": f"{worker.url}/on_event?x=1"}}
    )
    ids = [await publish(pubsub, topic, b'{"a": 1}', kind="x"), await publish(pubsub, topic, b"\xff\x00")]
    requests = await worker.wait_for(2)
    bodies = {body["message"]["messageId"]: body for body in (json.loads(request.body) for request in requests)}
    published = bodies[ids[0]]["message"]["publishTime"]
    assert TIME.fullmatch(published)
    assert bodies[ids[0]] == {
        "subscription": name,
        "message": {
            "data": base64.b64encode(b'{"a": 1}').decode(),
            "attributes": {"kind": "x"},
            "messageId": ids[0],
            "message_id": ids[0],
            "publishTime": published,
            "publish_time": published,
        },
    }
    assert base64.b64decode(bodies[ids[1]]["message"]["data"]) == b"\xff\x00"
    assert bodies[ids[1]]["message"]["attributes"] == {}
    for request in requests:
        assert (request.method, request.path) == ("POST", "/on_event?x=1")
        assert request.headers["content-type"].startswith("application/json")
        assert "authorization" not in request.headers


async def test_a_refused_push_comes_again_and_in_the_end_goes_to_dead_letters(
    pubsub: Any, topic: str, worker: Any
) -> None:
    """After max_delivery_attempts refusals the message is on the dead-letter topic, with where it came from."""
    dead = (await pubsub.publisher.create_topic(name=fresh("topics"))).name
    letters = (await pubsub.subscriber.create_subscription(name=fresh("subscriptions"), topic=dead)).name
    name = fresh("subscriptions")
    await pubsub.subscriber.create_subscription(
        request={
            "name": name,
            "topic": topic,
            "push_config": {"push_endpoint": worker.url},
            "retry_policy": {"minimum_backoff": {"nanos": 10_000_000}, "maximum_backoff": {"nanos": 100_000_000}},
            "dead_letter_policy": {"dead_letter_topic": dead, "max_delivery_attempts": 5},
        }
    )

    def answer(request: Any) -> tuple[int, dict[str, str]]:
        bad = base64.b64decode(json.loads(request.body)["message"]["data"]) == b"bad"
        return (503, {}) if bad or len(worker.received) <= 2 else (200, {})

    worker.answer = answer
    bad = await publish(pubsub, topic, b"bad", kind="x")
    good = await publish(pubsub, topic, b"good")
    [letter] = await pull(pubsub, letters)
    assert letter.message.data == b"bad"
    attributes = dict(letter.message.attributes)
    assert TIME.fullmatch(attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime"))
    assert attributes == {
        "kind": "x",
        "CloudPubSubDeadLetterSourceSubscription": name.rpartition("/")[2],
        "CloudPubSubDeadLetterSourceSubscriptionProject": "anchor-local",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
    }
    bodies = [json.loads(request.body) for request in worker.received]
    sent = [body["message"]["messageId"] for body in bodies]
    assert (sent.count(bad), sent.count(good)) == (5, 2)
    if pubsub.kind == "stand-in":  # documented, but this is where the official emulator lags behind
        assert [body["deliveryAttempt"] for body in bodies if body["message"]["messageId"] == bad] == [1, 2, 3, 4, 5]


async def test_a_subscription_turns_from_pull_to_push(pubsub: Any, topic: str, worker: Any) -> None:
    """ModifyPushConfig sends what was waiting."""
    name = (await pubsub.subscriber.create_subscription(name=fresh("subscriptions"), topic=topic)).name
    await publish(pubsub, topic, b"waiting")
    await pubsub.subscriber.modify_push_config(subscription=name, push_config={"push_endpoint": worker.url})
    [request] = await worker.wait_for(1)
    assert base64.b64decode(json.loads(request.body)["message"]["data"]) == b"waiting"


async def test_the_projects_own_topics_and_subscriptions(
    emulator: Pubsub, worker: Any, tmp_path: Path, faults: Faults, connect: Any
) -> None:
    """Pubsub makes what the manifest names, moves the endpoints of what is already there, and shows what happened."""
    topics = [f"{kind}-{uuid.uuid4().hex}" for kind in ("event", "dead")]
    channel = connect(emulator.env["PUBSUB_EMULATOR_HOST"])
    publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
    env = {"PUBSUB_EMULATOR_HOST": emulator.env["PUBSUB_EMULATOR_HOST"]}
    listener = f"listener-{uuid.uuid4().hex}"

    async def run(path: str) -> Pubsub:
        push = PushSubscription(
            name=listener, topic=topics[0], endpoint=worker.url + path, dead_letter_topic=topics[1], min_backoff_s=0.1
        )
        ours = Pubsub(topics, [push], project="anchor-local", state_dir=tmp_path, faults=faults, env=env)
        await ours.start()
        assert ours.status.ready
        return ours

    old = await run("/old")
    await old.stop()
    ours = await run("/new")
    await publisher.publish(
        topic=f"{PROJECT}/topics/{topics[0]}", messages=[{"data": b"abc", "attributes": {"kind": "x"}}]
    )
    await worker.wait_for(1, "/new")
    shown = await ours.snapshot()
    await ours.stop()
    assert shown["topics"][topics[0]]["published"] == 1
    [recent] = shown["topics"][topics[0]]["recent"]
    assert (recent["attributes"], recent["bytes"]) == ({"kind": "x"}, 3)
    assert shown["topics"][topics[1]] == {"published": 0, "recent": []}
    assert shown["subscriptions"][listener]["endpoint"] == f"{worker.url}/new"
    assert shown["subscriptions"][listener]["dead"] == []


@pytest.fixture
async def stand_in(worker: Any, tmp_path: Path, faults: Faults) -> AsyncIterator[Pubsub]:
    """Our stand-in, with one listener and its dead letters."""
    push = PushSubscription(name="on_event", topic="event", endpoint=worker.url, dead_letter_topic="dead")
    env = {"ANCHOR_EMULATORS": "stand-in"}
    pubsub = Pubsub(["event", "dead"], [push], project="anchor-local", state_dir=tmp_path, faults=faults, env=env)
    await pubsub.start()
    yield pubsub
    await pubsub.stop()
    await pubsub.stop()  # a second time does no harm


async def test_the_stand_in_knows_what_waits_and_takes_faults(
    stand_in: Pubsub, worker: Any, faults: Faults, connect: Any
) -> None:
    """Where the stand-in runs, the console sees deliveries too, and calls can be made to fail."""
    channel = connect(stand_in.env["PUBSUB_EMULATOR_HOST"])
    publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
    message = {"topic": f"{PROJECT}/topics/event", "messages": [{"data": b"x"}]}
    await publisher.publish(request=message)
    await worker.wait_for(1)
    await asyncio.sleep(0.05)
    shown = (await stand_in.snapshot())["subscriptions"]["on_event"]
    assert (shown["waiting"], shown["running"], shown["done"]) == (0, 0, 1)
    faults.put("pubsub", Fault(status=503))
    with pytest.raises(ServiceUnavailable):
        await publisher.publish(request=message, retry=None)


async def test_an_unknown_feature_is_said_to_be_missing(stand_in: Pubsub, connect: Any) -> None:
    """The stand-in refuses what it cannot do, rather than doing something else."""
    channel = connect(stand_in.env["PUBSUB_EMULATOR_HOST"])
    subscriber = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
    base = {"name": f"{PROJECT}/subscriptions/plain", "topic": f"{PROJECT}/topics/event"}
    with pytest.raises(GoogleAPICallError, match="official emulator"):
        await subscriber.create_subscription(request={**base, "filter": "attributes.x"})
    await subscriber.create_subscription(request=base)
    with pytest.raises(InvalidArgument):
        await subscriber.update_subscription(request={"subscription": base, "update_mask": {"paths": ["topic"]}})
