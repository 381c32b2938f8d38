"""What kazoo sees of a ZooKeeper: every operation, and its recipes, those that pykafka uses among them.

Prints a line for each result, without what differs from server to server. The address comes as argument.
"""
import socket
import struct
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.recipe.cache import TreeCache
from kazoo.security import make_digest_acl, make_acl

WAIT_S = 10


def say(what, *results):
    print(what + ":", *results, flush=True)


def attempt(what, run):
    try:
        say(what, plain(run()))
    except KazooException as error:
        say(what, type(error).__name__)


def plain(value):
    """Without times and zxids."""
    if type(value).__name__ == "ZnodeStat":
        return "v%d c%d a%d len%d n%d %s" % (
            value.version,
            value.cversion,
            value.aversion,
            value.dataLength,
            value.numChildren,
            "ephemeral" if value.ephemeralOwner else "lasting",
        )
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return [plain(one) for one in value]
    if isinstance(value, KazooException):
        return type(value).__name__
    return value


class Told:
    """What came so far of something that comes by itself; `expect` waits for the next."""

    def __init__(self, name):
        self.name = name
        self.seen = []
        self.changed = threading.Condition()

    def __call__(self, *what):
        with self.changed:
            self.seen.append(what)
            self.changed.notify_all()

    def expect(self, count):
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.seen) >= count, WAIT_S):
                say(self.name, "nothing more came")
        for what in self.seen:
            say(self.name, *what)
        self.seen = []


def connect(**options):
    client = KazooClient(hosts=sys.argv[1], timeout=10, **options)
    client.start(WAIT_S)
    return client


def operations(zk):
    attempt("create", lambda: zk.create("/k", b"one"))
    attempt("again", lambda: zk.create("/k", b"one"))
    attempt("deep", lambda: zk.create("/k/a/b/c", b"", makepath=True))
    attempt("with stat", lambda: zk.create("/k/stat", b"12", include_data=True))
    attempt("get", lambda: zk.get("/k"))
    attempt("set", lambda: zk.set("/k", b"two"))
    attempt("set wrong version", lambda: zk.set("/k", b"three", version=7))
    attempt("exists", lambda: zk.exists("/k"))
    attempt("exists not", lambda: zk.exists("/none"))
    attempt("children", lambda: sorted(zk.get_children("/k")))
    attempt("children of none", lambda: zk.get_children("/none"))
    attempt("sequence", lambda: zk.create("/k/s-", b"", sequence=True))
    attempt("ephemeral", lambda: zk.create("/k/e", b"", ephemeral=True))
    attempt("child of it", lambda: zk.create("/k/e/x", b""))
    attempt("ephemeral stat", lambda: zk.exists("/k/e"))
    attempt("delete full", lambda: zk.delete("/k/a"))
    attempt("delete none", lambda: zk.delete("/none"))
    attempt("delete all", lambda: zk.delete("/k/a", recursive=True))
    attempt("sync", lambda: zk.sync("/k"))


def transactions(zk):
    good = zk.transaction()
    good.create("/k/t1", b"x")
    good.set_data("/k", b"three")
    good.check("/k/t1", 0)
    good.delete("/k/stat")
    attempt("transaction", good.commit)
    bad = zk.transaction()
    bad.create("/k/t2", b"x")
    bad.check("/k/t1", 9)
    bad.create("/k/t3", b"x")
    attempt("failed transaction", bad.commit)
    attempt("undone", lambda: sorted(zk.get_children("/k")))


def access(zk):
    mine = make_digest_acl("alice", "secret", all=True)
    attempt("private", lambda: zk.create("/k/private", b"x", acl=[mine]))
    attempt("get private", lambda: zk.get("/k/private"))
    attempt("bad acl", lambda: zk.create("/k/p2", b"", acl=[make_acl("none", "x", all=True)]))
    other = connect(auth_data=[("digest", "alice:secret")])
    attempt("with password", lambda: other.get("/k/private"))
    attempt("acl", lambda: other.get_acls("/k/private")[0])
    attempt("open it", lambda: other.set_acls("/k/private", [make_acl("world", "anyone", all=True)]))
    attempt("open now", lambda: zk.get("/k/private"))
    attempt("nonsense", lambda: other.add_auth("nonsense", "x"))
    other.stop()
    other.close()


