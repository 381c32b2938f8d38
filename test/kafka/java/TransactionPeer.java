import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The other side of tests of transactions. Arguments: brokers, topic, and what to do: `read` prints the values that a
 * read_committed consumer gets, a line each; `write ID VALUE` commits a message with a transactional id; `hold ID VALUE`
 * writes one, prints `open`, waits for a line, and prints whether the commit was `committed` or `fenced`;
 * `follow COUNT` prints partition and value of the first messages that a read_committed consumer gets.
 */
public class TransactionPeer {
    public static void main(String[] arguments) throws Exception {
        String brokers = arguments[0];
        String topic = arguments[1];
        switch (arguments[2]) {
            case "read" -> read(brokers, topic);
            case "follow" -> follow(brokers, topic, Integer.parseInt(arguments[3]));
            case "write" -> write(brokers, topic, arguments[3], arguments[4], false);
            case "hold" -> write(brokers, topic, arguments[3], arguments[4], true);
            default -> throw new IllegalArgumentException(arguments[2]);
        }
        System.out.flush();
    }

    private static void read(String brokers, String topic) {
        Map<String, Object> config = new HashMap<>(Map.of(
            "bootstrap.servers", brokers, "isolation.level", "read_committed"));
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = new java.util.ArrayList<>();
            for (PartitionInfo one : consumer.partitionsFor(topic)) {
                partitions.add(new TopicPartition(topic, one.partition()));
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            // Of read_committed, the last stable offset.
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            boolean isDone = false;
            while (!isDone) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(200));
                for (ConsumerRecord<String, String> record : records) System.out.println(record.value());
                isDone = true;
                for (TopicPartition one : partitions) {
                    isDone &= consumer.position(one) >= ends.get(one);
                }
            }
        }
    }

    private static void follow(String brokers, String topic, int count) {
        Map<String, Object> config = new HashMap<>(Map.of(
            "bootstrap.servers", brokers, "isolation.level", "read_committed"));
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = new java.util.ArrayList<>();
            for (PartitionInfo one : consumer.partitionsFor(topic)) {
                partitions.add(new TopicPartition(topic, one.partition()));
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            StringBuilder lines = new StringBuilder();
            for (int seen = 0; seen < count; ) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                    lines.append(record.partition()).append(' ').append(record.value()).append('\n');
                    seen++;
                }
            }
            System.out.print(lines);
        }
    }

    private static void write(String brokers, String topic, String id, String value, boolean isHeld)
            throws Exception {
        Map<String, Object> config = new HashMap<>(Map.of(
            "bootstrap.servers", brokers, "transactional.id", id));
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, value)).get();
            if (isHeld) {
                System.out.println("open");
                System.in.read();
            }
            try {
                producer.commitTransaction();
                System.out.println("committed");
            } catch (ProducerFencedException e) {
                System.out.println("fenced");
            }
        }
    }
}
