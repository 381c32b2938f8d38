import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;

/**
 * Kafka's own record classes as a servant: reads commands from its input, answers each on its output.
 *
 * <ul>
 *   <li>'w' batches: writes these batches, and answers their bytes and how it reads them itself.
 *   <li>'r' bytes: answers how it reads these bytes, every checksum checked.
 * </ul>
 *
 * An answer is a byte (0 for success), bytes, and a text (what was read, or what went wrong). Both have an
 * int32 length before them. The packages are those of Kafka 4.4: with an older one, remove "internal" and
 * "internals" from their names.
 */
public class Records {
    private static final byte[] NOTHING = new byte[0];

    public static void main(String[] arguments) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));
        while (true) {
            int command = in.read();
            if (command < 0) break;
            ByteBuffer argument = ByteBuffer.wrap(bytes(in));
            try {
                byte[] written = command == 'w' ? write(argument) : NOTHING;
                answer(out, 0, written, read(command == 'w' ? ByteBuffer.wrap(written) : argument));
            } catch (RuntimeException e) {
                answer(out, 1, NOTHING, e + " at " + e.getStackTrace()[0]);
            }
        }
        out.flush();
    }

    private static byte[] write(ByteBuffer in) {
        ByteBufferOutputStream out = new ByteBufferOutputStream(1 << 20);
        for (int batches = in.getInt(); batches > 0; batches--) writeBatch(in, out);
        ByteBuffer buffer = out.buffer();
        buffer.flip();
        byte[] written = new byte[buffer.remaining()];
        buffer.get(written);
        return written;
    }

    private static void writeBatch(ByteBuffer in, ByteBufferOutputStream all) {
        byte magic = in.get();
        Compression compression = Compression.of(CompressionType.forId(in.get())).build();
        TimestampType type = TimestampType.forName(text(in));
        long baseOffset = in.getLong();
        long lastOffset = in.getLong();
        long logAppendTime = in.getLong();
        long producerId = in.getLong();
        short producerEpoch = in.getShort();
        int baseSequence = in.getInt();
        boolean isTransactional = in.get() != 0;
        boolean isControl = in.get() != 0;
        int leaderEpoch = in.getInt();
        long deleteHorizon = in.getLong();
        int count = in.getInt();
        if (count == 0) {
            ByteBuffer header = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
            DefaultRecordBatch.writeEmptyHeader(header, magic, producerId, producerEpoch, baseSequence, baseOffset,
                    lastOffset, leaderEpoch, type, logAppendTime, isTransactional, isControl);
            all.write(header.array(), 0, header.capacity());
            return;
        }
        ByteBufferOutputStream out = new ByteBufferOutputStream(512);
        boolean isAppendTime = type == TimestampType.LOG_APPEND_TIME;
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(out, magic, compression,
                isAppendTime ? TimestampType.CREATE_TIME : type, baseOffset, RecordBatch.NO_TIMESTAMP,
                producerId, producerEpoch, baseSequence, isTransactional, isControl, leaderEpoch,
                Integer.MAX_VALUE, deleteHorizon);
        for (; count > 0; count--) {
            long offset = in.getLong();
            long timestamp = in.getLong();
            byte[] key = bytes(in);
            byte[] value = bytes(in);
            Header[] headers = new Header[in.getInt()];
            for (int i = 0; i < headers.length; i++) headers[i] = new RecordHeader(text(in), bytes(in));
            if (isControl) builder.appendControlRecordWithOffset(offset, new SimpleRecord(timestamp, key, value));
            else builder.appendWithOffset(offset, timestamp, key, value, headers);
        }
        builder.overrideLastOffset(lastOffset);
        MemoryRecords records = builder.build();
        // As a broker does it, which leaves compressed records what the producer wrote.
        if (isAppendTime) for (MutableRecordBatch batch : records.batches()) batch.setMaxTimestamp(type, logAppendTime);
        ByteBuffer built = records.buffer();
        byte[] written = new byte[built.remaining()];
        built.get(written);
        all.write(written, 0, written.length);
    }

    /** A line a record, and before those of a batch v2 one for the batch. */
    private static String read(ByteBuffer buffer) {
        StringBuilder text = new StringBuilder();
        MemoryRecords records = MemoryRecords.readableRecords(buffer);
        for (RecordBatch batch : records.batches()) {
            batch.ensureValid();
            String kind = "v" + batch.magic() + " " + name(batch) + " " + batch.timestampType();
            if (batch.magic() == 2) {
                text.append(kind).append(" from ").append(batch.baseOffset());
                text.append(" to ").append(batch.lastOffset());
                text.append(" by ").append(batch.producerId()).append(' ').append(batch.producerEpoch());
                text.append(' ').append(batch.baseSequence()).append(" in ").append(batch.partitionLeaderEpoch());
                if (batch.isTransactional()) text.append(" transactional");
                if (batch.isControlBatch()) text.append(" control");
                text.append(" with ").append(batch.countOrNull()).append('\n');
            }
            for (Record record : batch) {
                record.ensureValid();
                text.append(kind).append(" at ").append(record.offset()).append(' ').append(record.timestamp());
                text.append(' ').append(hex(record.key())).append(" = ").append(hex(record.value()));
                for (Header header : record.headers()) {
                    byte[] value = header.value();
                    text.append(", ").append(hex(ByteBuffer.wrap(header.key().getBytes(StandardCharsets.UTF_8))));
                    text.append(" = ").append(hex(value == null ? null : ByteBuffer.wrap(value)));
                }
                text.append('\n');
            }
        }
        if (records.validBytes() != records.sizeInBytes()) text.append("and bytes that are no batch\n");
        return text.toString();
    }

    private static String name(RecordBatch batch) {
        return batch.compressionType().name().toLowerCase(Locale.ROOT);
    }

    private static String hex(ByteBuffer data) {
        if (data == null) return "null";
        byte[] bytes = new byte[data.remaining()];
        data.get(bytes);
        return "'" + HexFormat.of().formatHex(bytes) + "'";
    }

    private static byte[] bytes(ByteBuffer in) {
        int length = in.getInt();
        if (length < 0) return null;
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static byte[] bytes(DataInputStream in) throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return bytes;
    }

    private static String text(ByteBuffer in) {
        return new String(bytes(in), StandardCharsets.UTF_8);
    }

    private static void answer(DataOutputStream out, int status, byte[] bytes, String text) throws IOException {
        byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
        out.writeByte(status);
        out.writeInt(bytes.length);
        out.write(bytes);
        out.writeInt(encoded.length);
        out.write(encoded);
    }
}
