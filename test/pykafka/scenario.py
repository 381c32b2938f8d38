"""
What pykafka 2.8.0 does, case by case; scenario/ is the port to TypeScript. Writes a line of JSON for each case.

    python scenario.py HOSTS ZOOKEEPER VERSION PREFIX [CASE …]
"""
import collections
import datetime as dt
import json
import logging
import os
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from kazoo.client import KazooClient
from pykafka import KafkaClient
from pykafka.common import CompressionType, OffsetType
from pykafka.membershipprotocol import (
    GroupMembershipProtocol,
    RangeProtocol,
    RoundRobinProtocol,
    decide_partitions_range,
    decide_partitions_roundrobin,
)
from pykafka.partitioners import (
    GroupHashingPartitioner,
    HashingPartitioner,
    RandomPartitioner,
    hashing_partitioner,
)
from pykafka.protocol import (
    CreateTopicRequest,
    MemberAssignment,
    Message,
    PartitionFetchRequest,
    PartitionOffsetCommitRequest,
    PartitionOffsetFetchRequest,
    PartitionOffsetRequest,
    ProduceRequest,
)
from pykafka.utils.compression import decode_gzip, encode_gzip

logging.disable(logging.CRITICAL)
HOSTS, ZOOKEEPER, VERSION, PREFIX = sys.argv[1:5]
WANTED = sys.argv[5:]
RELEASE = tuple(int(part) for part in VERSION.split("."))
CASES = {}
TIMEOUT_S = 30

# What an exception of either client means. The port has the same words.
KINDS = {
    "NoBrokersAvailableError": "no brokers",
    "ConsumerStoppedException": "stopped",
    "ProducerStoppedException": "stopped",
    "MessageSizeTooLarge": "too large",
    "ProducerQueueFullError": "queue full",
    "UnicodeException": "refused",
    "TypeError": "refused",
    "ValueError": "refused",
    "KafkaException": "refused",
    "ImportError": "refused",
    "KeyError": "refused",
    "Exception": "refused",
    "AttributeError": "AttributeError",
    "RuntimeError": "unsupported",
}


def case(name):
    def add(run):
        CASES[name] = run
        return run

    return add


def failure(run):
    """The kind of what it throws, or what it returns."""
    try:
        return run()
    except Exception as error:
        return {"throws": KINDS.get(type(error).__name__, type(error).__name__)}


def client(**options):
    return KafkaClient(hosts=HOSTS, broker_version=VERSION, **options)


def name_of(case_name):
    return PREFIX + re.sub("[^a-zA-Z]+", "-", case_name)


class Scene:
    """What a case has: a client, and a topic of its own with two partitions."""

    def __init__(self, name, shared):
        self.client = shared
        self.name = name_of(name)
        self.group = self.name.encode()
        # client.topics has only weak references.
        self._topic = None

    @property
    def topic(self):
        self._topic = self._topic or self.client.topics[self.name]
        return self._topic

    def fill(self, count=10, key=None):
        """Writes the values 0, 1, …: even ones to partition 0, odd ones to 1."""
        ids = iter(range(count))
        with self.topic.get_producer(
            partitioner=lambda partitions, _: sorted(partitions, key=lambda p: p.id)[next(ids) % 2],
            linger_ms=1, min_queued_messages=1,
        ) as producer:
            for number in range(count):
                producer.produce(str(number).encode(), partition_key=key)
        return self.topic

    def consumer(self, **options):
        options.setdefault("consumer_timeout_ms", 8000)
        return self.topic.get_simple_consumer(**options)

    def one(self, partition=0, **options):
        """A consumer of one partition."""
        return self.consumer(partitions=[self.topic.partitions[partition]], **options)

    def member(self, **options):
        """The same in the group of the case."""
        return self.one(consumer_group=self.group, **options)

    def at(self, offset):
        """An offset of partition 0, for commits and resets."""
        return [(self.topic.partitions[0], offset)]

    def count(self):
        """How many messages the topic has."""
        return sum(latest.offset[0] for latest in self.topic.latest_available_offsets().values())

    def sync(self, **options):
        return self.topic.get_sync_producer(linger_ms=0, **options)


