import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.apache.storm.multilang.BoltMsg;
import org.apache.storm.multilang.ISerializer;
import org.apache.storm.multilang.NoOutputException;
import org.apache.storm.multilang.ShellMsg;
import org.apache.storm.multilang.SpoutMsg;

/**
 * Compares samsa's JSON serializer with Storm's: CompareSerializers SEED. What one of them writes, the other one reads,
 * and both read the same from a component. Prints `same` and the number of comparisons.
 */
public class CompareSerializers {
    private static final String[] STRINGS = {
        "", "word", "a \"quoted\" \\ word", "line\nbreak\r\t\b\f\u0001\u007f", "\nend\n", "end", "ß雪😀", "/", "x".repeat(70_000),
        "é".repeat(5_000), "x".repeat(4_095) + "😀x",
    };
    private static int compared;

    public static void main(String[] arguments) throws Exception {
        Random random = new Random(Long.parseLong(arguments[0]));
        List<ShellMsg> expected = new ArrayList<>();
        ByteArrayOutputStream sent = new ByteArrayOutputStream();
        for (int round = 0; round < 400; round++) {
            List<Object> tuple = values(random, 0);
            checkTuple(tuple);
            String message = "{\"command\":\"emit\",\"id\":" + json(scalar(random)) + ",\"stream\":\"s" + round
                + "\",\"need_task_ids\":" + random.nextBoolean() + ",\"task\":" + ((1L << 32) + round)
                + ",\"anchors\":[\"1\",\"-22\"],\"tuple\":" + json(tuple) + "}";
            sent.write((message + (round % 3 == 0 ? "\r\nend\r\n" : "\nend\n")).getBytes(StandardCharsets.UTF_8));
        }
        for (String message : List.of(
            "{\"command\":\"log\",\"msg\":\"\\u96ea\\/\\ud83d\\ude00\\n\",\"level\":3}",
            "{\"command\":\"metrics\",\"name\":\"m\",\"params\":{\"a\":[1,2.5e3,-0.0,12345678901234567890]}}",
            "{ \"command\" : \"ack\" ,\n\n \"id\" : \"-9223372036854775808\" }",
            "{\"command\":\"emit\",\"tuple\":[2147483648,-2147483649,-9223372036854775808,[],{}],\"anchors\":\"7\"}")) {
            sent.write((message + "\nend\n").getBytes(StandardCharsets.UTF_8));
        }
        byte[] bytes = sent.toByteArray();
        ISerializer storms = new org.apache.storm.multilang.JsonSerializer();
        storms.initialize(OutputStream.nullOutputStream(), new ByteArrayInputStream(bytes));
        ISerializer ours = new samsa.storm.JsonSerializer();
        ours.initialize(OutputStream.nullOutputStream(), new Pieces(bytes, random));
        for (int message = 0; message < 404; message++) {
            same(textOf(storms.readShellMsg()), textOf(ours.readShellMsg()));
        }
        try {
            ours.readShellMsg();
            throw new AssertionError("reads more than there is");
        } catch (NoOutputException e) {
            same(true, e.getMessage().contains("has ended"));
        }
        checkInvalid("this is no message\nend\n", "this is no message");
        checkInvalid("[1]\nend\n", "[1]");
        checkInvalid("{\"command\":\"emit\"\nend\n", "emit");
        checkEnded();
        System.out.println("same " + compared);
    }

    /** What samsa's writes for a tuple, Storm's parser reads as Storm's own text for it. */
    private static void checkTuple(List<Object> tuple) throws Exception {
        BoltMsg message = new BoltMsg();
        message.setId("-42");
        message.setComp("component");
        message.setStream("stream");
        message.setTask(7);
        message.setTuple(tuple);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ISerializer storms = new org.apache.storm.multilang.JsonSerializer();
        storms.initialize(bytes, InputStream.nullInputStream());
        storms.writeBoltMsg(message);
        SpoutMsg ack = new SpoutMsg();
        ack.setCommand("next");
        PipedInputStream pipe = new PipedInputStream(1 << 20);
        ISerializer ours = new samsa.storm.JsonSerializer();
        ours.initialize(new PipedOutputStream(pipe), InputStream.nullInputStream());
        ours.writeBoltMsg(message);
        ours.writeSpoutMsg(ack);
        same(parsed(readText(bytes.toByteArray())), parsed(readText(pipe)));
        same("{\"command\":\"next\",\"id\":null}", readText(pipe));
    }

    private static void checkInvalid(String text, String named) throws Exception {
        ISerializer ours = new samsa.storm.JsonSerializer();
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        ours.initialize(OutputStream.nullOutputStream(), new ByteArrayInputStream(bytes));
        try {
            ours.readShellMsg();
            throw new AssertionError("reads " + text);
        } catch (IOException e) {
            same(true, e.getMessage().contains(named));
        }
    }

