"""
Runs the programs in Python of docs/from-pykafka.md, each in a namespace of its own, several at a time. Reads them as JSON,
a list of texts, and writes a line of JSON for each: what it has printed, and the error that it has ended with, if any.

    python guide.py HOSTS ZOOKEEPER VERSION < PROGRAMS
"""
import json
import logging
import os
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

from pykafka import KafkaClient

logging.disable(logging.CRITICAL)
HOSTS, ZOOKEEPER, VERSION = sys.argv[1:4]
TOPIC = b"page-views"
TIMEOUT_S = 60


class Surroundings(dict):
    """What a program may name without making it. Each is made when it is first named."""

    def __init__(self):
        super().__init__()
        self.printed = []
        self["print"] = lambda *values: self.printed.append(" ".join(str(value) for value in values))

    def __missing__(self, name):
        make = {
            "client": lambda: KafkaClient(hosts=HOSTS, broker_version=VERSION),
            "topic": lambda: self["client"].topics[TOPIC],
            "producer": lambda: self["topic"].get_sync_producer(),
            "consumer": lambda: self["topic"].get_simple_consumer(consumer_group=b"examples"),
            "values": lambda: [b"1", b"2", b"3"],
        }.get(name)
        if make is None:
            raise KeyError(name)
        self[name] = make()
        return self[name]


# In place of what the programs have. 100 ms are too short for a first message on a slow machine.
ELSEWHERE = {
    "127.0.0.1:9092": HOSTS,
    "127.0.0.1:2181": ZOOKEEPER,
    "consumer_timeout_ms=100": "consumer_timeout_ms=5000",
}


def error_of(program, surroundings):
    for ours, there in ELSEWHERE.items():
        program = program.replace(ours, there)
    try:
        exec(program, surroundings)
    except Exception:
        return traceback.format_exc()
    return None


def run(number, program):
    # A group of its own: what others commit would change what it reads.
    program = program.replace('b"group"', 'b"group-%d"' % number)
    surroundings = Surroundings()
    errors = ["It has not ended"]

    def attempt():
        errors[0] = error_of(program, surroundings)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(TIMEOUT_S)
    return {"printed": surroundings.printed, "error": errors[0]}


def main():
    programs = json.load(sys.stdin)
    client = KafkaClient(hosts=HOSTS, broker_version=VERSION)
    with client.topics[TOPIC].get_sync_producer() as producer:
        for number in range(3):
            producer.produce(json.dumps({"id": number}).encode())
    with ThreadPoolExecutor(8) as pool:
        for outcome in pool.map(run, range(len(programs)), programs):
            print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
    # pykafka's threads may run for a long time.
    os._exit(0)