def text(value):
    return None if value is None else value.decode()


def values(consumer, count):
    return [text(consumer.consume().value) for _ in range(count)]


def by_partition(found):
    """A dictionary by partition as JSON has it."""
    return {str(number): value for number, value in found.items()}


def first_offsets(found):
    return {number: limits.offset[0] for number, limits in found.items()}


def committed(consumer):
    return [[number, found.offset] for number, found in consumer.fetch_offsets()]


def until(check, seconds=TIMEOUT_S):
    end = time.time() + seconds
    while time.time() < end:
        found = check()
        if found:
            return found
        time.sleep(0.02)
    return check()


# Client, cluster, brokers

@case("client/no broker")
def _(s):
    return failure(lambda: list(KafkaClient(hosts="127.0.0.1:1").topics))


@case("client/the constructor connects")
def _(s):
    return failure(lambda: KafkaClient(hosts="127.0.0.1:1") and "made")


@case("client/brokers")
def _(s):
    return [[b.id, text(b.host), b.connected] for b in s.client.brokers.values()]


@case("client/topics are listed")
def _(s):
    s.topic
    s.client.update_cluster()
    return [text(name) for name in s.client.topics.keys() if text(name) == s.name]


@case("client/a topic is in topics")
def _(s):
    before = s.group in s.client.topics
    s.topic
    return [before, s.group in s.client.topics]


@case("client/asking for a topic creates it")
def _(s):
    s.client.topics[s.name]
    other = client()
    return s.group in other.topics


@case("client/topic updates")
def _(s):
    other = client()
    before = s.group in other.topics
    s.topic
    other.update_cluster()
    return [before, s.group in other.topics]


@case("client/internal topics are hidden")
def _(s):
    s.fill()
    consumer = s.consumer(consumer_group=s.group)
    consumer.consume()
    consumer.commit_offsets()
    hidden = client()
    shown = client(exclude_internal_topics=False)
    return [b"__consumer_offsets" in hidden.topics, b"__consumer_offsets" in shown.topics]


@case("client/an internal topic by name")
def _(s):
    return failure(lambda: s.client.topics["__consumer_offsets"] and "given")


@case("client/brokers from ZooKeeper")
def _(s):
    return [b.id for b in KafkaClient(zookeeper_hosts=ZOOKEEPER, broker_version=VERSION).brokers.values()]


@case("client/a topic whose name is not ASCII")
def _(s):
    return failure(lambda: s.client.topics["tópico"] and "given")


@case("client/an option that does not exist")
def _(s):
    return failure(lambda: KafkaClient(hosts=HOSTS, no_such_option=1) and "taken")


@case("cluster/controller")
def _(s):
    return failure(lambda: s.client.cluster.controller_broker.id)


@case("cluster/coordinator of a group")
def _(s):
    s.fill()
    s.consumer(consumer_group=s.group)
    return s.client.cluster.get_group_coordinator(s.group).id


@case("cluster/api versions")
def _(s):
    broker = next(iter(s.client.brokers.values()))
    return [broker.fetch_api_versions().api_versions[key].max for key in (1, 3)]


@case("cluster/groups are described")
def _(s):
    s.fill()
    consumer = s.topic.get_balanced_consumer(s.group, managed=True)
    groups = s.client.cluster.get_managed_group_descriptions()
    found = [text(one.group_id) for one in groups.values() if one.group_id == s.group]
    consumer.stop()
    return found


@case("broker/topics are created and deleted")
def _(s):
    broker = next(iter(s.client.brokers.values()))
    broker.create_topics([CreateTopicRequest(s.group, 3, 1, [], [])], timeout=5000)
    count = len(s.topic.partitions)
    broker.delete_topics([s.group], timeout=5000)
    return [count, until(lambda: s.group not in client().topics)]


@case("broker/a group is listed")
def _(s):
    s.fill()
    consumer = s.topic.get_balanced_consumer(s.group, managed=True)
    broker = next(iter(s.client.brokers.values()))
    listed = s.group in broker.list_groups().groups
    consumer.stop()
    return listed


