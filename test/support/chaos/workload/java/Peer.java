import java.io.FileOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The Java client in the chaos tests. `log BROKERS TOPIC` prints partition, offset and value of all messages;
 * `produce BROKERS TOPIC FILE NAME PARTITIONS RATE` and `consume BROKERS TOPIC FILE GROUP SESSION_MS` do what
 * producer.ts and reader.ts do, and write the same lines, until SIGTERM.
 */
public class Peer {
    private static volatile boolean isOver;
    private static PrintStream lines;

    public static void main(String[] arguments) throws Exception {
        String brokers = arguments[1];
        String topic = arguments[2];
        if (arguments[0].equals("log")) {
            readLog(brokers, topic);
            return;
        }
        lines = new PrintStream(new FileOutputStream(arguments[3], true), false);
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            isOver = true;
            try {
                main.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            // Otherwise the JVM would exit with the code of the signal.
            Runtime.getRuntime().halt(0);
        }));
        if (arguments[0].equals("produce")) {
            produce(brokers, topic, arguments[4], Integer.parseInt(arguments[5]), Integer.parseInt(arguments[6]));
        } else {
            consume(brokers, topic, arguments[4], arguments[5]);
        }
        write("\"what\":\"closed\"");
        lines.flush();
        // The hook waits for this thread.
        while (!isOver) Thread.sleep(10);
    }

    private static synchronized void write(String fields) {
        lines.println("{\"at\":" + System.nanoTime() / 1e6 + "," + fields + "}");
    }

    private static void produce(String brokers, String topic, String name, int partitions, int rate)
            throws Exception {
        Map<String, Object> config = new HashMap<>(Map.of(
            "bootstrap.servers", brokers, "acks", "all", "linger.ms", "2"));
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            producer.partitionsFor(topic);
            write("\"what\":\"started\"");
            long startedAt = System.nanoTime();
            long count = 0;
            while (!isOver) {
                Thread.sleep(20);
                long due = (System.nanoTime() - startedAt) / 1_000_000 * rate / 1_000;
                for (; count < due; count++) {
                    int partition = (int) (count % partitions);
                    String message = "\"lane\":\"" + partition + "\",\"sequence\":" + count;
                    write("\"what\":\"sent\"," + message);
                    String value = name + "/" + partition + "/" + count;
                    producer.send(new ProducerRecord<>(topic, partition, null, value), (metadata, error) -> {
                        if (error == null) {
                            write("\"what\":\"acknowledged\"," + message + ",\"partition\":" + metadata.partition()
                                + ",\"offset\":" + metadata.offset());
                        } else {
                            // It does not say whether the message may be in the log.
                            write("\"what\":\"failed\"," + message + ",\"isCertain\":false,\"error\":\""
                                + error.getClass().getSimpleName() + "\"");
                        }
                    });
                }
                synchronized (Peer.class) {
                    lines.flush();
                }
            }
        }
    }

    private static void consume(String brokers, String topic, String group, String sessionMs) {
        Map<String, Object> config = new HashMap<>(Map.of(
            "bootstrap.servers", brokers, "group.id", group, "auto.offset.reset", "earliest",
            "session.timeout.ms", sessionMs,
            "heartbeat.interval.ms", String.valueOf(Integer.parseInt(sessionMs) / 6),
            "enable.auto.commit", "true", "auto.commit.interval.ms", "200"));
        // As samsa's group that it is compared with.
        config.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                    write("\"what\":\"assigned\",\"partitions\":" + numbers(partitions));
                }

                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                    write("\"what\":\"revoked\",\"partitions\":" + numbers(partitions));
                    write("\"what\":\"given\",\"partitions\":" + numbers(partitions));
                }

                @Override
                public void onPartitionsLost(Collection<TopicPartition> partitions) {
                    write("\"what\":\"lost\",\"partitions\":" + numbers(partitions));
                }
            });
            write("\"what\":\"started\"");
            while (!isOver) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                    String message = "\"partition\":" + record.partition() + ",\"offset\":" + record.offset()
                        + ",\"id\":\"" + record.value() + "\"";
                    write("\"what\":\"delivered\"," + message);
                    write("\"what\":\"processed\"," + message);
                }
                lines.flush();
            }
        } catch (WakeupException e) {
            // It is over.
        }
    }

    private static String numbers(Collection<TopicPartition> partitions) {
        return partitions.stream().map(TopicPartition::partition).toList().toString();
    }

    private static void readLog(String brokers, String topic) {
        Map<String, Object> config = Map.of("bootstrap.servers", brokers);
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (PartitionInfo one : consumer.partitionsFor(topic)) {
                partitions.add(new TopicPartition(topic, one.partition()));
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            StringBuilder output = new StringBuilder();
            boolean isDone = false;
            while (!isDone) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                    output.append(record.partition()).append(' ').append(record.offset()).append(' ')
                        .append(record.value()).append('\n');
                }
                isDone = true;
                for (TopicPartition one : partitions) isDone &= consumer.position(one) >= ends.get(one);
            }
            System.out.print(output);
        }
    }
}
