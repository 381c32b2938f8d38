"""kafka-python: https://kafka-python.readthedocs.io. Its batches are raised from 16 KB for `many`."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "driver"))
import drive

# Not this file: its name isn't a module's.
import kafka

IN_FLIGHT = 10_000


def base(task):
    tls = task.get("tls")
    secure = {"security_protocol": "SSL", "ssl_cafile": tls["caFile"]} if tls else {}
    return {"bootstrap_servers": task["brokers"].split(","), **secure}


def producer_of(task, **more):
    codec = None if task["compression"] == "none" else task["compression"]
    large = {"max_request_size": 2 * task["valueBytes"]} if task["valueBytes"] > 900_000 else {}
    acks = "all" if task["acks"] == -1 else task["acks"]
    # Idempotence needs acks=all; without it is what the other clients do with acks=1.
    idempotent = acks == "all"
    return kafka.KafkaProducer(
        **base(task), acks=acks, enable_idempotence=idempotent, compression_type=codec, **large, **more
    )


def producing(**more):
    def way(task):
        producer = producer_of(task, **more)
        failed = []

        def send(values, lap):
            for value in values:
                producer.send(task["topic"], value).add_errback(failed.append)
            producer.flush()
            if failed:
                raise failed[0]

        return send, producer.close

    return way


def awaited(task):
    producer = producer_of(task)

    def send(values, lap):
        for value in values:
            producer.send(task["topic"], value).get()
            lap()

    return send, producer.close


def consumer_of(task):
    return kafka.KafkaConsumer(
        task["topic"], group_id=task["group"], auto_offset_reset="earliest", **base(task)
    )


def messages(task, sink):
    consumer = consumer_of(task)
    for message in consumer:
        if sink.take(message.value):
            break
    consumer.close()


def batches(task, sink):
    consumer = consumer_of(task)
    while not sink.is_late():
        for records in consumer.poll(timeout_ms=100, max_records=5_000).values():
            for record in records:
                if sink.take(record.value):
                    break
    consumer.close()


drive.drive(
    kafka.__version__,
    {
        "produce": {
            "single": ("`send`, futures not awaited", producing()),
            "many": ("`send`, `linger_ms=20 batch_size=262144`", producing(linger_ms=20, batch_size=262144)),
            "awaited": ("`send(…).get()`", awaited),
        },
        "consume": {
            "messages": ("`for message in consumer`", messages),
            "batches": ("`poll(max_records=5000)`", batches),
        },
    },
    best={"consume": "messages"},
)