@case("broker/a message is produced and fetched")
def _(s):
    broker = s.topic.partitions[0].leader
    request = ProduceRequest(required_acks=1, timeout=5000, broker_version=VERSION)
    request.add_message(Message(b"v", partition_key=b"k"), s.group, 0)
    broker.produce_messages(request)
    answer = broker.fetch_messages([PartitionFetchRequest(s.group, 0, 0)], timeout=1000)
    message = answer.topics[s.group][0].messages[0]
    return [text(message.value), text(message.partition_key), message.offset]


@case("broker/offset limits")
def _(s):
    broker = s.fill().partitions[0].leader
    answer = broker.request_offset_limits([PartitionOffsetRequest(s.group, 0, OffsetType.LATEST, 1)])
    return list(answer.topics[s.group][0].offset)


@case("broker/metadata of a topic")
def _(s):
    s.topic
    broker = next(iter(s.client.brokers.values()))
    return sorted(broker.request_metadata([s.group]).topics[s.group].partitions)


def committed_offset(s):
    broker = s.client.cluster.get_group_coordinator(s.group)
    answer = broker.fetch_consumer_group_offsets(s.group, [PartitionOffsetFetchRequest(s.group, 0)])
    return answer.topics[s.group][0].offset


@case("broker/offsets of a group")
def _(s):
    s.fill()
    consumer = s.consumer(consumer_group=s.group)
    consumer.commit_offsets(s.at(3))
    return committed_offset(s)


@case("broker/offsets are committed")
def _(s):
    s.topic
    broker = s.client.cluster.get_group_coordinator(s.group)
    request = PartitionOffsetCommitRequest(s.group, 0, 4, int(time.time() * 1000), b"by hand")
    broker.commit_consumer_group_offsets(s.group, -1, b"", [request])
    return committed_offset(s)


@case("broker/a member joins a group, beats and leaves")
def _(s):
    s.topic
    broker = s.client.cluster.get_group_coordinator(s.group)
    joined = broker.join_group(s.name, s.group, b"", s.group, RangeProtocol)
    member, generation = joined.member_id, joined.generation_id
    assignment = [(s.group, [0, 1])]
    synced = broker.sync_group(s.name, s.group, generation, member, [(member, MemberAssignment(assignment))])
    is_whole = [(topic, list(ids)) for topic, ids in synced.member_assignment.partition_assignment] == assignment
    beat = broker.heartbeat(s.name, s.group, generation, member)
    left = broker.leave_group(s.name, s.group, member)
    return [joined.leader_id == member, is_whole, beat.error_code, left.error_code]


# Topics and partitions

@case("topic/name")
def _(s):
    return text(s.topic.name)


@case("topic/partitions")
def _(s):
    return [[p.id, p.leader.id, [r.id for r in p.replicas], [r.id for r in p.isr], text(p.topic.name)]
            for _, p in sorted(s.topic.partitions.items())]


@case("topic/earliest offsets")
def _(s):
    return by_partition(first_offsets(s.fill().earliest_available_offsets()))


@case("topic/latest offsets")
def _(s):
    return by_partition(first_offsets(s.fill().latest_available_offsets()))


@case("topic/offsets by OffsetType")
def _(s):
    return by_partition(first_offsets(s.fill().fetch_offset_limits(OffsetType.LATEST)))


@case("topic/a list of offsets")
def _(s):
    return {str(k): v.offset for k, v in s.fill().fetch_offset_limits(OffsetType.LATEST, max_offsets=5).items()}


@case("topic/a list of offsets by time")
def _(s):
    later = int(time.time() * 1000) + 3_600_000
    return {str(k): v.offset for k, v in s.fill().fetch_offset_limits(later, max_offsets=5).items()}


@case("topic/offsets before all messages")
def _(s):
    found = s.fill().fetch_offset_limits(dt.datetime(2001, 1, 1))
    return {str(k): v.offset for k, v in found.items()}


@case("topic/use_rdkafka")
def _(s):
    return failure(lambda: s.topic.get_producer(use_rdkafka=True) and "taken")


