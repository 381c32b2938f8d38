import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes messages with each codec, keys, headers and nulls among them. Standard input: brokers, topic, how many of
 * each, a line each. Message n of a codec has the value `CODEC n` and some repetitions of a word.
 */
public class Codecs {
    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        String brokers = in.readLine();
        String topic = in.readLine();
        int count = Integer.parseInt(in.readLine());
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            Map<String, Object> config =
                Map.of("bootstrap.servers", brokers, "compression.type", codec, "linger.ms", 20);
            try (KafkaProducer<byte[], byte[]> producer =
                    new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
                for (int i = 0; i < count; i++) {
                    byte[] key = i % 5 == 0 ? null : bytes("key " + i);
                    byte[] value = i % 7 == 0 ? null : bytes(codec + " " + i + " word".repeat(i % 50));
                    ProducerRecord<byte[], byte[]> record =
                        new ProducerRecord<>(topic, 0, 1_600_000_000_000L + i, key, value);
                    record.headers().add("codec", bytes(codec)).add("n", bytes("" + i)).add("n", null);
                    producer.send(record);
                }
            }
        }
    }
}
