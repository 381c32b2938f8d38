"""A member of a balanced group made of pykafka 2.8: writes its partitions as lines of JSON until it is told to end."""
import json
import signal
import sys
import threading

from pykafka import KafkaClient

hosts, zookeeper, topic, group = sys.argv[1:5]
over = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: over.set())

client = KafkaClient(hosts=hosts, broker_version="0.10.2")
consumer = client.topics[topic].get_balanced_consumer(
    group.encode(),
    zookeeper_connect=zookeeper,
    auto_commit_enable=True,
    auto_commit_interval_ms=200,
    consumer_timeout_ms=100,
    rebalance_backoff_ms=1000,
    rebalance_max_retries=20,
)
before = None
while not over.is_set():
    message = consumer.consume()
    if message is not None:
        print(json.dumps({"value": message.value.decode()}), flush=True)
    partitions = sorted(consumer.partitions.keys())
    if partitions != before:
        print(json.dumps({"partitions": partitions}), flush=True)
        before = partitions
consumer.stop()