@case("partition/earliest and latest offset")
def _(s):
    partition = s.fill().partitions[1]
    return [partition.earliest_available_offset(), partition.latest_available_offset()]


@case("partition/offset limit")
def _(s):
    return s.fill().partitions[1].fetch_offset_limit(OffsetType.LATEST)


# Producers

def produced(s, *args, **options):
    """The message that one produce() has put into the topic."""
    with s.sync(**options) as producer:
        producer.produce(*args)
    message = s.consumer().consume()
    return [text(message.value), text(message.partition_key)]


@case("producer/value")
def _(s):
    return produced(s, b"v")


@case("producer/positional key")
def _(s):
    return produced(s, b"v", b"k")


@case("producer/empty value")
def _(s):
    return produced(s, b"", b"k")


@case("producer/null value")
def _(s):
    return produced(s, None, b"k")


@case("producer/empty key")
def _(s):
    return produced(s, b"v", b"")


@case("producer/text")
def _(s):
    return failure(lambda: produced(s, "text"))


@case("producer/a number")
def _(s):
    return failure(lambda: produced(s, 1))


@case("producer/serializer")
def _(s):
    return produced(s, {"a": 1}, 7, serializer=lambda v, k: (json.dumps(v).encode(), str(k).encode()))


@case("producer/gzip")
def _(s):
    return produced(s, b"v" * 3, compression=CompressionType.GZIP)


@case("producer/offset of what was produced")
def _(s):
    with s.sync(partitioner=lambda partitions, _: partitions[0]) as producer:
        return [producer.produce(b"v").offset for _ in range(3)]


def timestamp_of(s, given):
    """The timestamp of a message that was produced with this one."""
    with s.sync() as producer:
        producer.produce(b"v", timestamp=given)
    return s.consumer().consume().timestamp


@case("producer/timestamp as a date")
def _(s):
    return failure(lambda: timestamp_of(s, dt.datetime(2020, 1, 2, 3, 4, 5)))


@case("producer/timestamp in milliseconds")
def _(s):
    return failure(lambda: timestamp_of(s, 1577934245000))


@case("producer/message too large")
def _(s):
    with s.sync(max_request_size=1000) as producer:
        return failure(lambda: producer.produce(b"v" * 2000) and "taken")


@case("producer/queue is full")
def _(s):
    producer = s.topic.get_producer(max_queued_messages=2, block_on_queue_full=False, linger_ms=2000,
                                    min_queued_messages=2)
    return failure(lambda: [producer.produce(b"v") for _ in range(100)] and "taken")


@case("producer/lingers by default")
def _(s):
    topic = s.topic
    producer = topic.get_producer()
    producer.produce(b"v")
    time.sleep(1)
    found = sum(v.offset[0] for v in topic.latest_available_offsets().values())
    producer.stop()
    return found == 0


@case("producer/stop sends what is queued")
def _(s):
    producer = s.topic.get_producer(linger_ms=300, min_queued_messages=1000)
    for _ in range(10):
        producer.produce(b"v")
    producer.stop()
    return s.count()


@case("producer/the end of the block sends what is queued")
def _(s):
    with s.topic.get_producer(linger_ms=300, min_queued_messages=1000) as producer:
        for _ in range(10):
            producer.produce(b"v")
    return s.count()


@case("producer/produce after stop")
def _(s):
    producer = s.sync()
    producer.stop()
    return failure(lambda: producer.produce(b"v") and "taken")


@case("producer/start after stop")
def _(s):
    producer = s.sync()
    producer.produce(b"v")
    producer.stop()
    producer.start()
    producer.produce(b"w")
    producer.stop()
    return s.count()


@case("producer/autoStart is off")
def _(s):
    producer = s.sync(auto_start=False)
    producer.start()
    producer.produce(b"v")
    producer.stop()
    return text(s.consumer().consume().value)


@case("producer/no acknowledgement")
def _(s):
    with s.topic.get_producer(required_acks=0, linger_ms=1, min_queued_messages=1) as producer:
        producer.produce(b"v")
    return text(s.consumer().consume().value)


