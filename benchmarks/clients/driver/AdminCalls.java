import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/** As admin.js, for Kafka's own admin client: brokers, mode, warmUpMs, limitMs, the topics, the groups. */
public class AdminCalls {
  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", arguments[0]);
    String mode = arguments[1];
    List<String> topics = List.of(arguments[4].split(","));
    List<String> groups = List.of(arguments[5].split(","));
    try (Admin admin = Admin.create(properties)) {
      long until = System.nanoTime() + Long.parseLong(arguments[2]) * 1_000_000;
      do ask(admin, mode, topics, groups); while (System.nanoTime() < until);
      double[] latencies = new double[1_000_000];
      int calls = 0;
      com.sun.management.OperatingSystemMXBean system =
          (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
      long cpu = system.getProcessCpuTime();
      long start = System.nanoTime();
      long end = start + Long.parseLong(arguments[3]) * 1_000_000;
      long before = start;
      while (before < end || calls < 5) {
        ask(admin, mode, topics, groups);
        long now = System.nanoTime();
        latencies[calls++] = (now - before) / 1e6;
        before = now;
      }
      double elapsedMs = (before - start) / 1e6;
      double cpuMs = (system.getProcessCpuTime() - cpu) / 1e6;
      double[] sorted = Arrays.copyOf(latencies, calls);
      Arrays.sort(sorted);
      String peak = Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmHWM")).findFirst().orElse("0").replaceAll("\\D", "");
      System.out.println("MEASURED " + calls + " " + elapsedMs + " " + cpuMs + " " + at(sorted, 0.5) + " " + at(sorted, 0.99) + " " + at(sorted, 0.999) + " " + peak);
    }
  }

  private static double at(double[] sorted, double share) {
    return sorted[Math.min(sorted.length - 1, (int) (share * sorted.length))];
  }

  private static void ask(Admin admin, String mode, List<String> topics, List<String> groups) throws Exception {
    int told;
    int expected;
    switch (mode) {
      case "topics" -> {
        told = admin.listTopics().names().get().size();
        expected = topics.size();
      }
      case "partitions" -> {
        told = 0;
        for (TopicDescription topic : admin.describeTopics(topics).allTopicNames().get().values()) told += topic.partitions().size();
        expected = topics.size();
      }
      case "groups" -> {
        told = admin.listGroups().all().get().size();
        expected = groups.size();
      }
      case "configs" -> {
        List<ConfigResource> resources = topics.stream().map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic)).collect(Collectors.toList());
        told = admin.describeConfigs(resources).all().get().size();
        expected = topics.size();
      }
      default -> {
        Map<String, ListConsumerGroupOffsetsSpec> asked = new HashMap<>();
        for (String group : groups) asked.put(group, new ListConsumerGroupOffsetsSpec());
        var described = admin.describeConsumerGroups(groups).all();
        Map<String, Map<TopicPartition, OffsetAndMetadata>> committed = admin.listConsumerGroupOffsets(asked).all().get();
        Map<TopicPartition, OffsetSpec> partitions = new HashMap<>();
        committed.values().forEach(ofGroup -> ofGroup.keySet().forEach(one -> partitions.put(one, OffsetSpec.latest())));
        var ends = admin.listOffsets(partitions).all().get();
        described.get();
        told = 0;
        for (var ofGroup : committed.values()) {
          for (var entry : ofGroup.entrySet()) if (ends.get(entry.getKey()).offset() - entry.getValue().offset() >= 0) told++;
        }
        expected = groups.size();
      }
    }
    if (told < expected) throw new IllegalStateException(mode + ": it returned " + told + " instead of " + expected);
  }
}
