"""What the Python drivers share: the same as drive.js, for the tasks that they have ways for."""
import json
import math
import resource
import sys
import threading
import time

IDLE_S = 2.0


class Meter:
    def start(self):
        self.usage = resource.getrusage(resource.RUSAGE_SELF)
        self.started_at = time.perf_counter()

    def stop(self):
        elapsed = time.perf_counter() - self.started_at
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "elapsedMs": elapsed * 1000,
            "userMs": (usage.ru_utime - self.usage.ru_utime) * 1000,
            "systemMs": (usage.ru_stime - self.usage.ru_stime) * 1000,
        }


def peak_memory_bytes():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def read_values(task):
    with open(task["valuesFile"], "rb") as file:
        return file.read().rstrip(b"\n").split(b"\n")


def quota(values, count, limit_ms):
    """The values, again and again, up to `count` of them or until the time is over."""
    ends_at = time.perf_counter() + limit_ms / 1000
    for index in range(count):
        if index % 256 == 0 and index > 0 and time.perf_counter() > ends_at:
            return
        yield values[index % len(values)]


class Sink:
    """As in consume.js: its time runs from `begin`, or else the first message, to the last one."""

    def __init__(self, wanted, limit_ms):
        self.wanted = wanted
        self.messages = 0
        self.bytes = 0
        self.is_done = False
        self.meter = None
        self.measured = None
        self.ends_at = time.perf_counter() + limit_ms / 1000

    def begin(self):
        if self.meter is None:
            self.meter = Meter()
            self.meter.start()

    def take(self, value):
        """True when that was enough."""
        if self.messages == 0:
            self.begin()
        self.messages += 1
        self.bytes += len(value)
        if self.messages >= self.wanted or (
            self.messages % 256 == 0 and time.perf_counter() > self.ends_at
        ):
            self.finish()
        return self.is_done

    def is_late(self):
        """For loops in which nothing may come."""
        if not self.is_done and time.perf_counter() > self.ends_at:
            self.finish()
        return self.is_done

    def finish(self):
        if not self.is_done:
            self.is_done = True
            self.measured = self.meter.stop() if self.messages > 0 else None


def produce_task(way, task):
    """A way is a function of the task that returns `send(values, lap)` and `close()`."""
    values = read_values(task)
    send, close = way(task)
    send(quota(values, task["warmUpMessages"], task["warmUpMs"]), lambda: None)
    sent = 0

    def counted():
        nonlocal sent
        for value in quota(values, task["messages"], task["limitMs"]):
            sent += 1
            yield value

    laps = []
    meter = Meter()
    meter.start()
    send(counted(), lambda: laps.append(time.perf_counter()))
    measured = meter.stop()
    memory = peak_memory_bytes()
    close()
    result = {"messages": sent, "bytes": sent * task["valueBytes"], **measured, "memoryBytes": memory}
    if laps:
        starts = [meter.started_at, *laps[:-1]]
        result["latencyMs"] = percentiles([(b - a) * 1000 for a, b in zip(starts, laps)])
    return result


def consume_task(way, task):
    """A way is a function of the task and a sink: it reads until `sink.take(value)` is true."""
    way({**task, "group": task["group"] + "-warm-up"}, Sink(task["warmUpMessages"], task["warmUpMs"]))
    sink = Sink(task["messages"], task["limitMs"])
    way(task, sink)
    if sink.messages == 0:
        raise RuntimeError("no message came in time")
    return {
        "messages": sink.messages,
        "bytes": sink.bytes,
        **sink.measured,
        "memoryBytes": peak_memory_bytes(),
    }


SIZES = {"of 100": 100, "of 1,000": 1000, "of 10,000": 10000, "idempotent": 10000, "empty": 0, "of one": 1, "of ten": 10}
WARM_UP_TRANSACTIONS = 50