@case("producer/delivery report")
def _(s):
    with s.topic.get_producer(delivery_reports=True, linger_ms=1, min_queued_messages=1) as producer:
        producer.produce(b"v")
        message, error = producer.get_delivery_report(timeout=10)
    return [text(message.value), error]


@case("producer/delivery reports are off")
def _(s):
    with s.topic.get_producer() as producer:
        return failure(lambda: producer.get_delivery_report(block=False) and "given")


@case("producer/default partitioner")
def _(s):
    s.fill(4, key=b"k") and None
    with s.sync() as producer:
        for _ in range(4):
            producer.produce(b"v", b"k")
    latest = s.topic.latest_available_offsets()
    return len([v for v in latest.values() if v.offset[0] > 2])


def partitions_of(s, partitioner, keys):
    with s.sync(partitioner=partitioner) as producer:
        return [producer.produce(b"v", key).partition_id for key in keys]


KEYS = [str(number).encode() for number in range(12)]


@case("partitioner/random")
def _(s):
    found = partitions_of(s, RandomPartitioner(), KEYS)
    return sorted(collections.Counter(found).values())


@case("partitioner/hashing")
def _(s):
    return partitions_of(s, hashing_partitioner, KEYS)


@case("partitioner/hashing with a function")
def _(s):
    return partitions_of(s, HashingPartitioner(lambda key: len(key)), KEYS)


@case("partitioner/hashing without a key")
def _(s):
    return failure(lambda: partitions_of(s, hashing_partitioner, [None]))


@case("partitioner/group hashing")
def _(s):
    return partitions_of(s, GroupHashingPartitioner(lambda key: len(key), group_size=1), KEYS)


@case("partitioner/group size 0")
def _(s):
    return failure(lambda: GroupHashingPartitioner(lambda key: 1, group_size=0) and "made")


@case("partitioner/group larger than the topic")
def _(s):
    return failure(lambda: partitions_of(s, GroupHashingPartitioner(lambda key: 1, group_size=3), [b"k"]))


@case("partitioner/of the application's own")
def _(s):
    seen = []

    def last(partitions, key):
        seen.append([len(partitions), text(key)])
        return sorted(partitions, key=lambda p: p.id)[-1]

    return [partitions_of(s, last, [b"k"]), seen]


# Simple consumers

@case("consumer/reads everything")
def _(s):
    s.fill()
    return sorted(values(s.consumer(), 10))


@case("consumer/a message's fields")
def _(s):
    s.fill(3, key=b"k")
    message = s.one(1).consume()
    return [text(message.value), text(message.partition_key), message.partition_id, message.offset]


@case("consumer/gives nothing after its timeout")
def _(s):
    return s.consumer(consumer_timeout_ms=100).consume()


@case("consumer/gives nothing without blocking")
def _(s):
    return s.consumer().consume(block=False)


@case("consumer/iteration ends after the timeout")
def _(s):
    s.fill()
    return len([message for message in s.consumer(consumer_timeout_ms=1500)])


@case("consumer/unblock event")
def _(s):
    event = threading.Event()
    event.set()
    return failure(lambda: s.consumer(consumer_timeout_ms=-1).consume(unblock_event=event))


@case("consumer/some partitions")
def _(s):
    s.fill()
    consumer = s.one(1)
    return [sorted(consumer.partitions.keys()), values(consumer, 5)]


@case("consumer/held offsets before a message")
def _(s):
    return by_partition(s.consumer().held_offsets)


@case("consumer/held offsets")
def _(s):
    s.fill()
    consumer = s.one()
    values(consumer, 3)
    return by_partition(consumer.held_offsets)


@case("consumer/commits and continues")
def _(s):
    s.fill()
    consumer = s.member()
    values(consumer, 3)
    consumer.commit_offsets()
    consumer.stop()
    return values(s.member(), 2)


def first_after_commit(s, offset):
    """What a group reads first after it has committed this offset."""
    s.fill()
    consumer = s.member()
    consumer.commit_offsets(s.at(offset))
    consumer.stop()
    return values(s.member(), 1)


@case("consumer/commits a number")
def _(s):
    return first_after_commit(s, 2)


