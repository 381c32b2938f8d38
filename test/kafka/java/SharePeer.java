import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Java's member of a share group. Arguments: brokers, topic, group, and what to do: `work` accepts messages until standard
 * input ends, releases the first delivery of each number that seven divides, and prints value and delivery count of each;
 * `count N` accepts N messages and prints how many milliseconds passed from the first to the last.
 */
public class SharePeer {
    public static void main(String[] arguments) throws Exception {
        boolean isWork = arguments[3].equals("work");
        Map<String, Object> config = new HashMap<>(Map.of(
            "bootstrap.servers", arguments[0],
            "group.id", arguments[2],
            "share.acknowledgement.mode", isWork ? "explicit" : "implicit"));
        try (KafkaShareConsumer<String, String> consumer =
                new KafkaShareConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(Set.of(arguments[1]));
            if (isWork) work(consumer);
            else count(consumer, Integer.parseInt(arguments[4]));
        }
        System.out.flush();
    }

    private static void work(KafkaShareConsumer<String, String> consumer) throws Exception {
        while (System.in.available() == 0) {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                short count = record.deliveryCount().orElse((short) 0);
                boolean isReleased = count == 1 && Integer.parseInt(record.value()) % 7 == 0;
                System.out.println(record.value() + " " + count + (isReleased ? " released" : " accepted"));
                consumer.acknowledge(record, isReleased ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT);
            }
            System.out.flush();
        }
        consumer.commitSync();
    }

    private static void count(KafkaShareConsumer<String, String> consumer, int wanted) {
        int found = 0;
        long first = 0;
        while (found < wanted) {
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(200));
            if (first == 0 && !records.isEmpty()) first = System.nanoTime();
            found += records.count();
        }
        System.out.println((System.nanoTime() - first) / 1_000_000);
    }
}
