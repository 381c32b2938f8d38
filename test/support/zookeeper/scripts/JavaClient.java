import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

/**
 * What ZooKeeper's own client sees of a ZooKeeper. Reads its address from the standard input, and prints a
 * line for each result, without what differs from server to server.
 */
public final class JavaClient {
  private static final int WAIT_S = 10;

  private interface Call {
    Object run() throws Exception;
  }

  /** Events, as they come. */
  private static final class Told implements Watcher {
    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

    @Override
    public void process(WatchedEvent event) {
      events.add(event.getType() + " " + event.getState() + " " + event.getPath());
    }

    void expect(String what, int count) throws InterruptedException {
      for (int i = 0; i < count; i++) {
        say(what, events.poll(WAIT_S, TimeUnit.SECONDS));
      }
    }
  }

  private static String hosts;

  public static void main(String[] args) throws Exception {
    hosts = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).trim();
    Told told = new Told();
    ZooKeeper zk = connect(told);
    told.expect("connected", 1);
    nodes(zk);
    access(zk);
    many(zk);
    watches(zk);
    sessions(zk);
    for (String name : zk.getChildren("/j", false)) {
      zk.delete("/j/" + name, -1);
    }
    zk.delete("/j", -1);
    zk.close();
    told.expect("closed", 1);
    System.exit(0);
  }

  private static ZooKeeper connect(Watcher watcher) throws Exception {
    return new ZooKeeper(hosts, 10_000, watcher);
  }

  private static void nodes(ZooKeeper zk) {
    List<ACL> open = ZooDefs.Ids.OPEN_ACL_UNSAFE;
    attempt("create", () -> zk.create("/j", bytes("one"), open, CreateMode.PERSISTENT));
    attempt("again", () -> zk.create("/j", bytes("one"), open, CreateMode.PERSISTENT));
    attempt("null data", () -> zk.create("/j/null", null, open, CreateMode.PERSISTENT));
    attempt("null data read", () -> zk.getData("/j/null", false, null));
    Stat stat = new Stat();
    attempt("with stat", () -> zk.create("/j/stat", bytes("1"), open, CreateMode.PERSISTENT, stat));
    say("stat", plain(stat));
    attempt("sequence", () -> zk.create("/j/s-", null, open, CreateMode.PERSISTENT_SEQUENTIAL));
    attempt("ephemeral", () -> zk.create("/j/e", null, open, CreateMode.EPHEMERAL));
    attempt("child of it", () -> zk.create("/j/e/x", null, open, CreateMode.PERSISTENT));
    attempt("container", () -> zk.create("/j/c", null, open, CreateMode.CONTAINER));
    attempt(
        "time to live",
        () -> zk.create("/j/ttl", null, open, CreateMode.PERSISTENT_WITH_TTL, null, 1_000));
    attempt("get", () -> zk.getData("/j", false, stat));
    say("stat", plain(stat));
    attempt("set", () -> zk.setData("/j", bytes("two"), 0));
    attempt("set wrong version", () -> zk.setData("/j", bytes("two"), 0));
    attempt("exists", () -> zk.exists("/j", false));
    attempt("exists not", () -> zk.exists("/none", false));
    attempt("children", () -> sorted(zk.getChildren("/j", false)));
    attempt("children of none", () -> zk.getChildren("/none", false));
    attempt("count", () -> zk.getAllChildrenNumber("/j"));
    attempt("ephemerals", zk::getEphemerals);
    attempt("delete full", () -> delete(zk, "/j", -1));
    attempt("delete wrong version", () -> delete(zk, "/j/stat", 5));
    attempt("delete", () -> delete(zk, "/j/stat", 0));
    attempt(
        "sync",
        () -> {
          BlockingQueue<String> done = new LinkedBlockingQueue<>();
          zk.sync("/j", (code, path, context) -> done.add(code + " " + path), null);
          return done.poll(WAIT_S, TimeUnit.SECONDS);
        });
  }

  private static void access(ZooKeeper zk) throws Exception {
    ZooKeeper alice = connect(new Told());
    alice.addAuthInfo("digest", bytes("alice:secret"));
    List<ACL> mine = Collections.singletonList(new ACL(ZooDefs.Perms.ALL, new Id("auth", "")));
    attempt("nobody's", () -> zk.create("/j/p", null, mine, CreateMode.PERSISTENT));
    attempt("private", () -> alice.create("/j/p", bytes("x"), mine, CreateMode.PERSISTENT));
    attempt("who", () -> alice.whoAmI().size());
    attempt("not for all", () -> zk.getData("/j/p", false, null));
    attempt("for alice", () -> alice.getData("/j/p", false, null));
    attempt("acl", () -> alice.getACL("/j/p", null));
    attempt("acl for all", () -> zk.getACL("/j/p", null));
    attempt("no acl", () -> alice.setACL("/j/p", Collections.emptyList(), -1));
    attempt("opened", () -> alice.setACL("/j/p", ZooDefs.Ids.READ_ACL_UNSAFE, 0));
    attempt("read", () -> zk.getData("/j/p", false, null));
    attempt("not written", () -> zk.setData("/j/p", null, -1));
    alice.close();
  }

  private static void many(ZooKeeper zk) {
    List<ACL> open = ZooDefs.Ids.OPEN_ACL_UNSAFE;
    attempt(
        "multi",
        () ->
            zk.multi(
                Arrays.asList(
                    Op.create("/j/m", bytes("1"), open, CreateMode.PERSISTENT),
                    Op.setData("/j/m", bytes("2"), 0),
                    Op.check("/j/m", 1),
                    Op.create("/j/m-", null, open, CreateMode.EPHEMERAL_SEQUENTIAL),
                    Op.delete("/j/c", -1))));
    attempt(
        "failed multi",
        () ->
            zk.multi(
                Arrays.asList(
                    Op.delete("/j/m", -1),
                    Op.check("/none", 1),
                    Op.create("/j/never", null, open, CreateMode.PERSISTENT))));
    attempt(
        "several reads",
        () -> zk.multi(Arrays.asList(Op.getData("/j/m"), Op.getChildren("/j/m"), Op.getData("/no"))));
    attempt("undone", () -> sorted(zk.getChildren("/j", false)));
  }

  private static void watches(ZooKeeper zk) throws Exception {
    Told told = new Told();
    ZooKeeper other = connect(new Told());
    zk.exists("/j/w", told);
    other.create("/j/w", bytes("0"), ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    told.expect("exists", 1);
    zk.getData("/j/w", told, null);
    zk.getChildren("/j/w", told);
    other.setData("/j/w", bytes("1"), -1);
    other.setData("/j/w", bytes("2"), -1);
    told.expect("data", 1);
    other.create("/j/w/a", null, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    told.expect("children", 1);
    zk.addWatch("/j/w", told, AddWatchMode.PERSISTENT_RECURSIVE);
    other.setData("/j/w/a", bytes("1"), -1);
    other.setData("/j/w/a", bytes("2"), -1);
    other.delete("/j/w/a", -1);
    told.expect("recursive", 3);
    attempt(
        "remove watches",
        () -> {
          zk.removeWatches("/j/w", told, Watcher.WatcherType.Any, false);
          return "removed";
        });
    told.expect("removed", 1);
    attempt(
        "remove none",
        () -> {
          zk.removeWatches("/j/none", told, Watcher.WatcherType.Any, false);
          return "removed";
        });
    zk.addWatch("/j/w", told, AddWatchMode.PERSISTENT);
    zk.getData("/j/p", told, null);
    other.setData("/j/w", bytes("3"), -1);
    told.expect("persistent", 1);
    other.close();
  }

  private static void sessions(ZooKeeper zk) throws Exception {
    Told told = new Told();
    Told gone = new Told();
    ZooKeeper first = connect(told);
    told.expect("first", 1);
    first.create("/j/short", null, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
    zk.exists("/j/short", gone);
    byte[] wrong = new byte[16];
    Told thief = new Told();
    ZooKeeper stolen = new ZooKeeper(hosts, 10_000, thief, first.getSessionId(), wrong);
    thief.expect("wrong password", 1);
    stolen.close();
    // That has cost the first its connection, not its session.
    told.expect("first", 2);
    attempt("still there", () -> first.exists("/j/short", false) != null);
    first.close();
    gone.expect("gone", 1);
    ZooKeeper late =
        new ZooKeeper(hosts, 10_000, told, first.getSessionId(), first.getSessionPasswd());
    told.expect("closed, then late", 2);
    late.close();
  }

  private static Object delete(ZooKeeper zk, String path, int version) throws Exception {
    zk.delete(path, version);
    return "deleted";
  }

  private static void attempt(String what, Call call) {
    try {
      say(what, plain(call.run()));
    } catch (KeeperException.NoWatcherException error) {
      say(what, error.code());
    } catch (KeeperException error) {
      List<Object> parts = new ArrayList<>(Collections.singletonList(error.code()));
      if (error.getResults() != null) {
        error.getResults().forEach(result -> parts.add(plain(result)));
      }
      say(what, parts);
    } catch (Exception error) {
      say(what, error);
    }
  }

  private static synchronized void say(String what, Object result) {
    System.out.println(what + ": " + result);
  }

  /** Without times and zxids. */
  private static Object plain(Object value) {
    if (value instanceof byte[]) {
      return new String((byte[]) value, StandardCharsets.UTF_8);
    }
    if (value instanceof Stat) {
      Stat stat = (Stat) value;
      return String.format(
          "v%d c%d a%d len%d n%d %s",
          stat.getVersion(),
          stat.getCversion(),
          stat.getAversion(),
          stat.getDataLength(),
          stat.getNumChildren(),
          stat.getEphemeralOwner() == 0 ? "lasting" : "ephemeral");
    }
    if (value instanceof OpResult.ErrorResult) {
      return "error " + ((OpResult.ErrorResult) value).getErr();
    }
    if (value instanceof OpResult.CreateResult) {
      return "created " + ((OpResult.CreateResult) value).getPath();
    }
    if (value instanceof OpResult.SetDataResult) {
      return "set " + plain(((OpResult.SetDataResult) value).getStat());
    }
    if (value instanceof OpResult.GetDataResult) {
      return "got " + plain(((OpResult.GetDataResult) value).getData());
    }
    if (value instanceof OpResult) {
      return value.getClass().getSimpleName();
    }
    if (value instanceof List) {
      List<Object> plain = new ArrayList<>();
      for (Object one : (List<?>) value) {
        plain.add(one instanceof ACL ? acl((ACL) one) : plain(one));
      }
      return plain;
    }
    return value;
  }

  private static String acl(ACL acl) {
    return acl.getPerms() + " " + acl.getId().getScheme() + ":" + acl.getId().getId();
  }

  private static List<String> sorted(List<String> names) {
    List<String> sorted = new ArrayList<>(names);
    Collections.sort(sorted);
    return sorted;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