@case("consumer/commit without a group")
def _(s):
    return failure(lambda: s.consumer().commit_offsets())


@case("consumer/commit of a partition that it does not read")
def _(s):
    s.topic
    consumer = s.member()
    return failure(lambda: consumer.commit_offsets([(s.topic.partitions[1], 1)]))


@case("consumer/fetches committed offsets")
def _(s):
    s.fill()
    consumer = s.member()
    consumer.commit_offsets(s.at(2))
    return committed(consumer)


@case("consumer/fetches committed offsets without a start")
def _(s):
    s.fill()
    s.member().commit_offsets(s.at(2))
    reader = s.member(auto_start=False, reset_offset_on_fetch=False)
    return committed(reader)


@case("consumer/fetching offsets moves it")
def _(s):
    s.fill()
    consumer = s.member()
    consumer.commit_offsets(s.at(3))
    consumer.fetch_offsets()
    return by_partition(consumer.held_offsets)


@case("consumer/reset to a number")
def _(s):
    s.fill()
    consumer = s.one()
    consumer.reset_offsets(s.at(2))
    return consumer.consume().offset


@case("consumer/reset to the earliest")
def _(s):
    s.fill()
    consumer = s.one()
    values(consumer, 3)
    consumer.reset_offsets(s.at(OffsetType.EARLIEST))
    return values(consumer, 1)


@case("consumer/reset to the latest")
def _(s):
    s.fill()
    consumer = s.one()
    values(consumer, 1)
    consumer.reset_offsets(s.at(OffsetType.LATEST))
    s.fill(1)
    return consumer.consume().offset


@case("consumer/reset where autoOffsetReset says")
def _(s):
    s.fill()
    consumer = s.one()
    values(consumer, 3)
    consumer.reset_offsets()
    return values(consumer, 1)


@case("consumer/reset before the start")
def _(s):
    s.fill()
    consumer = s.member(auto_start=False)
    consumer.reset_offsets(s.at(OffsetType.LATEST))
    consumer.start()
    s.fill(1)
    return consumer.consume().offset


@case("consumer/reset is committed")
def _(s):
    s.fill()
    consumer = s.member()
    consumer.reset_offsets(s.at(OffsetType.LATEST))
    return committed(consumer)


@case("consumer/old messages of a response are not delivered after a reset")
def _(s):
    s.fill()
    consumer = s.one()
    values(consumer, 1)
    consumer.reset_offsets(s.at(3))
    first = consumer.consume().offset
    rest = [message.offset for message in iter(lambda: consumer.consume(block=False), None)]
    return [first > 2, [offset for offset in rest if offset <= first]]


@case("consumer/an offset out of range")
def _(s):
    return first_after_commit(s, 1000)


@case("consumer/autoOffsetReset latest")
def _(s):
    s.fill()
    consumer = s.one(auto_offset_reset=OffsetType.LATEST)
    s.fill(1)
    return consumer.consume().offset


@case("consumer/resetOffsetOnStart")
def _(s):
    s.fill()
    consumer = s.member()
    values(consumer, 3)
    consumer.commit_offsets()
    consumer.stop()
    return values(s.member(reset_offset_on_start=True), 1)


@case("consumer/stop commits")
def _(s):
    s.fill()
    consumer = s.member(auto_commit_enable=True, consumer_timeout_ms=500)
    list(consumer)
    consumer.stop()
    s.fill(1)
    return s.member().consume().offset


@case("consumer/commits nothing by default")
def _(s):
    s.fill()
    consumer = s.member()
    values(consumer, 3)
    consumer.stop()
    return values(s.member(), 1)


@case("consumer/consume after stop")
def _(s):
    consumer = s.consumer()
    consumer.stop()
    return failure(lambda: consumer.consume())


@case("consumer/stop ends a waiting consume")
def _(s):
    consumer = s.consumer(consumer_timeout_ms=-1)
    threading.Timer(0.3, consumer.stop).start()
    return failure(lambda: consumer.consume())


