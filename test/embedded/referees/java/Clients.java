import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.slf4j.LoggerFactory;

/**
 * What a program with Kafka's own clients sees of a cluster, a line each thing; a line with `#` says what
 * the ones behind it are about. Two clusters that are the same say the same. Its arguments are where the
 * cluster is, and a time in milliseconds.
 */
public class Clients {
  private static final long PATIENCE_MS = 30_000;
  /** The timestamps of records, from here on: not long ago, or they would be too old to be kept. */
  private static long time;
  private static String hosts;

  public static void main(String[] arguments) throws Exception {
    LoggerFactory.getLogger(Clients.class);
    hosts = arguments[0];
    time = Long.parseLong(arguments[1]);
    try (Admin admin = Admin.create(properties("admin"))) {
      topics(admin);
      configs(admin);
      producing(admin);
      twoIdempotentProducers(admin);
      reading(admin);
      times(admin);
      for (String assignor : List.of("Range", "RoundRobin", "Sticky", "CooperativeSticky")) {
        group(admin, assignor);
      }
      staticMembers(admin);
      sessions(admin);
      positions(admin);
      records(admin);
      goodbye(admin);
    }
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  // --- topics and configs

  private static void topics(Admin admin) {
    about("topics");
    NewTopic plain = new NewTopic("java", 3, (short) 1);
    tell("only checked", admin.createTopics(List.of(plain), new CreateTopicsOptions().validateOnly(true)).all());
    tell("created", admin.createTopics(List.of(plain)).all());
    tell("again", admin.createTopics(List.of(plain)).all());
    tell("too many replicas", admin.createTopics(List.of(new NewTopic("many", 1, (short) 9))).all());
    tell("a bad name", admin.createTopics(List.of(new NewTopic("a b", 1, (short) 1))).all());
    tell("a bad config", admin.createTopics(List.of(new NewTopic("bad", 1, (short) 1).configs(Map.of("retention.ms", "x")))).all());
    var made = admin.createTopics(List.of(new NewTopic("compacted", Optional.of(2), Optional.empty()).configs(Map.of("cleanup.policy", "compact"))));
    tell("partitions", made.numPartitions("compacted"));
    tell("replicas", made.replicationFactor("compacted"));
    tell("description", of(() -> {
      var topic = admin.describeTopics(List.of("java")).allTopicNames().get().get("java");
      var byId = admin.describeTopics(TopicCollection.ofTopicIds(List.of(topic.topicId()))).allTopicIds().get();
      return topic.partitions().stream().map(one -> one.partition() + " at " + one.leader().id() + " " + ids(one.replicas()) + ids(one.isr())).toList()
          + " internal " + topic.isInternal() + " by its id " + byId.get(topic.topicId()).name() + " operations " + topic.authorizedOperations();
    }));
    tell("of no topic", admin.describeTopics(List.of("nope")).allTopicNames());
    tell("more partitions", admin.createPartitions(Map.of("compacted", NewPartitions.increaseTo(4))).all());
    tell("fewer partitions", admin.createPartitions(Map.of("compacted", NewPartitions.increaseTo(1))).all());
    tell("as many partitions", admin.createPartitions(Map.of("compacted", NewPartitions.increaseTo(4))).all());
    tell("list", of(() -> new TreeSet<>(userTopics(admin.listTopics().names().get()))));
    tell("cluster", of(() -> {
      var cluster = admin.describeCluster();
      return ids(cluster.nodes().get()) + " controller " + cluster.controller().get().id() + " id of " + cluster.clusterId().get().length();
    }));
  }

  private static void configs(Admin admin) {
    about("configs");
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "java");
    alter(admin, "set", topic, new AlterConfigOp(new ConfigEntry("max.message.bytes", "5000"), AlterConfigOp.OpType.SET));
    alter(admin, "appended", topic, new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND));
    alter(admin, "unknown", topic, new AlterConfigOp(new ConfigEntry("nope", "1"), AlterConfigOp.OpType.SET));
    alter(admin, "no number", topic, new AlterConfigOp(new ConfigEntry("segment.bytes", "x"), AlterConfigOp.OpType.SET));
    alter(admin, "out of range", topic, new AlterConfigOp(new ConfigEntry("max.message.bytes", "-1"), AlterConfigOp.OpType.SET));
    alter(admin, "appended to a number", topic, new AlterConfigOp(new ConfigEntry("retention.ms", "1"), AlterConfigOp.OpType.APPEND));
    alter(admin, "of no topic", new ConfigResource(ConfigResource.Type.TOPIC, "nope"), new AlterConfigOp(new ConfigEntry("retention.ms", "1"), AlterConfigOp.OpType.SET));
    tell("described", of(() -> admin.describeConfigs(List.of(topic), new DescribeConfigsOptions().includeSynonyms(true)).all().get().get(topic).entries().stream()
        .filter(entry -> !entry.isDefault())
        .map(entry -> entry.name() + "=" + entry.value() + " " + entry.source() + " " + entry.type() + " " + entry.synonyms().stream().map(one -> one.name() + "=" + one.value() + " " + one.source()).toList())
        .sorted().toList()));
    alter(admin, "taken away", topic, new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.SUBTRACT));
    alter(admin, "deleted", topic, new AlterConfigOp(new ConfigEntry("max.message.bytes", ""), AlterConfigOp.OpType.DELETE));
    tell("only checked", admin.incrementalAlterConfigs(Map.of(topic, List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "7"), AlterConfigOp.OpType.SET))), new AlterConfigsOptions().validateOnly(true)).all());
    tell("then", of(() -> admin.describeConfigs(List.of(topic)).all().get().get(topic).entries().stream()
        .filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG).map(entry -> entry.name() + "=" + entry.value()).sorted().toList()));
    tell("of no topic", admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "nope"))).all());
  }

  private static void alter(Admin admin, String what, ConfigResource resource, AlterConfigOp operation) {
    tell(what, admin.incrementalAlterConfigs(Map.of(resource, List.of(operation))).all());
  }

  // --- records

  private static void producing(Admin admin) throws Exception {
    about("producing");
    createTopic(admin, "log-append", 1, Map.of("message.timestamp.type", "LogAppendTime"));
    tell("a config of 3.6", admin.createTopics(List.of(new NewTopic("strict", 1, (short) 1).configs(Map.of("message.timestamp.before.max.ms", "1000")))).all());
    for (String compression : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      try (var producer = producer(Map.of("compression.type", compression, "linger.ms", "20"))) {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
          var record = new ProducerRecord<>("java", null, time + i, "key " + i % 7, compression + " " + "v".repeat(i * 50));
          record.headers().add("n", new byte[] {(byte) i}).add("empty", new byte[0]).add("null", null);
          sent.add(producer.send(record));
        }
        tell(compression, of(() -> {
          List<String> got = new ArrayList<>();
          for (var one : sent) got.add(metadata(one.get()));
          return got;
        }));
      }
    }
    try (var producer = producer(Map.of("acks", "0", "enable.idempotence", "false"))) {
      tell("without acknowledgement", of(() -> metadata(producer.send(new ProducerRecord<>("java", 0, time, "k", "v")).get())));
    }
    try (var producer = producer(Map.of("acks", "1", "enable.idempotence", "false"))) {
      tell("by the leader", of(() -> metadata(producer.send(new ProducerRecord<>("java", 0, time, "k", "v")).get())));
      tell("a tombstone", of(() -> metadata(producer.send(new ProducerRecord<>("compacted", 0, time, "k", (String) null)).get())));
      tell("no key", of(() -> metadata(producer.send(new ProducerRecord<>("compacted", 0, time, (String) null, "v")).get())));
      tell("too old", of(() -> metadata(producer.send(new ProducerRecord<>("strict", 0, time, "k", "v")).get())));
      tell("by the broker's clock", of(() -> {
        var metadata = producer.send(new ProducerRecord<>("log-append", 0, time, "k", "v")).get();
        return metadata.offset() + " at the time of now " + (metadata.timestamp() > time);
      }));
    }
    try (var producer = producer(Map.of("max.request.size", "3000000", "buffer.memory", "40000000"))) {
      tell("too large", of(() -> metadata(producer.send(new ProducerRecord<>("java", 0, time, "k", "v".repeat(2_000_000))).get())));
    }
    try (var producer = producer(Map.of("max.block.ms", "700"))) {
      tell("a partition that does not exist", of(() -> metadata(producer.send(new ProducerRecord<>("java", 9, time, "k", "v")).get())));
    }
  }

  private static void twoIdempotentProducers(Admin admin) throws Exception {
    about("two idempotent producers");
    createTopic(admin, "two", 1, Map.of());
    try (var one = producer(Map.of("batch.size", "200")); var other = producer(Map.of("batch.size", "200"))) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        sent.add((i % 2 == 0 ? one : other).send(new ProducerRecord<>("two", 0, time, "k", (i % 2) + " " + i)));
      }
      one.flush();
      other.flush();
      tell("offsets", of(() -> {
        Set<Long> offsets = new TreeSet<>();
        for (var future : sent) offsets.add(future.get().offset());
        return offsets.size() + " up to " + Collections.max(offsets);
      }));
    }
    try (var consumer = consumer(Map.of())) {
      consumer.assign(List.of(new TopicPartition("two", 0)));
      consumer.seekToBeginning(consumer.assignment());
      List<ConsumerRecord<String, String>> records = read(consumer, 300);
      for (String producer : List.of("0", "1")) {
        List<Integer> order = records.stream().filter(record -> record.value().startsWith(producer)).map(record -> Integer.valueOf(record.value().substring(2))).toList();
        tell("in the order of producer " + producer, order.equals(order.stream().sorted().toList()) + " " + order.size());
      }
    }
  }

  private static void reading(Admin admin) {
    about("reading");
    for (String isolation : List.of("read_uncommitted", "read_committed")) {
      try (var consumer = consumer(Map.of("isolation.level", isolation, "max.partition.fetch.bytes", "400"))) {
        consumer.assign(partitions("java", 3));
        consumer.seekToBeginning(consumer.assignment());
        tell(isolation, read(consumer, 102).stream()
            .map(record -> record.partition() + ":" + record.offset() + " " + record.key() + " " + record.value().length() + " " + record.timestamp() + " " + record.timestampType() + " " + record.leaderEpoch() + " " + headers(record))
            .sorted().collect(Collectors.joining("\n  ")));
        tell("positions", partitions("java", 3).stream().map(consumer::position).toList());
        tell("lag", partitions("java", 3).stream().map(consumer::currentLag).toList());
      }
    }
    try (var consumer = consumer(Map.of("auto.offset.reset", "none"))) {
      TopicPartition first = partitions("java", 1).get(0);
      consumer.assign(List.of(first));
      consumer.seek(first, 9_999);
      tell("past the end", of(() -> read(consumer, 1).size()));
      consumer.seek(first, 3);
      tell("from offset 3", of(() -> read(consumer, 1).get(0).offset()));
    }
    try (var consumer = consumer(Map.of("group.id", "nobody", "auto.offset.reset", "none"))) {
      consumer.assign(partitions("java", 1));
      tell("no position", of(() -> read(consumer, 1).size()));
    }
    try (var consumer = consumer(Map.of("auto.offset.reset", "latest"))) {
      consumer.assign(partitions("java", 3));
      tell("at the end", partitions("java", 3).stream().map(consumer::position).toList());
      tell("tombstones", of(() -> {
        consumer.assign(partitions("compacted", 1));
        consumer.seekToBeginning(consumer.assignment());
        return read(consumer, 1).get(0).value();
      }));
    }
  }

  private static void times(Admin admin) {
    about("offsets by time");
    List<TopicPartition> all = partitions("java", 3);
    try (var consumer = consumer(Map.of())) {
      for (long at : new long[] {0, time, time + 10, time + 19, time + 20}) {
        tell("from " + (at - time), of(() -> new TreeMap<>(consumer.offsetsForTimes(all.stream().collect(Collectors.toMap(one -> one, one -> at))).entrySet().stream()
            .collect(Collectors.toMap(entry -> entry.getKey().partition(), entry -> String.valueOf(entry.getValue()))))));
      }
      tell("first", consumer.beginningOffsets(all).entrySet().stream().map(Object::toString).sorted().toList());
      tell("next", consumer.endOffsets(all).entrySet().stream().map(Object::toString).sorted().toList());
      tell("partitions", consumer.partitionsFor("java").stream().map(Object::toString).sorted().toList());
      tell("topics", new TreeSet<>(userTopics(consumer.listTopics().keySet())));
    }
    Map<String, OffsetSpec> specs = new TreeMap<>(Map.of("earliest", OffsetSpec.earliest(), "latest", OffsetSpec.latest(), "largest time", OffsetSpec.maxTimestamp(), "by time", OffsetSpec.forTimestamp(time + 5)));
    for (var spec : specs.entrySet()) {
      tell("admin, " + spec.getKey(), of(() -> {
        var got = admin.listOffsets(all.stream().collect(Collectors.toMap(one -> one, one -> spec.getValue()))).all().get();
        return all.stream().map(one -> got.get(one).offset() + " " + got.get(one).timestamp() + " " + got.get(one).leaderEpoch()).toList();
      }));
    }
    tell("admin, no topic", admin.listOffsets(Map.of(new TopicPartition("compacted", 77), OffsetSpec.latest()), new org.apache.kafka.clients.admin.ListOffsetsOptions().timeoutMs(1500)).all());
  }

  // --- groups

  private static final class Member implements AutoCloseable, ConsumerRebalanceListener {
    final KafkaConsumer<String, String> consumer;
    final Set<String> revoked = new TreeSet<>();
    final Set<String> lost = new TreeSet<>();
    Exception failure;

    Member(Map<String, String> options, String... topics) {
      consumer = consumer(options);
      consumer.subscribe(List.of(topics), this);
    }

    void poll() {
      try {
        if (failure == null) consumer.poll(Duration.ofMillis(20));
      } catch (Exception error) {
        failure = error;
      }
    }

    String assignment() {
      return names(consumer.assignment());
    }

    @Override public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      revoked.addAll(partitions.stream().map(Object::toString).toList());
    }

    @Override public void onPartitionsLost(Collection<TopicPartition> partitions) {
      lost.addAll(partitions.stream().map(Object::toString).toList());
    }

    @Override public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}

    @Override public void close() {
      consumer.close();
    }
  }

  private static void group(Admin admin, String assignor) throws Exception {
    about("a group with " + assignor);
    String group = "group-" + assignor;
    createTopic(admin, group + ".one", 3, Map.of());
    createTopic(admin, group + ".two", 3, Map.of());
    try (var producer = producer(Map.of())) {
      for (int i = 0; i < 30; i++) producer.send(new ProducerRecord<>(group + ".one", i % 3, time, "k", "v" + i));
    }
    var options = new TreeMap<>(Map.of("group.id", group, "partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor + "Assignor", "heartbeat.interval.ms", "200"));
    options.put("client.id", "a");
    Member a = new Member(options, group + ".one", group + ".two");
    until(() -> a.consumer.assignment().size() == 6, a);
    tell("alone", a.assignment());
    tell("generation", a.consumer.groupMetadata().generationId());
    options.put("client.id", "b");
    Member b = new Member(options, group + ".one", group + ".two");
    until(() -> !b.consumer.assignment().isEmpty() && a.consumer.assignment().size() + b.consumer.assignment().size() == 6, a, b);
    tell("of two, a", a.assignment() + " revoked " + a.revoked);
    tell("of two, b", b.assignment() + " revoked " + b.revoked);
    tell("description", of(() -> description(admin, group)));
    until(() -> a.consumer.position(a.consumer.assignment().iterator().next()) >= 0, a, b);
    a.consumer.commitSync(Map.of(a.consumer.assignment().stream().min(BY_NAME).get(), new OffsetAndMetadata(4, "a note")));
    tell("with members, deleted", admin.deleteConsumerGroups(List.of(group)).all());
    tell("with members, offsets deleted", admin.deleteConsumerGroupOffsets(group, Set.of(new TopicPartition(group + ".one", 0))).all());
    tell("with members, offsets set", admin.alterConsumerGroupOffsets(group, Map.of(new TopicPartition(group + ".one", 0), new OffsetAndMetadata(1))).all());
    b.close();
    until(() -> a.consumer.assignment().size() == 6, a);
    tell("after b has left", a.assignment());
    tell("committed", new TreeMap<>(a.consumer.committed(Set.of(new TopicPartition(group + ".one", 0), new TopicPartition(group + ".two", 2))).entrySet().stream().collect(Collectors.toMap(entry -> entry.getKey().toString(), entry -> String.valueOf(entry.getValue())))));
    a.close();
    tell("empty", of(() -> description(admin, group)));
    tell("stored", of(() -> stored(admin, group)));
  }

  private static void staticMembers(Admin admin) throws Exception {
    about("static members");
    createTopic(admin, "static", 2, Map.of());
    var options = new TreeMap<>(Map.of("group.id", "static", "heartbeat.interval.ms", "200"));
    options.putAll(Map.of("client.id", "a", "group.instance.id", "i1"));
    Member a = new Member(options, "static");
    until(() -> a.consumer.assignment().size() == 2, a);
    options.putAll(Map.of("client.id", "b", "group.instance.id", "i2"));
    Member b = new Member(options, "static");
    until(() -> a.consumer.assignment().size() == 1 && b.consumer.assignment().size() == 1, a, b);
    int generation = b.consumer.groupMetadata().generationId();
    String before = b.assignment();
    b.close();
    Member again = new Member(options, "static");
    until(() -> again.consumer.assignment().size() == 1, a, again);
    tell("started again", "same partitions " + before.equals(again.assignment()) + " same generation " + (generation == again.consumer.groupMetadata().generationId()) + " others revoked " + a.revoked.size());
    Member twin = new Member(options, "static");
    until(() -> twin.consumer.assignment().size() == 1 && again.failure != null, a, again, twin);
    tell("fenced", said(again.failure));
    tell("description", of(() -> description(admin, "static")));
    tell("removed", admin.removeMembersFromConsumerGroup("static", new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("i2")))).all());
    tell("a stranger removed", admin.removeMembersFromConsumerGroup("static", new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("i9")))).all());
    until(() -> a.consumer.assignment().size() == 2, a);
    tell("alone again", a.assignment());
    for (Member member : List.of(a, again, twin)) member.close();
  }

  private static void sessions(Admin admin) throws Exception {
    about("sessions");
    createTopic(admin, "sessions", 2, Map.of());
    var options = new TreeMap<>(Map.of("group.id", "sessions", "session.timeout.ms", "6000", "heartbeat.interval.ms", "300", "max.poll.interval.ms", "1500"));
    options.put("client.id", "sleepy");
    Member sleepy = new Member(options, "sessions");
    until(() -> sleepy.consumer.assignment().size() == 2, sleepy);
    options.put("client.id", "eager");
    options.put("max.poll.interval.ms", "30000");
    Member eager = new Member(options, "sessions");
    // The other one does not poll, and so leaves the group.
    until(() -> eager.consumer.assignment().size() == 2, eager);
    tell("one that does not poll leaves", eager.assignment());
    tell("its commit", of(() -> {
      sleepy.consumer.commitSync(Map.of(new TopicPartition("sessions", 0), new OffsetAndMetadata(0)));
      return "stored";
    }));
    until(() -> sleepy.consumer.assignment().size() == 1 && eager.consumer.assignment().size() == 1, sleepy, eager);
    tell("comes back", "lost " + sleepy.lost);
    sleepy.close();
    eager.close();
    options.put("session.timeout.ms", "100");
    options.put("heartbeat.interval.ms", "10");
    Member hasty = new Member(options, "sessions");
    until(() -> hasty.failure != null, hasty);
    tell("a session that is too short", said(hasty.failure));
    hasty.close();
  }

  private static void positions(Admin admin) {
    about("positions");
    TopicPartition first = new TopicPartition("java", 0);
    try (var consumer = consumer(Map.of("group.id", "simple"))) {
      consumer.assign(List.of(first));
      tell("none", String.valueOf(consumer.committed(Set.of(first)).get(first)));
      consumer.commitSync(Map.of(first, new OffsetAndMetadata(2, Optional.of(0), "note")));
      tell("committed", String.valueOf(consumer.committed(Set.of(first)).get(first)));
      tell("of no topic", of(() -> {
        consumer.commitSync(Map.of(new TopicPartition("java", 44), new OffsetAndMetadata(2)), Duration.ofMillis(1500));
        return "stored";
      }));
      tell("too much of a note", of(() -> {
        consumer.commitSync(Map.of(first, new OffsetAndMetadata(2, "x".repeat(5000))));
        return "stored";
      }));
    }
    tell("set", admin.alterConsumerGroupOffsets("simple", Map.of(first, new OffsetAndMetadata(5))).all());
    tell("of a new group", admin.alterConsumerGroupOffsets("new", Map.of(first, new OffsetAndMetadata(5))).all());
    tell("stored", of(() -> stored(admin, "simple")));
    tell("list", of(() -> admin.listGroups().all().get().stream().map(one -> one.groupId() + " " + one.type() + " " + one.protocol() + " " + one.groupState()).filter(one -> one.matches("(group-|static|sessions|simple|new).*")).sorted().toList()));
    tell("deleted", admin.deleteConsumerGroupOffsets("simple", Set.of(first)).all());
    tell("of no group", admin.deleteConsumerGroupOffsets("nope", Set.of(first)).all());
    tell("then", of(() -> stored(admin, "simple")));
    tell("group deleted", admin.deleteConsumerGroups(List.of("new")).all());
    tell("no group", admin.deleteConsumerGroups(List.of("nope")).all());
    tell("describing no group", of(() -> description(admin, "nope")));
  }

  private static void records(Admin admin) {
    about("records deleted");
    TopicPartition first = new TopicPartition("java", 0);
    tell("some", of(() -> admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(3))).all().isDone() || admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(3))).lowWatermarks().get(first).get().lowWatermark() == 3));
    tell("past the end", admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(99_999))).all());
    tell("compacted", admin.deleteRecords(Map.of(new TopicPartition("compacted", 0), RecordsToDelete.beforeOffset(0))).all());
    try (var consumer = consumer(Map.of())) {
      tell("the first then", consumer.beginningOffsets(List.of(first)).get(first));
      consumer.assign(List.of(first));
      consumer.seek(first, 0);
      tell("reading what was deleted", read(consumer, 1).get(0).offset());
    }
  }

  private static void goodbye(Admin admin) {
    about("topics deleted");
    tell("some", admin.deleteTopics(List.of("java", "compacted")).all());
    tell("again", admin.deleteTopics(List.of("java")).all());
    tell("by an unknown id", admin.deleteTopics(TopicCollection.ofTopicIds(List.of(org.apache.kafka.common.Uuid.fromString("AAAAAAAAAAAAAAAAAAAAZA")))).all());
    tell("positions in it", of(() -> stored(admin, "simple")));
  }

  // --- helpers

  private interface Asked {
    Object ask() throws Exception;
  }

  private static void about(String what) {
    System.out.println("# " + what);
  }

  private static void tell(String what, Object value) {
    System.out.println(what + ": " + value);
  }

  private static void tell(String what, KafkaFuture<?> future) {
    tell(what, of(() -> {
      Object value = future.get();
      return value == null ? "done" : value;
    }));
  }

  private static Object of(Asked asked) {
    try {
      return asked.ask();
    } catch (Exception error) {
      return said(error);
    }
  }

  private static String said(Throwable error) {
    Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
    // It counts its attempts.
    if (cause instanceof TimeoutException) return "TimeoutException";
    return cause.getClass().getSimpleName() + ": " + cause.getMessage();
  }

  private static final java.util.Comparator<TopicPartition> BY_NAME = java.util.Comparator.comparing(TopicPartition::toString);

  private static String names(Collection<TopicPartition> partitions) {
    return partitions.stream().map(Object::toString).sorted().toList().toString();
  }

  private static String ids(Collection<org.apache.kafka.common.Node> nodes) {
    return nodes.stream().map(org.apache.kafka.common.Node::id).sorted().toList().toString();
  }

  private static Collection<String> userTopics(Collection<String> names) {
    return names.stream().filter(name -> !name.startsWith("__")).toList();
  }

  private static String headers(ConsumerRecord<?, ?> record) {
    List<String> all = new ArrayList<>();
    record.headers().forEach(header -> all.add(header.key() + "=" + (header.value() == null ? null : java.util.Arrays.toString(header.value()))));
    return all.toString();
  }

  private static String metadata(RecordMetadata record) {
    return record.partition() + ":" + record.offset() + " " + record.timestamp() + " " + record.serializedKeySize() + "+" + record.serializedValueSize();
  }

  private static String description(Admin admin, String group) throws Exception {
    var found = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
    return found.groupState() + " " + found.partitionAssignor() + " " + found.type() + " simple " + found.isSimpleConsumerGroup() + " at " + found.coordinator().id() + " "
        + found.members().stream().map(member -> member.clientId() + member.host() + " " + member.groupInstanceId() + " " + names(member.assignment().topicPartitions())).sorted().toList();
  }

  private static String stored(Admin admin, String group) throws Exception {
    return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().entrySet().stream().map(Object::toString).sorted().toList().toString();
  }

  private static List<TopicPartition> partitions(String topic, int count) {
    List<TopicPartition> all = new ArrayList<>();
    for (int i = 0; i < count; i++) all.add(new TopicPartition(topic, i));
    return all;
  }

  private static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> consumer, int count) {
    List<ConsumerRecord<String, String>> all = new ArrayList<>();
    long deadline = System.currentTimeMillis() + PATIENCE_MS;
    while (all.size() < count && System.currentTimeMillis() < deadline) {
      ConsumerRecords<String, String> some = consumer.poll(Duration.ofMillis(100));
      some.forEach(all::add);
    }
    return all;
  }

  private static void until(BooleanSupplier reached, Member... members) {
    long deadline = System.currentTimeMillis() + PATIENCE_MS;
    while (!reached.getAsBoolean()) {
      if (System.currentTimeMillis() > deadline) {
        tell("timed out", List.of(members).stream().map(member -> member.assignment() + " " + member.failure).toList());
        return;
      }
      for (Member member : members) member.poll();
    }
  }

  private static void createTopic(Admin admin, String name, int partitions, Map<String, String> configs) throws Exception {
    admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(configs))).all().get();
  }

  private static KafkaProducer<String, String> producer(Map<String, String> options) {
    Properties all = properties("producer");
    all.putAll(options);
    return new KafkaProducer<>(all, new StringSerializer(), new StringSerializer());
  }

  private static KafkaConsumer<String, String> consumer(Map<String, String> options) {
    Properties all = properties("consumer");
    all.put("auto.offset.reset", "earliest");
    all.put("enable.auto.commit", "false");
    all.putAll(options);
    return new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer());
  }

  private static Properties properties(String clientId) {
    Properties all = new Properties();
    all.put("bootstrap.servers", hosts);
    all.put("client.id", clientId);
    return all;
  }
}
