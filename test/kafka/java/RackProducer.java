import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.TreeSet;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Java's producer with a rack. Arguments: brokers, topic, rack. For each line of the input it sends that many messages of
 * 1 KiB without a key and prints the numbers of the partitions that they were written to.
 */
public class RackProducer {
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> config = new HashMap<>(Map.of(
            "bootstrap.servers", arguments[0],
            "client.rack", arguments[2],
            "partitioner.rack.aware", "true",
            "metadata.max.age.ms", "500"));
        ByteArraySerializer bytes = new ByteArraySerializer();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(config, bytes, bytes);
                Scanner lines = new Scanner(System.in)) {
            while (lines.hasNextInt()) {
                List<Future<RecordMetadata>> sent = new ArrayList<>();
                for (int left = lines.nextInt(); left > 0; left--) {
                    sent.add(producer.send(new ProducerRecord<>(arguments[1], new byte[1024])));
                }
                TreeSet<Integer> partitions = new TreeSet<>();
                for (Future<RecordMetadata> one : sent) partitions.add(one.get().partition());
                System.out.println(partitions);
            }
        }
    }
}