    /** Writing to a component that has ended throws. */
    private static void checkEnded() throws Exception {
        ISerializer ours = new samsa.storm.JsonSerializer();
        PipedInputStream pipe = new PipedInputStream();
        ours.initialize(new PipedOutputStream(pipe), InputStream.nullInputStream());
        pipe.close();
        try {
            while (true) {
                ours.writeTaskIds(List.of(1));
            }
        } catch (IOException e) {
            same(true, e.getMessage().contains("closed"));
        }
    }

    private static List<Object> values(Random random, int depth) {
        List<Object> values = new ArrayList<>();
        for (int left = random.nextInt(5); left > 0; left--) {
            int kind = depth < 3 ? random.nextInt(5) : 4;
            if (kind == 0) {
                values.add(values(random, depth + 1));
            } else if (kind == 1) {
                Map<String, Object> map = new HashMap<>();
                map.put(STRINGS[random.nextInt(8)], values(random, depth + 1));
                values.add(map);
            } else if (kind == 2 && depth == 0) {
                // Only Storm's serializer knows what to do with it.
                values.add(new int[] {1, -1});
            } else {
                values.add(scalar(random));
            }
        }
        return values;
    }

    private static Object scalar(Random random) {
        switch (random.nextInt(7)) {
            case 0: return random.nextInt();
            case 1: return random.nextLong();
            case 2: return random.nextGaussian();
            case 3: return random.nextBoolean();
            case 4: return random.nextInt(100);
            case 5: return null;
            default: return STRINGS[random.nextInt(STRINGS.length)];
        }
    }

    /** The JSON that Storm's serializer writes for a value. */
    private static String json(Object value) throws Exception {
        BoltMsg message = new BoltMsg();
        message.setTuple(Arrays.asList(value));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ISerializer storms = new org.apache.storm.multilang.JsonSerializer();
        storms.initialize(bytes, InputStream.nullInputStream());
        storms.writeBoltMsg(message);
        String text = readText(bytes.toByteArray());
        String key = "\"tuple\":[";
        int from = text.indexOf(key) + key.length();
        int to = text.lastIndexOf(']');
        return text.substring(from, to);
    }

    private static String readText(byte[] bytes) throws IOException {
        return readText(new ByteArrayInputStream(bytes));
    }

    private static String readText(InputStream in) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        int matched = 0;
        String end = "\nend\n";
        while (matched < end.length()) {
            int one = in.read();
            text.write(one);
            matched = one == end.charAt(matched) ? matched + 1 : one == '\n' ? 1 : 0;
        }
        String whole = text.toString(StandardCharsets.UTF_8);
        return whole.substring(0, whole.length() - end.length());
    }

    private static Object parsed(String text) {
        return org.apache.storm.shade.net.minidev.json.JSONValue.parse(text);
    }

    private static String textOf(ShellMsg message) {
        List<Object> all = new ArrayList<>();
        all.addAll(Arrays.asList(message.getCommand(), message.getId(), message.getStream(), message.getTask()));
        all.addAll(Arrays.asList(message.getMsg(), message.getTuple(), message.getAnchors()));
        all.addAll(Arrays.asList(message.getMetricName(), message.getMetricParams(), message.areTaskIdsNeeded()));
        return typed(all) + message.getLogLevel();
    }

    /** With the classes of numbers: fields groupings and Java components depend on them. */
    private static String typed(Object value) {
        if (value instanceof List) {
            StringBuilder text = new StringBuilder("[");
            ((List<?>) value).forEach(one -> text.append(typed(one)).append(','));
            return text + "]";
        }
        if (value instanceof Map) {
            StringBuilder text = new StringBuilder("{");
            ((Map<?, ?>) value).forEach((key, one) -> text.append(key).append(':').append(typed(one)).append(','));
            return text + "}";
        }
        // Storm's reads fractions of many digits as BigDecimal since 2.6.0, before as Double.
        if (value instanceof BigDecimal) {
            return typed(((BigDecimal) value).doubleValue());
        }
        return value instanceof Number ? value.getClass().getSimpleName() + value : String.valueOf(value);
    }

    private static void same(Object expected, Object actual) {
        compared++;
        if (!Objects.equals(expected, actual)) {
            String one = String.valueOf(expected);
            String other = String.valueOf(actual);
            int at = Arrays.mismatch(one.getBytes(StandardCharsets.UTF_16BE), other.getBytes(StandardCharsets.UTF_16BE)) / 2;
            throw new AssertionError("expected " + around(one, at) + " but got " + around(other, at));
        }
    }

    private static String around(String text, int at) {
        return text.substring(Math.max(0, at - 80), Math.min(text.length(), at + 80));
    }

    /** Reads return as much as a pipe might have. */
    private static final class Pieces extends FilterInputStream {
        private final Random random;

        Pieces(byte[] bytes, Random random) {
            super(new ByteArrayInputStream(bytes));
            this.random = random;
        }

        @Override
        public int read(byte[] to, int from, int length) throws IOException {
            return super.read(to, from, Math.min(length, 1 + random.nextInt(random.nextBoolean() ? 20 : 20_000)));
        }
    }
}
