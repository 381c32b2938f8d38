import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.PartitionReassignment;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.ReplicaInfo;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/**
 * Prints as one line of JSON what Kafka's own admin client says of moves, log directories, features, the quorum,
 * producers and transactions; "unsupported" for what the brokers are too old for. Input: the bootstrap servers.
 */
public class AdminClusterReferee {
  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    Properties properties = new Properties();
    properties.put("bootstrap.servers", in.readLine());
    try (Admin admin = Admin.create(properties)) {
      Map<String, Object> all = new TreeMap<>();
      all.put("reassignments", or(() -> reassignments(admin)));
      all.put("logDirs", or(() -> logDirs(admin)));
      all.put("features", or(() -> features(admin)));
      all.put("quorum", or(() -> quorum(admin)));
      all.put("producers", or(() -> producers(admin)));
      all.put("transactions", or(() -> transactions(admin)));
      System.out.println(json(all));
    }
  }

  private static Object or(Callable<Object> question) throws Exception {
    try {
      return question.call();
    } catch (ExecutionException error) {
      if (error.getCause() instanceof UnsupportedVersionException) return "unsupported";
      throw error;
    }
  }

  private static Object reassignments(Admin admin) throws Exception {
    Map<String, Object> found = new TreeMap<>();
    for (Map.Entry<TopicPartition, PartitionReassignment> entry :
        admin.listPartitionReassignments().reassignments().get().entrySet()) {
      Map<String, Object> one = new TreeMap<>();
      one.put("replicas", entry.getValue().replicas());
      one.put("addingReplicas", entry.getValue().addingReplicas());
      one.put("removingReplicas", entry.getValue().removingReplicas());
      found.put(entry.getKey().toString(), one);
    }
    return found;
  }

  private static Object logDirs(Admin admin) throws Exception {
    Set<Integer> brokers = new HashSet<>();
    for (Node node : admin.describeCluster().nodes().get()) brokers.add(node.id());
    Map<String, Object> found = new TreeMap<>();
    for (Map.Entry<Integer, Map<String, LogDirDescription>> broker :
        admin.describeLogDirs(brokers).allDescriptions().get().entrySet()) {
      Map<String, Object> dirs = new TreeMap<>();
      for (Map.Entry<String, LogDirDescription> dir : broker.getValue().entrySet()) {
        Map<String, Object> one = new TreeMap<>();
        if (dir.getValue().totalBytes().isPresent()) one.put("totalBytes", dir.getValue().totalBytes().getAsLong());
        Map<String, Object> replicas = new TreeMap<>();
        for (Map.Entry<TopicPartition, ReplicaInfo> replica : dir.getValue().replicaInfos().entrySet()) {
          if (replica.getKey().topic().startsWith("__")) continue;
          ReplicaInfo info = replica.getValue();
          replicas.put(replica.getKey().toString(), List.of(info.size(), info.offsetLag(), info.isFuture()));
        }
        one.put("replicas", replicas);
        dirs.put(dir.getKey(), one);
      }
      found.put(broker.getKey().toString(), dirs);
    }
    return found;
  }

  private static Object features(Admin admin) throws Exception {
    FeatureMetadata metadata = admin.describeFeatures().featureMetadata().get();
    Map<String, Object> found = new TreeMap<>();
    metadata.supportedFeatures().forEach((name, range) -> {
      Map<String, Object> one = new TreeMap<>();
      one.put("minVersion", range.minVersion());
      one.put("maxVersion", range.maxVersion());
      if (metadata.finalizedFeatures().containsKey(name)) {
        one.put("finalizedVersion", metadata.finalizedFeatures().get(name).maxVersionLevel());
      }
      found.put(name, one);
    });
    return found;
  }

  private static Object quorum(Admin admin) throws Exception {
    QuorumInfo info = admin.describeMetadataQuorum().quorumInfo().get();
    Map<String, Object> found = new TreeMap<>();
    found.put("leader", info.leaderId());
    found.put("leaderEpoch", info.leaderEpoch());
    Map<String, Object> voters = new TreeMap<>();
    for (QuorumInfo.ReplicaState state : info.voters()) {
      voters.put("" + state.replicaId(), state.replicaDirectoryId().toString());
    }
    found.put("voters", voters);
    TreeSet<Integer> observers = new TreeSet<>();
    for (QuorumInfo.ReplicaState state : info.observers()) observers.add(state.replicaId());
    found.put("observers", observers);
    return found;
  }

  private static Object producers(Admin admin) throws Exception {
    List<TopicPartition> partitions = new ArrayList<>();
    for (TopicDescription topic : admin.describeTopics(admin.listTopics().names().get()).allTopicNames().get().values()) {
      for (TopicPartitionInfo info : topic.partitions()) partitions.add(new TopicPartition(topic.name(), info.partition()));
    }
    Map<String, Object> found = new TreeMap<>();
    for (TopicPartition partition : partitions) {
      List<Object> states = new ArrayList<>();
      for (ProducerState state : admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers()) {
        Map<String, Object> one = new TreeMap<>();
        one.put("producerId", state.producerId());
        one.put("producerEpoch", state.producerEpoch());
        one.put("lastSequence", state.lastSequence());
        one.put("lastTimestamp", state.lastTimestamp());
        if (state.coordinatorEpoch().isPresent()) one.put("coordinatorEpoch", state.coordinatorEpoch().getAsInt());
        if (state.currentTransactionStartOffset().isPresent()) {
          one.put("currentTransactionStartOffset", state.currentTransactionStartOffset().getAsLong());
        }
        states.add(one);
      }
      found.put(partition.toString(), states);
    }
    return found;
  }

  private static Object transactions(Admin admin) throws Exception {
    Map<String, Object> found = new TreeMap<>();
    Map<String, TransactionListing> listed = new HashMap<>();
    for (TransactionListing listing : admin.listTransactions().all().get()) listed.put(listing.transactionalId(), listing);
    for (Map.Entry<String, TransactionDescription> entry : admin.describeTransactions(listed.keySet()).all().get().entrySet()) {
      TransactionDescription description = entry.getValue();
      Map<String, Object> one = new TreeMap<>();
      one.put("listedState", listed.get(entry.getKey()).state().toString());
      one.put("state", description.state().toString());
      one.put("producerId", description.producerId());
      one.put("producerEpoch", description.producerEpoch());
      one.put("transactionTimeoutMs", description.transactionTimeoutMs());
      TreeSet<String> partitions = new TreeSet<>();
      for (TopicPartition partition : description.topicPartitions()) partitions.add(partition.toString());
      one.put("partitions", partitions);
      found.put(entry.getKey(), one);
    }
    return found;
  }

  private static String json(Object value) {
    if (value instanceof Map<?, ?> map) {
      List<String> fields = new ArrayList<>();
      for (Map.Entry<?, ?> entry : map.entrySet()) fields.add(json(entry.getKey()) + ":" + json(entry.getValue()));
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
