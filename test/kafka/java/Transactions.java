import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Writes transactions that lie across each other, and messages without one between them. Standard input: brokers,
 * topic, seed, a line each. Prints what a consumer of what is committed must get: partition, offset and value.
 */
public class Transactions {
    private static final int PARTITIONS = 2;
    private static final int ROUNDS = 80;
    /** Of one that is longer than many fetches. */
    private static final int LONG = 2_000;

    private final Random random;
    private final String brokers;
    private final String topic;
    private int count = 0;

    Transactions(String brokers, String topic, long seed) {
        this.brokers = brokers;
        this.topic = topic;
        this.random = new Random(seed);
    }

    private KafkaProducer<String, String> producer(String id) {
        Map<String, Object> config = new java.util.HashMap<>(Map.of(
            "bootstrap.servers", brokers,
            "compression.type", id == null ? "none" : "lz4",
            "linger.ms", 0));
        if (id != null) config.put("transactional.id", topic + "-" + id);
        KafkaProducer<String, String> made =
            new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
        if (id != null) made.initTransactions();
        return made;
    }

    private Future<RecordMetadata> send(KafkaProducer<String, String> producer) {
        String value = "message " + count++ + " " + "x".repeat(random.nextInt(300));
        int partition = random.nextInt(PARTITIONS);
        Future<RecordMetadata> sent = producer.send(new ProducerRecord<>(topic, partition, null, value));
        values.put(sent, value);
        return sent;
    }

    private final Map<Future<RecordMetadata>, String> values = new java.util.IdentityHashMap<>();

    private void print(List<Future<RecordMetadata>> sent) throws Exception {
        for (Future<RecordMetadata> one : sent) {
            RecordMetadata at = one.get();
            System.out.println(at.partition() + " " + at.offset() + " " + values.get(one));
        }
    }

    void run() throws Exception {
        List<KafkaProducer<String, String>> producers = List.of(producer("a"), producer("b"), producer("long"));
        KafkaProducer<String, String> plain = producer(null);
        KafkaProducer<String, String> longOne = producers.get(2);
        longOne.beginTransaction();
        for (int round = 0; round < ROUNDS; round++) {
            List<List<Future<RecordMetadata>>> sent = List.of(new ArrayList<>(), new ArrayList<>());
            for (int i = 0; i < 2; i++) producers.get(i).beginTransaction();
            int messages = 1 + random.nextInt(10);
            for (int i = 0; i < messages; i++) {
                int which = random.nextInt(2);
                sent.get(which).add(send(producers.get(which)));
                if (random.nextInt(3) == 0) producers.get(which).flush();
                if (random.nextInt(4) == 0) print(List.of(send(plain)));
            }
            for (int i = 0; i < LONG / ROUNDS; i++) send(longOne);
            for (int i = 0; i < 2; i++) {
                producers.get(i).flush();
                if (random.nextBoolean()) {
                    producers.get(i).abortTransaction();
                } else {
                    producers.get(i).commitTransaction();
                    print(sent.get(i));
                }
            }
        }
        longOne.flush();
        longOne.abortTransaction();
        longOne.beginTransaction();
        List<Future<RecordMetadata>> last = List.of(send(longOne), send(longOne), send(longOne));
        longOne.commitTransaction();
        print(last);
        for (KafkaProducer<String, String> one : producers) one.close();
        plain.close();
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        new Transactions(in.readLine(), in.readLine(), Long.parseLong(in.readLine())).run();
    }
}
