"""librdkafka (C) by its own performance tool, rdkafka_performance. Its values are a pattern of their own."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "driver"))
import drive

TOOL = os.path.join(os.path.dirname(__file__), "../peers/tools/rdkafka_performance")


def run(task, *arguments):
    properties = ["-b", task["brokers"], "-t", task["topic"]]
    if task.get("tls"):
        properties += ["-X", "security.protocol=ssl", "-X", "ssl.ca.location=" + task["tls"]["caFile"]]
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen([TOOL, *properties, *arguments], stdout=output, stderr=output)
        # Of this one child, all its threads: what the shell's `time` shows, and the most that was resident.
        _, status, usage = os.wait4(child.pid, 0)
        output.seek(0)
        text = output.read()
    found = re.findall(r"(\d+) (?:delivered|messages \().*?in (\d+)ms", text)
    if status != 0 or not found:
        raise RuntimeError(f"rdkafka_performance ended with {status}: {text.strip()[-1000:]}")
    messages, elapsed_ms = map(int, found[-1])
    return {
        "messages": messages,
        "bytes": messages * task["valueBytes"],
        "elapsedMs": elapsed_ms,
        "userMs": usage.ru_utime * 1000,
        "systemMs": usage.ru_stime * 1000,
        "memoryBytes": usage.ru_maxrss * 1024,
    }


def produce(*properties):
    def way(task):
        codec = ["-z", task["compression"]] if task["compression"] != "none" else []
        size = str(task["valueBytes"])
        large = ["-X", f"message.max.bytes={2 * task['valueBytes']}"] if task["valueBytes"] > 900_000 else []
        limits = ["-c", str(task["messages"]), "-a", str(task["acks"])]
        return run(task, "-P", "-s", size, *limits, *codec, *large, *properties)

    return way


def group(task):
    count = str(task["messages"])
    return run(task, "-G", task["group"], "-c", count, "-X", "auto.offset.reset=earliest")


def simple(*properties):
    def way(task):
        partitions = [part for number in range(task["partitions"]) for part in ("-p", str(number))]
        count = str(task["messages"])
        return run(task, "-C", *partitions, "-o", "beginning", "-c", count, *properties)

    return way


def version():
    said = subprocess.run([TOOL], capture_output=True, text=True)
    return re.search(r"librdkafka version (\S+)", said.stdout + said.stderr)[1]


if not os.path.exists(TOOL):
    raise SystemExit("rdkafka_performance is not installed: npm run bench:peers")

# The tool counts and times by itself; there is nothing to warm up.
drive.TASKS = {"produce": lambda way, task: way(task), "consume": lambda way, task: way(task)}
FAST = ("-X", "linger.ms=20", "-X", "batch.num.messages=100000", "-X", "queue.buffering.max.messages=1000000")
drive.drive(
    version(),
    {
        "produce": {
            "single": ("`rdkafka_performance -P`, defaults", produce()),
            "many": ("`rdkafka_performance -P`, `linger.ms=20 batch.num.messages=100000`", produce(*FAST)),
        },
        "consume": {
            "messages": ("`rdkafka_performance -G`, in a group", group),
            "batches": ("`rdkafka_performance -C`, without a group", simple()),
            "checked": ("`rdkafka_performance -C`, `check.crcs=true`", simple("-X", "check.crcs=true")),
        },
    },
    best={"consume": "batches"},
    runtime="C",
)
