"""What a program with kafka-python sees of a cluster, a line each thing; `#` begins another subject.

Arguments: where the cluster is, the Kafka that it is ('4.4'), and a time in milliseconds.
"""

import sys
import threading
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

HOSTS, VERSION, TIME = sys.argv[1], tuple(int(part) for part in sys.argv[2].split(".")), int(sys.argv[3])
PATIENCE_S = 20

# Brokers before 0.10 can't be asked; this client tells the others apart by their versions of requests.
OLD = {"api_version": VERSION if VERSION != (0, 9) else (0, 9)} if VERSION < (0, 10) else {}
COMMON = {"bootstrap_servers": HOSTS, **OLD}


def about(what):
    print("# " + what)


def tell(what, ask):
    try:
        said = ask()
    except (KafkaError, AssertionError, ValueError) as error:
        said = type(error).__name__
    print(f"{what}: {said}", flush=True)


def producing():
    about("producing")
    codecs = [None, "gzip"] + (["snappy", "lz4"] if VERSION >= (0, 10) else []) + (["zstd"] if VERSION >= (2, 1) else [])
    for codec in codecs:
        producer = KafkaProducer(**COMMON, compression_type=codec, linger_ms=20, retries=3)
        sent = []
        for i in range(10):
            options = {"headers": [("n", bytes([i])), ("empty", b"")]} if VERSION >= (0, 11) else {}
            if VERSION >= (0, 10):
                options["timestamp_ms"] = TIME + i
            value = f"{codec} {i} ".encode() + b"v" * i * 50
            sent.append(producer.send("python", value=value, key=f"key {i % 4}".encode(), partition=i % 3, **options))
        tell(str(codec), lambda: [metadata(one.get(PATIENCE_S)) for one in sent])
        producer.close()
    producer = KafkaProducer(**COMMON, acks="all", max_request_size=3_000_000, retries=0)
    tell("acknowledged by all", lambda: metadata(producer.send("python", b"v", partition=0, **stamp(0)).get(PATIENCE_S)))
    tell("a tombstone", lambda: metadata(producer.send("python", None, b"k", partition=0, **stamp(1)).get(PATIENCE_S)))
    tell("too large", lambda: metadata(producer.send("python", b"v" * 2_000_000, partition=0, **stamp(2)).get(PATIENCE_S)))
    producer.close()
    producer = KafkaProducer(**COMMON, acks=0)
    consumer = KafkaConsumer(**COMMON)
    partition = TopicPartition("python", 1)
    before = consumer.end_offsets([partition])[partition]
    producer.send("python", b"unacknowledged", partition=1, **stamp(3))
    until(lambda: consumer.end_offsets([partition])[partition] > before)
    producer.close()
    consumer.close()


def stamp(milliseconds):
    return {"timestamp_ms": TIME + milliseconds} if VERSION >= (0, 10) else {}


def metadata(record):
    since = record.timestamp - TIME if record.timestamp is not None and record.timestamp >= 0 else record.timestamp
    return f"{record.partition}:{record.offset} {since if VERSION >= (0, 10) else None}"


def reading():
    about("reading")
    consumer = KafkaConsumer(**COMMON, auto_offset_reset="earliest", enable_auto_commit=False, max_partition_fetch_bytes=2_000)
    partitions = [TopicPartition("python", index) for index in range(3)]
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    total = sum(consumer.end_offsets(partitions).values())
    records = read(consumer, total)
    for record in sorted(records, key=lambda one: (one.partition, one.offset)):
        since = None if record.timestamp is None or VERSION < (0, 10) else record.timestamp - TIME
        print(record.partition, record.offset, record.key, len(record.value or b""), since, record.timestamp_type, record.headers)
    tell("positions", lambda: [consumer.position(one) for one in partitions])
    tell("first", lambda: sorted(consumer.beginning_offsets(partitions).items()))
    tell("next", lambda: sorted(consumer.end_offsets(partitions).items()))
    tell("topics", lambda: sorted(name for name in consumer.topics() if name == "python"))
    tell("partitions", lambda: sorted(consumer.partitions_for_topic("python")))
    if VERSION >= (0, 10):
        for since in (-5, 0, 4, 9, 99):
            tell(f"from {since}", lambda: sorted((one.partition, found and (found.offset, found.timestamp - TIME)) for one, found in consumer.offsets_for_times({one: TIME + since for one in partitions}).items()))
    consumer.seek(partitions[0], 9_999)
    tell("past the end, from the start", lambda: read(consumer, 1)[0].offset)
    consumer.close()


