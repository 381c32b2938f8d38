import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Transactions of the Java client, one after the other, and how long each takes.
 *
 *     Transactions BROKERS TOPIC FILE COUNT SIZE SPREAD TRANSACTIONAL [PROPERTY=VALUE …]
 *
 * SPREAD: each message is for the partition of its index. TRANSACTIONAL: `true`, or `false` for flushes instead.
 */
public class Transactions {
    public static void main(String[] arguments) throws Exception {
        String topic = arguments[1];
        List<String> lines = Files.readAllLines(Path.of(arguments[2]), StandardCharsets.ISO_8859_1);
        byte[][] values =
            lines.stream().map(line -> line.getBytes(StandardCharsets.ISO_8859_1)).toArray(byte[][]::new);
        int count = Integer.parseInt(arguments[3]);
        int size = Integer.parseInt(arguments[4]);
        boolean isSpread = Boolean.parseBoolean(arguments[5]);
        boolean isTransactional = Boolean.parseBoolean(arguments[6]);
        Properties properties = new Properties();
        properties.put("bootstrap.servers", arguments[0]);
        properties.put("acks", "all");
        for (int i = 7; i < arguments.length; i++) {
            String[] pair = arguments[i].split("=", 2);
            properties.put(pair[0], pair[1]);
        }
        if (isTransactional) properties.put("transactional.id", "java-" + System.nanoTime());
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            if (isTransactional) producer.initTransactions();
            double[] times = new double[count];
            int next = 0;
            long startedAt = System.nanoTime();
            for (int i = 0; i < count; i++) {
                long beganAt = System.nanoTime();
                if (isTransactional) producer.beginTransaction();
                for (int j = 0; j < size; j++) {
                    byte[] value = values[next++ % values.length];
                    producer.send(new ProducerRecord<>(topic, isSpread ? j : null, null, value));
                }
                if (isTransactional) producer.commitTransaction();
                else producer.flush();
                times[i] = (System.nanoTime() - beganAt) / 1e6;
            }
            double elapsedMs = (System.nanoTime() - startedAt) / 1e6;
            Arrays.sort(times);
            System.out.printf("ELAPSED %.3f P50 %.3f P99 %.3f P999 %.3f%n",
                elapsedMs, at(times, 0.5), at(times, 0.99), at(times, 0.999));
        }
    }

    private static double at(double[] times, double share) {
        return times[Math.min(times.length - 1, (int) (share * times.length))];
    }
}
