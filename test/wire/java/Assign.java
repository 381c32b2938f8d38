import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Kafka's own assignors as a servant: reads lines from its input, answers on its output. '-' is nothing.
 *
 * <ul>
 *   <li>'topic' name racks: a topic, the racks of a partition with commas, partitions with semicolons.
 *   <li>'member' id instance rack generation topics owned userData: a member; owned as topic:partition.
 *   <li>'assign' name: what this assignor makes of the above, 'id partitions' a line, then 'end'.
 *   <li>'userData' name generation partitions: what a member tells that was assigned these, in hex.
 * </ul>
 */
public class Assign {
    private static final Map<String, List<PartitionInfo>> topics = new LinkedHashMap<>();
    private static final Map<String, Subscription> members = new LinkedHashMap<>();

    public static void main(String[] arguments) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        PrintStream out = new PrintStream(System.out, false);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "topic" -> topics.put(words[1], partitions(words[1], words[2]));
                case "member" -> members.put(words[1], subscription(words));
                case "assign" -> assign(words[1], out);
                case "userData" -> out.println(userData(words));
                default -> throw new IllegalArgumentException(line);
            }
        }
        out.flush();
    }

    private static void assign(String name, PrintStream out) {
        List<PartitionInfo> all = topics.values().stream().flatMap(List::stream).toList();
        Cluster cluster = new Cluster("c", List.of(), all, Set.of(), Set.of());
        assignor(name)
            .assign(cluster, new GroupSubscription(members))
            .groupAssignment()
            .forEach((id, given) -> out.println(id + " " + text(given.partitions())));
        out.println("end");
        topics.clear();
        members.clear();
    }

    private static String userData(String[] words) {
        ConsumerPartitionAssignor assignor = assignor(words[1]);
        int generation = Integer.parseInt(words[2]);
        Optional<String> noInstance = Optional.empty();
        assignor.onAssignment(
            new Assignment(owned(words[3])),
            new ConsumerGroupMetadata("g", generation, "m", noInstance));
        ByteBuffer data = assignor.subscriptionUserData(Set.of());
        return data == null ? "-" : HexFormat.of().formatHex(data.array());
    }

    private static ConsumerPartitionAssignor assignor(String name) {
        return switch (name) {
            case "range" -> new RangeAssignor();
            case "roundrobin" -> new RoundRobinAssignor();
            case "sticky" -> new StickyAssignor();
            case "cooperative-sticky" -> new CooperativeStickyAssignor();
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static List<PartitionInfo> partitions(String topic, String racks) {
        List<PartitionInfo> partitions = new ArrayList<>();
        for (String one : racks.split(";")) {
            Node[] replicas = Arrays.stream(one.split(","))
                .map(rack -> new Node(1, "h", 1, rack.equals("-") ? null : rack))
                .toArray(Node[]::new);
            partitions.add(
                new PartitionInfo(topic, partitions.size(), null, replicas, replicas));
        }
        return partitions;
    }

    private static Subscription subscription(String[] words) {
        byte[] data = words[7].equals("-") ? null : HexFormat.of().parseHex(words[7]);
        Subscription subscription = new Subscription(
            words[5].equals("-") ? List.of() : List.of(words[5].split(",")),
            data == null ? null : ByteBuffer.wrap(data),
            owned(words[6]),
            Integer.parseInt(words[4]),
            given(words[3]));
        subscription.setGroupInstanceId(given(words[2]));
        return subscription;
    }

    private static Optional<String> given(String word) {
        return word.equals("-") ? Optional.empty() : Optional.of(word);
    }

    private static List<TopicPartition> owned(String list) {
        if (list.equals("-")) return List.of();
        return Arrays.stream(list.split(","))
            .map(one -> one.split(":"))
            .map(parts -> new TopicPartition(parts[0], Integer.parseInt(parts[1])))
            .toList();
    }

    private static String text(List<TopicPartition> partitions) {
        if (partitions.isEmpty()) return "-";
        return partitions.stream()
            .map(one -> one.topic() + ":" + one.partition())
            .collect(Collectors.joining(","));
    }
}