def read(consumer, count):
    records = []
    deadline = time.monotonic() + PATIENCE_S
    while len(records) < count and time.monotonic() < deadline:
        for some in consumer.poll(100).values():
            records.extend(some)
    return records


class Member(threading.Thread):
    """A consumer of a group, in a thread of its own: while it joins, this client waits for the others."""

    def __init__(self, name, assignor):
        super().__init__(daemon=True)
        self.consumer = KafkaConsumer(
            "python", **COMMON, client_id=name, group_id=f"python-{assignor.name}", enable_auto_commit=False,
            partition_assignment_strategy=[assignor], heartbeat_interval_ms=300, session_timeout_ms=10_000)
        self.assigned = []
        self.committed = None
        self.leaving = threading.Event()
        self.start()

    def run(self):
        while not self.leaving.is_set():
            self.consumer.poll(20)
            self.assigned = sorted(one.partition for one in self.consumer.assignment())
        partition = TopicPartition("python", self.assigned[0])
        self.consumer.commit({partition: OffsetAndMetadata(2, "a note")})
        self.committed = self.consumer.committed(partition, True)
        self.consumer.close()

    def leave(self):
        self.leaving.set()
        self.join(PATIENCE_S)


def groups():
    for assignor in (RangePartitionAssignor, RoundRobinPartitionAssignor):
        about(f"a group with {assignor.name}")
        members = []
        for name in ("a", "b"):
            members.append(Member(name, assignor))
            least = 3 // len(members)
            until(lambda: all(len(one.assigned) >= least for one in members) and sum(len(one.assigned) for one in members) == 3)
            print("with", name, [one.assigned for one in members])
        members[1].leave()
        print("committed by b", members[1].committed)
        until(lambda: len(members[0].assigned) == 3)
        print("after b has left", members[0].assigned)
        members[0].leave()
    about("positions by hand")
    consumer = KafkaConsumer(**COMMON, group_id="python-by-hand", enable_auto_commit=False)
    partition = TopicPartition("python", 2)
    consumer.assign([partition])
    tell("none", lambda: consumer.committed(partition))
    consumer.commit({partition: OffsetAndMetadata(3, "note")})
    tell("stored", lambda: consumer.committed(partition, True))
    tell("continues from there", lambda: read(consumer, 1)[0].offset)
    consumer.close()


def until(reached):
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        if time.monotonic() > deadline:
            print("timed out")
            return
        time.sleep(0.02)


def administration():
    about("administration")
    admin = KafkaAdminClient(**COMMON)
    tell("created", lambda: admin.create_topics([NewTopic("python-admin", 2, 1, topic_configs={"retention.ms": "1000000"})], timeout_ms=9_000).topic_errors)
    tell("again", lambda: admin.create_topics([NewTopic("python-admin", 2, 1)]))
    tell("more partitions", lambda: admin.create_partitions({"python-admin": NewPartitions(4)}).topic_errors)
    # A real broker learns of it from the controller, a moment later.
    until(lambda: len(admin.describe_topics(["python-admin"])[0]["partitions"]) == 4)
    tell("description", lambda: [(one["topic"], one["error_code"], sorted((part["partition"], part["leader"], part["replicas"], part["isr"]) for part in one["partitions"])) for one in admin.describe_topics(["python-admin"])])
    resource = ConfigResource(ConfigResourceType.TOPIC, "python-admin", {"cleanup.policy": "compact"})
    tell("altered", lambda: admin.alter_configs([resource]).resources)
    until(lambda: configs(admin, resource) == [("cleanup.policy", "compact")])
    tell("described", lambda: configs(admin, resource))
    tell("groups", lambda: sorted(name for name in admin.list_consumer_groups() if name[0].startswith("python")))
    tell("a group", lambda: [(one.error_code, one.group, one.state, one.protocol_type, len(one.members)) for one in admin.describe_consumer_groups(["python-range"])])
    tell("its positions", lambda: sorted(admin.list_consumer_group_offsets("python-range").items()))
    if VERSION >= (1, 1):
        tell("deleted groups", lambda: sorted((name, error.__name__) for name, error in admin.delete_consumer_groups(["python-range", "nope"])))
    tell("deleted", lambda: admin.delete_topics(["python-admin"], timeout_ms=9_000).topic_error_codes)
    admin.close()


def configs(admin, resource):
    return sorted(entry[:2] for answer in admin.describe_configs([resource]) for found in answer.resources for entry in found[4])


producing()
reading()
if VERSION >= (0, 9):
    groups()
if VERSION >= (0, 11):
    administration()
