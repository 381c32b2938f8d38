import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Prints as one line of JSON what Kafka's own admin client says of a cluster. Input: the bootstrap servers, then the
 * names of groups, a line each.
 */
public class AdminReferee {
  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    Properties properties = new Properties();
    properties.put("bootstrap.servers", in.readLine());
    List<String> groups = new ArrayList<>();
    for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) groups.add(line);
    try (Admin admin = Admin.create(properties)) {
      Map<String, Object> all = new TreeMap<>();
      all.put("cluster", cluster(admin));
      Map<String, TopicDescription> topics =
          new TreeMap<>(admin.describeTopics(admin.listTopics().names().get()).allTopicNames().get());
      List<Object> described = new ArrayList<>();
      for (TopicDescription topic : topics.values()) described.add(topic(topic));
      all.put("topics", described);
      all.put("earliest", offsets(admin, topics.values(), OffsetSpec.earliest()));
      all.put("latest", offsets(admin, topics.values(), OffsetSpec.latest()));
      all.put("configs", configs(admin, new ConfigResource(ConfigResource.Type.TOPIC, topics.keySet().iterator().next())));
      int broker = admin.describeCluster().nodes().get().iterator().next().id();
      all.put("broker", broker);
      all.put("brokerConfigs", configs(admin, new ConfigResource(ConfigResource.Type.BROKER, "" + broker)));
      List<Object> groupsDescribed = new ArrayList<>();
      for (String group : groups) groupsDescribed.add(group(admin, group));
      all.put("groups", groupsDescribed);
      System.out.println(json(all));
    }
  }

  private static Object cluster(Admin admin) throws Exception {
    Map<String, Object> cluster = new TreeMap<>();
    cluster.put("clusterId", admin.describeCluster().clusterId().get());
    List<Object> brokers = new ArrayList<>();
    List<Node> nodes = new ArrayList<>(admin.describeCluster().nodes().get());
    nodes.sort((a, b) -> a.id() - b.id());
    for (Node node : nodes) {
      Map<String, Object> broker = new TreeMap<>();
      broker.put("broker", node.id());
      broker.put("host", node.host());
      broker.put("port", node.port());
      if (node.hasRack()) broker.put("rack", node.rack());
      brokers.add(broker);
    }
    cluster.put("brokers", brokers);
    return cluster;
  }

  private static Object topic(TopicDescription description) {
    Map<String, Object> topic = new TreeMap<>();
    topic.put("topic", description.name());
    topic.put("isInternal", description.isInternal());
    String id = description.topicId().toString();
    if (!id.equals("AAAAAAAAAAAAAAAAAAAAAA")) topic.put("topicId", id);
    List<Object> partitions = new ArrayList<>();
    for (TopicPartitionInfo info : description.partitions()) {
      Map<String, Object> partition = new TreeMap<>();
      partition.put("partition", info.partition());
      if (info.leader() != null) partition.put("leader", info.leader().id());
      partition.put("replicas", ids(info.replicas()));
      partition.put("isr", new ArrayList<>(new TreeSet<>(ids(info.isr()))));
      partitions.add(partition);
    }
    topic.put("partitions", partitions);
    return topic;
  }

  private static List<Integer> ids(List<Node> nodes) {
    List<Integer> ids = new ArrayList<>();
    for (Node node : nodes) ids.add(node.id());
    return ids;
  }

  private static Object offsets(Admin admin, Collection<TopicDescription> topics, OffsetSpec spec) throws Exception {
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    for (TopicDescription topic : topics) {
      for (TopicPartitionInfo info : topic.partitions()) {
        asked.put(new TopicPartition(topic.name(), info.partition()), spec);
      }
    }
    Map<String, Object> found = new TreeMap<>();
    for (Map.Entry<TopicPartition, ListOffsetsResultInfo> entry : admin.listOffsets(asked).all().get().entrySet()) {
      found.put(entry.getKey().toString(), entry.getValue().offset());
    }
    return found;
  }

  private static Object configs(Admin admin, ConfigResource resource) throws Exception {
    Map<String, Object> configs = new TreeMap<>();
    for (ConfigEntry entry : admin.describeConfigs(Collections.singleton(resource)).all().get().get(resource).entries()) {
      Map<String, Object> one = new TreeMap<>();
      one.put("value", entry.value());
      one.put("isDefault", entry.isDefault());
      one.put("isReadOnly", entry.isReadOnly());
      one.put("isSensitive", entry.isSensitive());
      one.put("type", entry.type().name().toLowerCase());
      configs.put(entry.name(), one);
    }
    return configs;
  }

  private static Object group(Admin admin, String name) throws Exception {
    ConsumerGroupDescription description =
        admin.describeConsumerGroups(Collections.singleton(name)).all().get().get(name);
    Map<String, Object> group = new TreeMap<>();
    group.put("group", name);
    group.put("assignor", description.partitionAssignor());
    Map<String, Object> members = new TreeMap<>();
    for (MemberDescription member : description.members()) {
      TreeSet<String> assigned = new TreeSet<>();
      for (TopicPartition partition : member.assignment().topicPartitions()) assigned.add(partition.toString());
      Map<String, Object> one = new TreeMap<>();
      one.put("clientId", member.clientId());
      one.put("host", member.host());
      one.put("assignment", new ArrayList<>(assigned));
      members.put(member.consumerId(), one);
    }
    group.put("members", members);
    Map<String, Object> offsets = new TreeMap<>();
    for (Map.Entry<TopicPartition, OffsetAndMetadata> entry :
        admin.listConsumerGroupOffsets(name).partitionsToOffsetAndMetadata().get().entrySet()) {
      offsets.put(entry.getKey().toString(), entry.getValue().offset());
    }
    group.put("offsets", offsets);
    return group;
  }

  private static String json(Object value) {
    if (value instanceof Map<?, ?> map) {
      List<String> fields = new ArrayList<>();
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        fields.add(json(entry.getKey()) + ":" + json(entry.getValue()));
      }
      return "{" + String.join(",", fields) + "}";
    }
    if (value instanceof Collection<?> list) {
      List<String> elements = new ArrayList<>();
      for (Object element : list) elements.add(json(element));
      return "[" + String.join(",", elements) + "]";
    }
    if (value instanceof String text) return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    return String.valueOf(value);
  }
}