@case("consumer/start after stop")
def _(s):
    s.fill()
    consumer = s.one()
    before = values(consumer, 2)
    consumer.stop()
    time.sleep(0.5)
    consumer.start()
    return [before, values(consumer, 1)]


@case("consumer/start after stop in a group")
def _(s):
    s.fill()
    consumer = s.member()
    values(consumer, 2)
    consumer.commit_offsets()
    values(consumer, 2)
    consumer.stop()
    time.sleep(0.5)
    consumer.start()
    return values(consumer, 1)


@case("consumer/deserializer")
def _(s):
    s.fill(2, key=b"k")
    message = s.one(deserializer=lambda v, k: (int(v) + 1, k.upper())).consume()
    return [message.value, text(message.partition_key)]


@case("consumer/deserializer at a timeout")
def _(s):
    consumer = s.consumer(consumer_timeout_ms=100, deserializer=lambda v, k: (v, k))
    return failure(lambda: consumer.consume())


@case("consumer/a message larger than the fetch limit")
def _(s):
    with s.sync() as producer:
        producer.produce(b"v" * 5000)
    message = s.consumer(fetch_message_max_bytes=1000, consumer_timeout_ms=2000).consume()
    return message is not None


@case("consumer/topic and partitions")
def _(s):
    consumer = s.consumer()
    return [text(consumer.topic.name), sorted(consumer.partitions)]


@case("consumer/OffsetType as autoOffsetReset")
def _(s):
    return failure(lambda: s.consumer(auto_offset_reset=-1) and "taken")


@case("consumer/a partition that does not exist")
def _(s):
    return failure(lambda: s.topic.partitions[7] and "given")


# Balanced consumers

def balanced(s, managed=False, **options):
    if not managed:
        options.setdefault("zookeeper_connect", ZOOKEEPER)
        options.setdefault("rebalance_backoff_ms", 200)
        options.setdefault("rebalance_max_retries", 20)
    options.setdefault("consumer_timeout_ms", 8000)
    return s.topic.get_balanced_consumer(s.group, managed=managed, **options)


def numbers(consumer):
    return sorted(consumer.partitions.keys())


def shared(first, second):
    return until(lambda: sorted(numbers(first) + numbers(second)) == [0, 1] and
                 len(numbers(first)) == 1 and [len(numbers(first)), len(numbers(second))])


def of_both(name):
    """The same with both coordinators."""
    def add(run):
        CASES["balanced/" + name] = lambda s: run(s, False)
        CASES["managed/" + name] = lambda s: run(s, True)
        return run

    return add


@of_both("one has all partitions")
def _(s, managed):
    s.fill()
    consumer = balanced(s, managed)
    found = [until(lambda: numbers(consumer)), sorted(values(consumer, 10))]
    consumer.stop()
    return found


@of_both("two share, and one takes over")
def _(s, managed):
    s.fill()
    first = balanced(s, managed)
    second = balanced(s, managed)
    both = shared(first, second)
    second.stop()
    alone = until(lambda: numbers(first) == [0, 1])
    first.stop()
    return [both, alone]


@of_both("commits and continues")
def _(s, managed):
    s.fill()
    consumer = balanced(s, managed)
    values(consumer, 10)
    consumer.commit_offsets()
    consumer.stop()
    s.fill(2)
    again = balanced(s, managed)
    found = sorted([again.consume().offset for _ in range(2)])
    again.stop()
    return found


@of_both("gives nothing after its timeout")
def _(s, managed):
    consumer = balanced(s, managed, consumer_timeout_ms=100)
    found = consumer.consume()
    consumer.stop()
    return found


@of_both("consume after stop")
def _(s, managed):
    consumer = balanced(s, managed)
    consumer.stop()
    return failure(lambda: consumer.consume())


@of_both("start after stop")
def _(s, managed):
    s.fill()
    consumer = balanced(s, managed)
    values(consumer, 10)
    consumer.commit_offsets()
    consumer.stop()
    time.sleep(0.5)
    consumer.start()
    s.fill(2)
    found = consumer.consume()
    consumer.stop()
    return found.offset


