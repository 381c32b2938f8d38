import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * One member of a share group: the way `share` of the other drivers for the Java client.
 *
 *     Share BROKERS TOPIC GROUP MESSAGES LIMIT_MS MODE [PROPERTY=VALUE …]
 *
 * Prints the messages, the time from the first of them on, and the CPU of the process in that time.
 */
public class Share {
    private static final long TICK_MS = 10;
    private static final long JOIN_MS = 15_000;

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", arguments[0]);
        for (int i = 6; i < arguments.length; i++) {
            String[] pair = arguments[i].split("=", 2);
            properties.put(pair[0], pair[1]);
        }
        String topic = arguments[1];
        String group = arguments[2];
        long wanted = Long.parseLong(arguments[3]);
        long limitMs = Long.parseLong(arguments[4]);
        boolean isExplicit = arguments[5].equals("explicit");
        try (Admin admin = Admin.create(properties)) {
            ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
            ConfigEntry entry = new ConfigEntry("share.auto.offset.reset", "earliest");
            AlterConfigOp set = new AlterConfigOp(entry, AlterConfigOp.OpType.SET);
            admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
        }
        properties.put("group.id", group);
        properties.put("share.acknowledgement.mode", arguments[5]);
        long messages = 0;
        long bytes = 0;
        long startedAt = 0;
        long lastAt = 0;
        long[] before = new long[2];
        long[] after = new long[2];
        try (KafkaShareConsumer<byte[], byte[]> consumer =
                new KafkaShareConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic));
            long endsAt = System.nanoTime() + JOIN_MS * 1_000_000;
            while (messages < wanted && System.nanoTime() < endsAt) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(100));
                if (startedAt == 0 && !records.isEmpty()) {
                    before = ticks();
                    startedAt = System.nanoTime();
                    endsAt = startedAt + limitMs * 1_000_000;
                }
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    byte[] value = record.value();
                    if (value.length > 0 && value[0] == 0) throw new IllegalStateException("this value was never sent");
                    messages++;
                    bytes += value.length;
                    if (isExplicit) consumer.acknowledge(record);
                }
            }
            lastAt = System.nanoTime();
            after = ticks();
            consumer.commitSync();
        }
        System.out.printf("SHARE %d BYTES %d ELAPSED %.3f USER %d SYSTEM %d%n",
            messages, bytes, (lastAt - startedAt) / 1e6,
            (after[0] - before[0]) * TICK_MS, (after[1] - before[1]) * TICK_MS);
    }

    private static long[] ticks() throws Exception {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return new long[] {Long.parseLong(fields[11]), Long.parseLong(fields[12])};
    }
}
