"""What a program with confluent-kafka (librdkafka) sees of a cluster, a line each thing; `#` begins another subject.

Arguments: where the cluster is, and a time in milliseconds.
"""

import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

HOSTS, TIME = sys.argv[1], int(sys.argv[2])
PATIENCE_S = 20
TOPIC_CONFIG = 1
# What librdkafka tells at level 6 (info) comes by chance: how many events were left over at the end.
COMMON = {"bootstrap.servers": HOSTS, "log_level": 5}


def about(what):
    print("# " + what)


def tell(what, ask):
    try:
        said = ask()
    except KafkaException as error:
        said = error.args[0].name(), error.args[0].str()
    print(f"{what}: {said}", flush=True)


def topics():
    about("topics")
    tell("created", lambda: answers(admin.create_topics([NewTopic("confluent", 3, 1, config={"retention.ms": "1000000"})])))
    tell("again", lambda: answers(admin.create_topics([NewTopic("confluent", 3, 1)])))
    tell("a bad name", lambda: answers(admin.create_topics([NewTopic("a b", 3, 1)])))
    tell("more partitions", lambda: answers(admin.create_partitions([NewPartitions("confluent", 4)])))
    tell("fewer partitions", lambda: answers(admin.create_partitions([NewPartitions("confluent", 1)])))
    resource = ConfigResource(ConfigResource.Type.TOPIC, "confluent", set_config={"max.message.bytes": "2000"})
    tell("altered", lambda: answers(admin.alter_configs([resource])))
    # A real broker learns of it from the controller, a moment later.
    deadline = time.monotonic() + PATIENCE_S
    while configs(resource)[0][0] != "max.message.bytes" and time.monotonic() < deadline:
        time.sleep(0.02)
    tell("described", lambda: configs(resource))
    found = admin.list_topics("confluent", PATIENCE_S).topics["confluent"]
    print("partitions", [(one.id, one.leader, one.replicas, one.isrs) for one in found.partitions.values()])


def configs(resource):
    found = admin.describe_configs([resource])[resource].result(PATIENCE_S)
    return sorted((name, entry.value, entry.source) for name, entry in found.items() if entry.source == TOPIC_CONFIG)


def answers(futures):
    said = []
    for name, future in futures.items():
        try:
            said.append((str(name), future.result(PATIENCE_S)))
        except KafkaException as error:
            said.append((str(name), error.args[0].name(), error.args[0].str()))
    return said


def producing():
    about("producing")
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        for idempotent in (True, False):
            producer = Producer({**COMMON, "compression.type": codec, "enable.idempotence": idempotent, "linger.ms": 20})
            reports = []
            for i in range(8):
                producer.produce(
                    "confluent", f"{codec} {i} {'v' * i * 20}".encode(), f"key {i}", partition=i % 4, timestamp=TIME + i,
                    headers=[("n", bytes([i])), ("empty", b""), ("none", None)],
                    on_delivery=lambda error, message: reports.append(
                        (error and error.name(), message.partition(), message.offset(), message.timestamp()[0], message.timestamp()[1] - TIME)))
            tell("left", lambda: producer.flush(PATIENCE_S))
            print(codec, idempotent, sorted(reports))
    producer = Producer({**COMMON, "message.max.bytes": 3_000_000})
    reports = []
    producer.produce("confluent", b"v" * 3_000, partition=0, on_delivery=lambda error, _: reports.append(error and error.name()))
    producer.flush(PATIENCE_S)
    producer.produce("confluent", None, "k", partition=0, timestamp=TIME, on_delivery=lambda error, _: reports.append(error and error.name()))
    producer.flush(PATIENCE_S)
    print("too large, and a tombstone", reports)


def reading():
    about("reading")
    consumer = Consumer({**COMMON, "group.id": "reader", "auto.offset.reset": "earliest", "enable.auto.commit": False, "enable.partition.eof": False})
    partitions = [TopicPartition("confluent", index, 0) for index in range(4)]
    consumer.assign(partitions)
    total = sum(consumer.get_watermark_offsets(one, PATIENCE_S)[1] for one in partitions)
    for record in sorted(read(consumer, total), key=lambda one: (one.partition(), one.offset())):
        kind, timestamp = record.timestamp()
        print(record.partition(), record.offset(), record.key(), len(record.value() or b""), kind, timestamp - TIME, record.headers())
    for since in (-5, 0, 3, 99):
        wanted = [TopicPartition("confluent", index, TIME + since) for index in range(4)]
        tell(f"from {since}", lambda: [one.offset for one in consumer.offsets_for_times(wanted, PATIENCE_S)])
    tell("committed", lambda: [(one.partition, one.offset) for one in consumer.commit(offsets=[TopicPartition("confluent", 1, 5)], asynchronous=False)])
    tell("stored", lambda: [one.offset for one in consumer.committed(partitions, PATIENCE_S)])
    consumer.close()


def read(consumer, count):
    records = []
    deadline = time.monotonic() + PATIENCE_S
    while len(records) < count and time.monotonic() < deadline:
        record = consumer.poll(0.1)
        if record is not None and record.error() is None:
            records.append(record)
    return records


def groups():
    for assignor in ("range", "roundrobin", "cooperative-sticky"):
        about(f"a group with {assignor}")
        members = []
        for name in ("a", "b"):
            consumer = Consumer({
                **COMMON, "client.id": name, "group.id": f"confluent-{assignor}", "partition.assignment.strategy": assignor,
                "auto.offset.reset": "earliest", "enable.auto.commit": False, "heartbeat.interval.ms": 300, "session.timeout.ms": 10_000})
            consumer.subscribe(["confluent"])
            members.append(consumer)
            until(lambda: all(len(one.assignment()) == 4 // len(members) for one in members), members)
            print("with", name, assignments(members) if assignor != "cooperative-sticky" else [len(each.assignment()) for each in members])
        found = [group for group in admin.list_groups(f"confluent-{assignor}", PATIENCE_S) if group.id == f"confluent-{assignor}"]
        print("described", [(one.state, one.protocol_type, one.protocol, sorted((each.client_id, each.client_host) for each in one.members), one.error and one.error.name()) for one in found])
        members[1].close()
        until(lambda: len(members[0].assignment()) == 4, members[:1])
        print("after b has left", assignments(members[:1]))
        members[0].close()


def assignments(members):
    return [sorted(one.partition for one in each.assignment()) for each in members]


def until(reached, members):
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        if time.monotonic() > deadline:
            print("timed out", assignments(members))
            return
        for each in members:
            each.poll(0.05)


admin = AdminClient(COMMON)
topics()
producing()
reading()
groups()
tell("deleted", lambda: answers(admin.delete_topics(["confluent", "nope"])))
