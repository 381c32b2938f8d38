"""confluent-kafka, the Python binding of librdkafka."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "driver"))
import drive

import confluent_kafka


def base(task):
    tls = task.get("tls")
    secure = {"security.protocol": "ssl", "ssl.ca.location": tls["caFile"]} if tls else {}
    return {"bootstrap.servers": task["brokers"], **secure}


def producer_of(task, more):
    large = {"message.max.bytes": 2 * task["valueBytes"]} if task["valueBytes"] > 900_000 else {}
    return confluent_kafka.Producer(
        {**base(task), "acks": task["acks"], "compression.type": task["compression"], **large, **more}
    )


def named(more):
    """Properties of librdkafka, given as arguments with underscores."""
    return {key.replace("_", "."): value for key, value in more.items()}


def producing(**more):
    settings = named(more)

    def way(task):
        producer = producer_of(task, settings)
        topic = task["topic"]
        failed = []

        def report(error, message):
            if error is not None:
                failed.append(error)

        def send(values, lap):
            for value in values:
                while True:
                    try:
                        producer.produce(topic, value, on_delivery=report)
                        break
                    except BufferError:  # Its queue is full: the documentation says to poll.
                        producer.poll(0.1)
                producer.poll(0)
            producer.flush()
            if failed:
                raise RuntimeError(str(failed[0]))

        return send, lambda: None

    return way


def awaited(task):
    producer = producer_of(task, {"linger.ms": 0})

    def send(values, lap):
        for value in values:
            producer.produce(task["topic"], value)
            producer.flush()
            lap()

    return send, lambda: None


def transactional(task):
    identity = {"transactional.id": f"confluent-{os.getpid()}-{time.time_ns()}"}
    producer = producer_of({**task, "acks": -1}, identity)
    producer.init_transactions()

    def run(values, is_spread):
        producer.begin_transaction()
        for index, value in enumerate(values):
            put(producer, task["topic"], value, {"partition": index} if is_spread else {})
        producer.commit_transaction()

    return run, lambda: None


def idempotent(task):
    producer = producer_of({**task, "acks": -1}, {"enable.idempotence": True})

    def run(values, is_spread):
        for value in values:
            put(producer, task["topic"], value, {})
        producer.flush()

    return run, lambda: None


def put(producer, topic, value, more):
    while True:
        try:
            producer.produce(topic, value, **more)
            return
        except BufferError:
            producer.poll(0.1)


def consumer_of(task, sink, more={}):
    consumer = confluent_kafka.Consumer(
        {**base(task), "group.id": task["group"], "auto.offset.reset": "earliest", **more}
    )
    consumer.subscribe([task["topic"]], on_assign=lambda *_: sink.begin())
    return consumer


def messages(task, sink):
    consumer = consumer_of(task, sink)
    while not sink.is_late():
        message = consumer.poll(0.1)
        if message is not None and not message.error():
            sink.take(message.value())
    consumer.close()


def batches(**more):
    # With the default a partition whose queue was full is not fetched for a second.
    settings = {"fetch.queue.backoff.ms": 10, **named(more)}

    def way(task, sink):
        consumer = consumer_of(task, sink, settings)
        while not sink.is_late():
            for message in consumer.consume(1_000, 0.1):
                if not message.error() and sink.take(message.value()):
                    break
        consumer.close()

    return way


def joining(**more):
    settings = named(more)

    def way(task, member):
        consumer = confluent_kafka.Consumer({**base(task), "group.id": task["group"], **settings})

        def numbers(change):
            return lambda _, partitions: change([one.partition for one in partitions])

        consumer.subscribe(
            [task["topic"]],
            on_assign=numbers(member.assigned),
            on_revoke=numbers(member.revoked),
            on_lost=numbers(member.revoked),
        )
        while not member.is_over():
            consumer.poll(0.2)
        consumer.close()

    return way


version = f"{confluent_kafka.version()} (librdkafka {confluent_kafka.libversion()[0]})"
drive.drive(
    version,
    {
        "produce": {
            "single": ("`produce` with a callback, `poll(0)` after each", producing()),
            "many": ("the same, `linger.ms=20`", producing(linger_ms=20)),
            "awaited": ("`produce`, then `flush`, `linger.ms=0`", awaited),
        },
        "transactions": {
            **{
                mode: ("`produce`, `commit_transaction`", transactional)
                for mode in drive.SIZES
                if mode != "idempotent"
            },
            "idempotent": ("`produce`, `flush`", idempotent),
        },
        "rebalance": {
            "eager": ("`partition.assignment.strategy=range`", joining(partition_assignment_strategy="range")),
            "cooperative": (
                "`partition.assignment.strategy=cooperative-sticky`",
                joining(partition_assignment_strategy="cooperative-sticky"),
            ),
            "consumer": ("`group.protocol=consumer`", joining(group_protocol="consumer")),
        },
        "consume": {
            "messages": ("`poll`", messages),
            "batches": ("`consume(1000)`, `fetch.queue.backoff.ms=10`", batches()),
            "checked": ("the same, `check.crcs=true`", batches(check_crcs=True)),
        },
    },
    best={"consume": "batches"},
)
