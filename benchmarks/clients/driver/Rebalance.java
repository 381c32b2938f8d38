import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Members of a group, a thread for each, that join while others are there: rebalance.js for the Java client.
 *
 *     Rebalance BROKERS TOPIC GROUP PARTITIONS BEFORE MEMBERS QUIET_MS [PROPERTY=VALUE …]
 *
 * Prints the time until all have their part, and the CPU of the whole process in that time.
 */
public class Rebalance {
    private static final long TICK_MS = 10;
    private static final long SHARE_MS = 60_000;

    private final Properties properties = new Properties();
    private final String topic;
    private final int partitions;
    private final List<Set<Integer>> owned = new ArrayList<>();
    private final List<KafkaConsumer<byte[], byte[]>> consumers = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    private Rebalance(String topic, int partitions) {
        this.topic = topic;
        this.partitions = partitions;
    }

    public static void main(String[] arguments) throws Exception {
        Rebalance group = new Rebalance(arguments[1], Integer.parseInt(arguments[3]));
        group.properties.put("bootstrap.servers", arguments[0]);
        group.properties.put("group.id", arguments[2]);
        for (int i = 7; i < arguments.length; i++) {
            String[] pair = arguments[i].split("=", 2);
            group.properties.put(pair[0], pair[1]);
        }
        int before = Integer.parseInt(arguments[4]);
        int members = Integer.parseInt(arguments[5]);
        if (before > 0) {
            group.add(before);
            group.waitUntilShared();
        }
        Thread.sleep(Long.parseLong(arguments[6]));
        long[] ticks = ticks();
        long startedAt = System.nanoTime();
        group.add(members - before);
        group.waitUntilShared();
        double elapsedMs = (System.nanoTime() - startedAt) / 1e6;
        long[] after = ticks();
        System.out.printf("SHARED %.3f USER %d SYSTEM %d%n",
            elapsedMs, (after[0] - ticks[0]) * TICK_MS, (after[1] - ticks[1]) * TICK_MS);
        group.close();
    }

    private void add(int count) {
        for (int i = 0; i < count; i++) {
            Set<Integer> own = new HashSet<>();
            synchronized (this) {
                owned.add(own);
            }
            Thread thread = new Thread(() -> run(own));
            threads.add(thread);
            thread.start();
        }
    }

    /** The client is created in its thread, as the time of the other drivers includes it. */
    private void run(Set<Integer> own) {
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            synchronized (this) {
                consumers.add(consumer);
            }
            consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
                    change(() -> assigned.forEach(one -> own.add(one.partition())));
                }

                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
                    change(() -> revoked.forEach(one -> own.remove(one.partition())));
                }
            });
            while (true) consumer.poll(Duration.ofSeconds(1));
        } catch (WakeupException closed) {
            // The measurement is over.
        }
    }

    private synchronized void change(Runnable does) {
        does.run();
        notifyAll();
    }

    private synchronized void waitUntilShared() throws InterruptedException {
        long endsAt = System.nanoTime() + SHARE_MS * 1_000_000;
        while (!isShared()) {
            long leftMs = (endsAt - System.nanoTime()) / 1_000_000;
            if (leftMs <= 0) throw new IllegalStateException("never shared evenly: " + owned);
            wait(leftMs);
        }
    }

    private boolean isShared() {
        int least = partitions / owned.size();
        Set<Integer> all = new HashSet<>();
        int count = 0;
        for (Set<Integer> own : owned) {
            if (own.size() != least && own.size() != least + 1) return false;
            all.addAll(own);
            count += own.size();
        }
        return count == partitions && all.size() == partitions;
    }

    private void close() throws InterruptedException {
        synchronized (this) {
            for (KafkaConsumer<byte[], byte[]> consumer : consumers) consumer.wakeup();
        }
        for (Thread thread : threads) thread.join(10_000);
    }

    private static long[] ticks() throws Exception {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return new long[] {Long.parseLong(fields[11]), Long.parseLong(fields[12])};
    }
}