@of_both("reset to the earliest")
def _(s, managed):
    s.fill()
    consumer = balanced(s, managed)
    values(consumer, 10)
    consumer.reset_offsets([(p, OffsetType.EARLIEST) for p in consumer.partitions.values()])
    found = consumer.consume().offset
    consumer.stop()
    return found


@case("balanced/servers of the client")
def _(s):
    s.fill()
    via = KafkaClient(zookeeper_hosts=ZOOKEEPER, broker_version=VERSION)
    consumer = via.topics[s.name].get_balanced_consumer(s.group, consumer_timeout_ms=8000)
    found = numbers(consumer)
    consumer.stop()
    return found


@case("balanced/znodes are below the chroot of the client")
def _(s):
    s.topic
    via = KafkaClient(zookeeper_hosts=ZOOKEEPER, broker_version=VERSION)
    topic = via.topics[s.name]
    consumer = topic.get_balanced_consumer(s.group)
    servers, chroot = ZOOKEEPER.split("/")
    looking = KazooClient(servers)
    looking.start()
    group = "/consumers/" + s.name
    members = looking.get_children("/" + chroot + group + "/ids")
    owners = "/" + chroot + group + "/owners"
    # Python 2 and 3 spell the topic's node differently.
    owned = {name for one in looking.get_children(owners) for name in looking.get_children(owners + "/" + one)}
    outside = looking.exists(group) is not None
    consumer.stop()
    looking.stop()
    return [len(members), sorted(owned), outside]


@case("balanced/callback after a rebalance")
def _(s):
    s.fill()
    seen = []

    def callback(_, old, new):
        seen.append([sorted(old.keys()), sorted(new.items())])
        return {partition: 2 for partition in new}

    consumer = balanced(s, post_rebalance_callback=callback)
    first = consumer.consume().offset
    consumer.stop()
    return [seen[0], first]


@case("balanced/round robin")
def _(s):
    s.topic
    first = balanced(s, membership_protocol=RoundRobinProtocol)
    second = balanced(s, membership_protocol=RoundRobinProtocol)
    found = shared(first, second)
    first.stop()
    second.stop()
    return found


@case("balanced/membership protocol of the application's own")
def _(s):
    s.topic
    seen = []

    def decide(participants, partitions, consumer_id):
        seen.append([len(participants), sorted(partitions), consumer_id in participants])
        return {partitions[1]}

    protocol = GroupMembershipProtocol(b"consumer", b"own", RangeProtocol.metadata, decide)
    consumer = balanced(s, membership_protocol=protocol)
    found = [numbers(consumer), seen[0]]
    consumer.stop()
    return found


@case("balanced/zookeeper with managed")
def _(s):
    return failure(lambda: balanced(s, True, zookeeper_connect=ZOOKEEPER) and "taken")


@case("balanced/no group")
def _(s):
    return failure(lambda: s.topic.get_balanced_consumer(None) and "taken")


class FakePartition:
    def __init__(self, number):
        self.id = number
        self.topic = self.leader = self
        self.name = "t"


def decided(decide):
    partitions = {number: FakePartition(number) for number in range(7)}
    for partition in partitions.values():
        partition.leader = FakePartition(0)
    members = ["a", "b", "c"]
    return [sorted(p.id for p in decide(members, partitions, member)) for member in members]


@case("membership/decide_partitions_range")
def _(s):
    return decided(decide_partitions_range)


@case("membership/decide_partitions_roundrobin")
def _(s):
    return decided(decide_partitions_roundrobin)


@case("utils/gzip")
def _(s):
    return text(decode_gzip(encode_gzip(b"some text")))


def main():
    shared_client = client()
    lock = threading.Lock()

    def run(name):
        outcomes = []
        scene = Scene(name, shared_client)
        thread = threading.Thread(target=lambda: outcomes.append(failure(lambda: CASES[name](scene))), daemon=True)
        thread.start()
        thread.join(TIMEOUT_S)
        outcome = outcomes[0] if outcomes else {"hangs": True}
        with lock:
            print(json.dumps({"case": name, "outcome": outcome}), flush=True)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, WANTED or CASES))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # pykafka's threads may run for a long time.
    os._exit(0)
