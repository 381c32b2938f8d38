import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidMetadataException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/**
 * Kafka's own codec as a servant: reads commands from its input, answers each on its output.
 *
 * <ul>
 *   <li>'g' class version style seed: makes a message, answers its bytes and its JSON.
 *   <li>'e' class version bytes: reads the bytes as a message and answers what it writes for it.
 *   <li>'x': answers the error codes, one a line.
 * </ul>
 *
 * An answer is a byte (0 for success), bytes, and a text (JSON, or what went wrong). Both have an int32
 * length before them.
 */
public class RoundTrip {
    private static final byte[] NOTHING = new byte[0];

    public static void main(String[] arguments) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));
        while (true) {
            int command = in.read();
            if (command < 0) break;
            if (command == 'x') {
                answer(out, 0, NOTHING, errors());
                continue;
            }
            String name = in.readUTF();
            short version = in.readShort();
            if (command == 'g') {
                int style = in.readByte();
                long seed = in.readLong();
                generate(out, name, version, new Maker(style, seed));
            } else {
                byte[] bytes = new byte[in.readInt()];
                in.readFully(bytes);
                echo(out, name, version, bytes);
            }
        }
        out.flush();
    }

    private static void generate(DataOutputStream out, String name, short version, Maker maker)
            throws IOException {
        try {
            Message message = newMessage(name);
            Schema[] schemas = (Schema[]) message.getClass().getField("SCHEMAS").get(null);
            maker.fill(message, schemas[version], 0);
            answer(out, 0, write(message, version), json(message, version));
        } catch (ReflectiveOperationException | RuntimeException e) {
            answer(out, 1, NOTHING, describe(e));
        }
    }

    private static void echo(DataOutputStream out, String name, short version, byte[] bytes)
            throws IOException {
        try {
            Message message = newMessage(name);
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            message.read(new ByteBufferAccessor(buffer), version);
            if (buffer.hasRemaining()) {
                throw new IllegalStateException(buffer.remaining() + " bytes are left over");
            }
            answer(out, 0, write(message, version), "");
        } catch (ReflectiveOperationException | RuntimeException e) {
            answer(out, 1, NOTHING, describe(e));
        }
    }

    private static String errors() {
        StringBuilder text = new StringBuilder();
        for (Errors error : Errors.values()) {
            Exception e = error.exception();
            text.append(error.code()).append('\t').append(error.name());
            text.append('\t').append(e instanceof RetriableException);
            text.append('\t').append(e instanceof InvalidMetadataException);
            text.append('\t').append(recovery(e)).append('\n');
        }
        return text.toString();
    }

    /** The groups of KIP-1050; empty for an exception that is in none. */
    private static String recovery(Exception e) {
        if (e instanceof RetriableException) return "retry";
        // By name: Kafka 3.9 has no class for every group.
        if (isA(e, "TransactionAbortableException")) return "abort";
        if (isA(e, "ApplicationRecoverableException")) return "recreate";
        return isA(e, "InvalidConfigurationException") ? "fix-configuration" : "";
    }

    private static boolean isA(Object object, String className) {
        for (Class<?> type = object == null ? null : object.getClass(); type != null; type = type.getSuperclass()) {
            if (type.getSimpleName().equals(className)) return true;
        }
        return false;
    }

    private static Message newMessage(String name) throws ReflectiveOperationException {
        Class<?> type = Class.forName("org.apache.kafka.common.message." + name);
        return (Message) type.getConstructor().newInstance();
    }

    private static byte[] write(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) throw new IllegalStateException("not written to the end");
        return buffer.array();
    }

    private static String json(Message message, short version) throws ReflectiveOperationException {
        Class<?> type = message.getClass();
        Class<?> converter = Class.forName(type.getName() + "JsonConverter");
        Object node = converter.getMethod("write", type, short.class, boolean.class)
                .invoke(null, message, version, false);
        return ((JsonNode) node).toString();
    }

    private static String describe(Throwable error) {
        Throwable cause = error;
        while (cause.getCause() != null) cause = cause.getCause();
        return cause + " at " + cause.getStackTrace()[0];
    }

    private static void answer(DataOutputStream out, int status, byte[] bytes, String text)
            throws IOException {
        byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
        out.writeByte(status);
        out.writeInt(bytes.length);
        out.write(bytes);
        out.writeInt(encoded.length);
        out.write(encoded);
    }

    /** Fills messages with random values, field by field as their schema for a version has them. */
    private static final class Maker {
        private static final int EMPTY = 0;
        private static final int NULL = 1;
        private static final int EXTREME = 2;
        private static final int FIRST_UNKNOWN_TAG = 1000;
        private static final String[] TEXTS = {
            "", "a", "topic-1", "\u00e9t\u00e9", "\u20ac", "\ud83d\ude00\ud83d\ude00", "\0", "\"\\\n", "x".repeat(126),
            "x".repeat(127), "x".repeat(128), "\ud83d\ude80".repeat(60),
        };

        private static final Map<Class<?>, Map<String, Field>> MEMBERS = new HashMap<>();

        private final int style;
        private final Random random;

        Maker(int style, long seed) {
            this.style = style;
            // Random's first values are much alike for seeds that are close.
            this.random = new Random(seed * 0x9E3779B97F4A7C15L);
        }

        void fill(Object struct, Schema schema, int depth) throws ReflectiveOperationException {
            for (BoundField field : schema.fields()) {
                if (field.def.type instanceof TaggedFields tagged) {
                    for (var known : knownFields(tagged)) {
                        if (style == EXTREME || chance(2)) set(struct, known.name, known.type, depth);
                    }
                    if (struct instanceof Message message) addUnknown(message.unknownTaggedFields());
                } else {
                    set(struct, field.def.name, field.def.type, depth);
                }
            }
        }

        /** Kafka 3.9 has no accessor for them. */
        private static List<org.apache.kafka.common.protocol.types.Field> knownFields(TaggedFields tagged)
                throws ReflectiveOperationException {
            Field member = TaggedFields.class.getDeclaredField("fields");
            member.setAccessible(true);
            List<org.apache.kafka.common.protocol.types.Field> known = new ArrayList<>();
            for (Object field : ((Map<?, ?>) member.get(tagged)).values()) {
                known.add((org.apache.kafka.common.protocol.types.Field) field);
            }
            return known;
        }

        private void addUnknown(List<RawTaggedField> fields) {
            if (style == EMPTY || style == NULL || !chance(3)) return;
            int tag = FIRST_UNKNOWN_TAG;
            for (int left = 1 + random.nextInt(3); left > 0; left--) {
                tag += 1 + random.nextInt(100_000);
                fields.add(new RawTaggedField(tag, someBytes()));
            }
        }

        private void set(Object struct, String name, Type type, int depth)
                throws ReflectiveOperationException {
            Field member = membersOf(struct.getClass()).get(name);
            if (member == null) throw new NoSuchFieldException(struct.getClass() + " " + name);
            boolean isNull = type.isNullable() && (style == NULL || style > EXTREME && chance(4));
            member.set(struct, isNull ? null : value(member.getType(), member, type, depth));
        }

        private Object value(Class<?> javaType, Field member, Type type, int depth)
                throws ReflectiveOperationException {
            if (Collection.class.isAssignableFrom(javaType)) return collection(member, type, depth);
            if (javaType == boolean.class || javaType == Boolean.class) return style > NULL && chance(2);
            if (javaType == byte.class || javaType == Byte.class) return (byte) number(8);
            if (javaType == short.class || javaType == Short.class) return (short) number(16);
            if (javaType == int.class || javaType == Integer.class) {
                return type.toString().equals("UINT16") ? (int) number(16) & 0xffff : (int) number(32);
            }
            if (javaType == long.class || javaType == Long.class) {
                return type.toString().equals("UINT32") ? number(32) & 0xffffffffL : number(64);
            }
            if (javaType == double.class) return real();
            if (javaType == Uuid.class) {
                // Not Uuid.randomUuid(): a seed must give the same message again.
                return style > NULL && chance(2) ? new Uuid(random.nextLong(), random.nextLong()) : Uuid.ZERO_UUID;
            }
            if (javaType == String.class) return style <= NULL ? "" : TEXTS[random.nextInt(TEXTS.length)];
            if (javaType == byte[].class) return someBytes();
            if (javaType == ByteBuffer.class) return ByteBuffer.wrap(someBytes());
            if (type instanceof Schema schema) {
                Object struct = javaType.getConstructor().newInstance();
                fill(struct, schema, depth + 1);
                return struct;
            }
            // Records: their package is another one in Kafka 4.
            return Class.forName(javaType.getPackageName() + ".MemoryRecords")
                    .getMethod("readableRecords", ByteBuffer.class)
                    .invoke(null, ByteBuffer.wrap(someBytes()));
        }

        @SuppressWarnings("unchecked")
        private Object collection(Field member, Type type, int depth) throws ReflectiveOperationException {
            Class<?> javaType = member.getType();
            boolean isList = javaType.isInterface();
            Collection<Object> collection = isList
                    ? new ArrayList<>()
                    : (Collection<Object>) javaType.getConstructor().newInstance();
            var generic = isList ? member.getGenericType() : javaType.getGenericSuperclass();
            Class<?> element = (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
            int count = random.nextInt(depth < 2 ? 4 : 3);
            if (style <= EXTREME) count = style == EMPTY ? 0 : 1;
            for (; count > 0; count--) {
                collection.add(value(element, member, type.arrayElementType().get(), depth + 1));
            }
            return collection;
        }

        private long number(int bits) {
            if (style <= NULL) return 0;
            long max = -1L >>> (65 - bits);
            switch (style == EXTREME ? random.nextInt(2) : random.nextInt(6)) {
                case 0: return max;
                case 1: return -max - 1;
                case 2: return -1;
                case 3: return random.nextInt(200) - 100;
                default: return random.nextLong();
            }
        }

        private double real() {
            double[] extremes = {Double.MAX_VALUE, Double.MIN_VALUE, -0.0, 0, -Double.MAX_VALUE};
            if (style <= NULL) return 0;
            return style == EXTREME || chance(3) ? extremes[random.nextInt(5)] : random.nextGaussian();
        }

        private byte[] someBytes() {
            int[] lengths = {0, 1, 7, 126, 127, 128, 300, 5000};
            // 5000 is past the size from which our writer keeps bytes by reference.
            byte[] bytes = new byte[style <= NULL ? 0 : lengths[random.nextInt(chance(8) ? 8 : 7)]];
            random.nextBytes(bytes);
            return bytes;
        }

        private boolean chance(int oneIn) {
            return random.nextInt(oneIn) == 0;
        }

        /** The members of a generated class by the snake_case names that its schema has. */
        private static Map<String, Field> membersOf(Class<?> type) {
            return MEMBERS.computeIfAbsent(type, key -> {
                Map<String, Field> found = new HashMap<>();
                for (Field field : key.getDeclaredFields()) {
                    if (Modifier.isStatic(field.getModifiers())) continue;
                    field.setAccessible(true);
                    found.put(snakeCase(field.getName()), field);
                }
                return found;
            });
        }

        private static String snakeCase(String name) {
            StringBuilder text = new StringBuilder();
            boolean wasUpper = true;
            for (char c : name.toCharArray()) {
                boolean isUpper = Character.isUpperCase(c);
                if (isUpper && !wasUpper) text.append('_');
                text.append(Character.toLowerCase(c));
                wasUpper = isUpper;
            }
            return text.toString();
        }
    }
}