def watches(zk, other):
    data, children = Told("data"), Told("children")
    zk.create("/k/w", b"0")

    @zk.DataWatch("/k/w")
    def on_data(value, stat):
        data(value, plain(stat) if stat else None)

    @zk.ChildrenWatch("/k/w")
    def on_children(names):
        children(sorted(names))

    data.expect(1)
    children.expect(1)
    other.set("/k/w", b"1")
    data.expect(1)
    other.create("/k/w/a", b"")
    children.expect(1)
    other.create("/k/w/b", b"", ephemeral=True)
    children.expect(1)
    other.delete("/k/w/a")
    children.expect(1)
    other.set("/k/w", b"2")
    data.expect(1)
    other.delete("/k/w", recursive=True)
    data.expect(1)


def recipes(zk, other):
    order = Told("lock")
    first, second = zk.Lock("/k/lock", "first"), other.Lock("/k/lock", "second")
    first.acquire()
    say("second while first", second.acquire(blocking=False))

    def wait_for_lock():
        with second:
            order("second has it")

    waiting = threading.Thread(target=wait_for_lock)
    waiting.start()
    while len(zk.get_children("/k/lock")) < 2:
        pass
    say("contenders", first.contenders())
    first.release()
    order.expect(1)
    waiting.join(WAIT_S)

    leads, resign = Told("leader"), threading.Event()

    def lead(name):
        leads(name)
        resign.wait(WAIT_S)

    elections = [c.Election("/k/election", name) for c, name in ((zk, "one"), (other, "two"))]
    threads = []
    for election, name in zip(elections, ("one", "two")):
        thread = threading.Thread(target=election.run, args=(lead, name))
        thread.start()
        threads.append(thread)
        while name not in elections[0].contenders():
            pass
    leads.expect(1)
    resign.set()
    leads.expect(1)
    for thread in threads:
        thread.join(WAIT_S)

    counter = zk.Counter("/k/counter")
    counter += 2
    counter -= 1
    say("counter", counter.value)
    queue = zk.Queue("/k/queue")
    queue.put(b"a")
    queue.put(b"b")
    say("queue", other.Queue("/k/queue").get(), queue.get(), queue.get())
    parties = [c.Party("/k/party", name) for c, name in ((zk, "x"), (other, "y"))]
    for party in parties:
        party.join()
    say("party", sorted(parties[0]))
    parties[1].leave()
    say("party", sorted(parties[0]))
    semaphore = zk.Semaphore("/k/semaphore", max_leases=1)
    say("semaphore", semaphore.acquire(), other.Semaphore("/k/semaphore", max_leases=1).acquire(blocking=False))
    semaphore.release()
    barrier = zk.Barrier("/k/barrier")
    barrier.create()
    say("barrier", other.Barrier("/k/barrier").wait(0.01))
    barrier.remove()
    say("barrier", other.Barrier("/k/barrier").wait(WAIT_S))
    cached = Told("cache")
    cache = TreeCache(zk, "/k/queue")
    cache.listen(lambda event: cached(event.event_type, event.event_data and event.event_data.path))
    cache.start()
    cached.expect(2)
    other.create("/k/queue/more", b"")
    cached.expect(1)
    cache.close()


def end_session(client):
    """By another connection of the same session, all in one write: for its owner it has expired."""
    session, password = client.client_id
    hello = struct.pack(">iqiqi", 0, 0, 10000, session, len(password)) + password + b"\0"
    close = struct.pack(">ii", 1, -11)
    host, port = sys.argv[1].split(":")
    with socket.create_connection((host, int(port)), WAIT_S) as connection:
        connection.sendall(b"".join(struct.pack(">i", len(one)) + one for one in (hello, close)))
        while connection.recv(1024):
            pass


def expiry(zk):
    states, gone = Told("state"), Told("gone")
    short = connect()
    short.create("/k/short", b"", ephemeral=True)
    first = short.client_id[0]
    short.add_listener(lambda state: states(state))
    zk.exists("/k/short", watch=lambda event: gone(event.type, event.path))
    end_session(short)
    gone.expect(1)
    states.expect(3)
    say("another session", short.client_id[0] != first)
    attempt("without its node", lambda: short.exists("/k/short"))
    short.stop()
    short.close()


def main():
    zk, other = connect(), connect()
    operations(zk)
    transactions(zk)
    access(zk)
    watches(zk, other)
    recipes(zk, other)
    expiry(zk)
    other.stop()
    other.close()
    attempt("at last", lambda: sorted(zk.get_children("/k")))
    attempt("clean up", lambda: zk.delete("/k", recursive=True))
    zk.stop()
    zk.close()


main()
