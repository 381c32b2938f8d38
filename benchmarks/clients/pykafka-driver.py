"""pykafka 2.8, which samsa is a port of. It works with brokers up to 3.9. (A file `pykafka.py` would hide it.)"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "driver"))
import drive

import pykafka
from pykafka.common import CompressionType, OffsetType

CODECS = {"none": CompressionType.NONE, "gzip": CompressionType.GZIP, "snappy": CompressionType.SNAPPY}


def topic_of(task):
    client = pykafka.KafkaClient(hosts=task["brokers"], broker_version="1.0.0")
    return client.topics[task["topic"].encode()]


def producer_of(task, **more):
    codec = CODECS[task["compression"]]
    return topic_of(task).get_producer(compression=codec, required_acks=task["acks"], **more)


def single(task):
    # Its default linger of 5 s is for throughput; the queue is what fills it.
    producer = producer_of(task)

    def send(values, lap):
        for value in values:
            producer.produce(value)
        # Its `_wait_all` is what `stop` waits with.
        producer._wait_all()

    return send, producer.stop


def awaited(task):
    producer = producer_of(task, sync=True, linger_ms=0)

    def send(values, lap):
        for value in values:
            producer.produce(value)
            lap()

    return send, producer.stop


def messages(task, sink):
    consumer = topic_of(task).get_simple_consumer(auto_offset_reset=OffsetType.EARLIEST)
    sink.begin()
    for message in consumer:
        if sink.take(message.value):
            break
    consumer.stop()


drive.drive(
    getattr(pykafka, "__version__", "2.8.0"),
    {
        "produce": {
            "single": ("`produce`", single),
            "awaited": ("`get_sync_producer`, `linger_ms=0`", awaited),
        },
        "consume": {"messages": ("`for message in consumer`", messages)},
    },
    best={"consume": "messages"},
)