def transactions_task(way, task):
    """As in transactions.js: a way is a function of the task that returns `run(values, is_spread)` and `close()`."""
    values = read_values(task)
    size = SIZES[task["mode"]]
    is_timed = size <= 10
    is_spread = task["mode"] == "of ten"
    run, close = way(task)
    next_value = 0

    def take():
        nonlocal next_value
        taken = [values[(next_value + i) % len(values)] for i in range(size)]
        next_value += size
        return taken

    for _ in range(WARM_UP_TRANSACTIONS):
        run(take(), is_spread)
    count = task["messages"] if is_timed else math.ceil(task["messages"] / size)
    latencies = []
    meter = Meter()
    meter.start()
    for _ in range(count):
        began_at = time.perf_counter()
        run(take(), is_spread)
        latencies.append((time.perf_counter() - began_at) * 1000)
    measured = meter.stop()
    memory = peak_memory_bytes()
    close()
    return {
        "messages": count if is_timed else count * size,
        "bytes": count * size * task["valueBytes"],
        **measured,
        "memoryBytes": memory,
        "latencyMs": percentiles(latencies),
    }


def percentiles(latencies):
    latencies.sort()
    count = len(latencies)

    def at(share):
        return latencies[min(count - 1, math.floor(share * count))]

    return {"count": count, "p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "max": at(1)}


# As in rebalance.js.
QUIET_S = 4
SHARE_S = 60


def rebalance_task(way, task):
    """As in rebalance.js: a way is a function of the task and a member, which runs until `member.is_over()`."""
    group = Group(task["partitions"])
    if task["before"] > 0:
        group.add(way, task, task["before"])
        group.wait_until_shared()
    time.sleep(QUIET_S)
    meter = Meter()
    meter.start()
    group.add(way, task, task["members"] - task["before"])
    group.wait_until_shared()
    measured = meter.stop()
    memory = peak_memory_bytes()
    group.close()
    return {
        "sharedMs": measured["elapsedMs"],
        "userMs": measured["userMs"],
        "systemMs": measured["systemMs"],
        "members": task["members"],
        "requests": {},
        "memoryBytes": memory,
    }


class Group:
    """The partitions of each member, as the members report them."""

    def __init__(self, partitions):
        self.partitions = partitions
        self.members = []
        self.threads = []
        self.changed = threading.Condition()
        self.is_closed = False

    def add(self, way, task, count):
        for _ in range(count):
            member = Member(self)
            with self.changed:
                self.members.append(member)
            thread = threading.Thread(target=way, args=(task, member), daemon=True)
            self.threads.append(thread)
            thread.start()

    def wait_until_shared(self):
        with self.changed:
            if not self.changed.wait_for(self.is_shared, SHARE_S):
                raise RuntimeError(f"never shared evenly: {[len(one.owned) for one in self.members]}")

    def is_shared(self):
        least = self.partitions // len(self.members)
        sizes = [len(member.owned) for member in self.members]
        if any(size not in (least, least + 1) for size in sizes) or sum(sizes) != self.partitions:
            return False
        return len(set().union(*(member.owned for member in self.members))) == self.partitions

    def close(self):
        self.is_closed = True
        for thread in self.threads:
            thread.join(10)


class Member:
    def __init__(self, group):
        self.group = group
        self.owned = set()

    def is_over(self):
        return self.group.is_closed

    def assigned(self, partitions):
        self.change(self.owned | set(partitions))

    def revoked(self, partitions):
        self.change(self.owned - set(partitions))

    def change(self, owned):
        with self.group.changed:
            self.owned = owned
            self.group.changed.notify_all()


TASKS = {
    "produce": produce_task,
    "consume": consume_task,
    "rebalance": rebalance_task,
    "transactions": transactions_task,
}


def drive(version, ways, best=None, runtime=None):
    """`ways` is { task: { mode: (text, function) } }; `best` the mode where any will do: { task: mode }."""
    ways = {task: dict(modes) for task, modes in ways.items()}
    for task, mode in (best or {}).items():
        ways[task]["best"] = ways[task][mode]
    runtime = runtime or "Python %d.%d.%d" % sys.version_info[:3]
    if sys.argv[1] == "describe":
        texts = {f"{task} {mode}": way[0] for task, modes in ways.items() for mode, way in modes.items()}
        say({"version": version, "runtime": runtime, "ways": texts})
        return
    task = json.loads(sys.argv[1])
    try:
        way = ways[task["task"]][task["mode"]][1]
        say(TASKS[task["task"]](way, task))
    except BaseException as error:
        say({"error": f"{type(error).__name__}: {error}"})
        raise


def say(line):
    print(json.dumps(line), flush=True)
