package samsa.storm;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.storm.multilang.BoltMsg;
import org.apache.storm.multilang.ISerializer;
import org.apache.storm.multilang.NoOutputException;
import org.apache.storm.multilang.ShellMsg;
import org.apache.storm.multilang.SpoutMsg;
import org.apache.storm.task.TopologyContext;

/** Storm's multilang messages as MessagePack, one after the other: bytes are sent unchanged. */
public class MsgpackSerializer implements ISerializer {
    private static final long serialVersionUID = 1L;
    private static final int LONGEST = 1 << 28;
    private transient DataOutputStream out;
    private transient DataInputStream in;

    @Override
    public void initialize(OutputStream processIn, InputStream processOut) {
        out = new DataOutputStream(new BufferedOutputStream(processIn));
        in = new DataInputStream(new BufferedInputStream(processOut));
    }

    @Override
    public Number connect(Map<String, Object> conf, TopologyContext context) throws IOException, NoOutputException {
        Map<String, Object> setup = new HashMap<>();
        setup.put("pidDir", context.getPIDDir());
        setup.put("conf", conf);
        // The context writes itself as JSON only.
        setup.put("context", context.toJSONString());
        send(setup);
        return (Number) receive().get("pid");
    }

    @Override
    public void writeBoltMsg(BoltMsg message) throws IOException {
        Map<String, Object> map = new HashMap<>();
        map.put("id", message.getId());
        map.put("comp", message.getComp());
        map.put("stream", message.getStream());
        map.put("task", message.getTask());
        map.put("tuple", message.getTuple());
        send(map);
    }

    @Override
    public void writeSpoutMsg(SpoutMsg message) throws IOException {
        Map<String, Object> map = new HashMap<>();
        map.put("command", message.getCommand());
        map.put("id", message.getId());
        send(map);
    }

    @Override
    public void writeTaskIds(List<Integer> taskIds) throws IOException {
        send(taskIds);
    }

    @Override
    public ShellMsg readShellMsg() throws IOException, NoOutputException {
        return ShellMessages.of(receive());
    }

    private void send(Object value) throws IOException {
        pack(value);
        out.flush();
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> receive() throws IOException, NoOutputException {
        try {
            return (Map<String, Object>) unpack();
        } catch (EOFException e) {
            throw new NoOutputException("The component's process has ended, or closed its standard output");
        }
    }

    private void pack(Object value) throws IOException {
        if (value == null) {
            out.writeByte(0xc0);
        } else if (value instanceof Boolean) {
            out.writeByte((Boolean) value ? 0xc3 : 0xc2);
        } else if (value instanceof Float || value instanceof Double) {
            out.writeByte(0xcb);
            out.writeDouble(((Number) value).doubleValue());
        } else if (value instanceof Number) {
            packLong(((Number) value).longValue());
        } else if (value instanceof byte[]) {
            packBytes((byte[]) value);
        } else if (value instanceof ByteBuffer) {
            ByteBuffer buffer = ((ByteBuffer) value).duplicate();
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            packBytes(bytes);
        } else if (value instanceof Collection) {
            Collection<?> list = (Collection<?>) value;
            packHead(list.size(), 0x90, 16, -1, 0xdc);
            for (Object element : list) {
                pack(element);
            }
        } else if (value instanceof Map) {
            Map<?, ?> map = (Map<?, ?>) value;
            packHead(map.size(), 0x80, 16, -1, 0xde);
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                pack(String.valueOf(entry.getKey()));
                pack(entry.getValue());
            }
        } else {
            byte[] text = value.toString().getBytes(StandardCharsets.UTF_8);
            packHead(text.length, 0xa0, 32, 0xd9, 0xda);
            out.write(text);
        }
    }

    private void packLong(long value) throws IOException {
        if (value >= -32 && value < 128) {
            out.writeByte((int) value);
        } else if (value == (int) value) {
            out.writeByte(0xd2);
            out.writeInt((int) value);
        } else {
            out.writeByte(0xd3);
            out.writeLong(value);
        }
    }

    private void packBytes(byte[] bytes) throws IOException {
        packHead(bytes.length, 0, 0, 0xc4, 0xc5);
        out.write(bytes);
    }

    /** Writes the head of a value in its shortest form: in the type, in 8 bits where there is such a form, in 16, or in 32. */
    private void packHead(int size, int fix, int fixSizes, int by8, int by16) throws IOException {
        if (size < fixSizes) {
            out.writeByte(fix | size);
        } else if (by8 >= 0 && size < 256) {
            out.writeByte(by8);
            out.writeByte(size);
        } else if (size < 65536) {
            out.writeByte(by16);
            out.writeShort(size);
        } else {
            out.writeByte(by16 + 1);
            out.writeInt(size);
        }
    }

    private Object unpack() throws IOException {
        int type = in.readUnsignedByte();
        if (type < 0x80 || type >= 0xe0) {
            return (long) (byte) type;
        } else if (type < 0x90) {
            return map(type & 0x0f);
        } else if (type < 0xa0) {
            return list(type & 0x0f);
        } else if (type < 0xc0) {
            return text(type & 0x1f);
        }
        switch (type) {
            case 0xc0: return null;
            case 0xc2: return false;
            case 0xc3: return true;
            case 0xc4: return bytes(in.readUnsignedByte());
            case 0xc5: return bytes(in.readUnsignedShort());
            case 0xc6: return bytes(in.readInt());
            case 0xca: return (double) in.readFloat();
            case 0xcb: return in.readDouble();
            case 0xcc: return (long) in.readUnsignedByte();
            case 0xcd: return (long) in.readUnsignedShort();
            case 0xce: return in.readInt() & 0xffffffffL;
            case 0xcf: return in.readLong();
            case 0xd0: return (long) in.readByte();
            case 0xd1: return (long) in.readShort();
            case 0xd2: return (long) in.readInt();
            case 0xd3: return in.readLong();
            case 0xd9: return text(in.readUnsignedByte());
            case 0xda: return text(in.readUnsignedShort());
            case 0xdb: return text(in.readInt());
            case 0xdc: return list(in.readUnsignedShort());
            case 0xdd: return list(in.readInt());
            case 0xde: return map(in.readUnsignedShort());
            case 0xdf: return map(in.readInt());
            default: throw new IOException("The component has sent an invalid message: byte " + type);
        }
    }

    private byte[] bytes(int length) throws IOException {
        byte[] bytes = new byte[checked(length)];
        in.readFully(bytes);
        return bytes;
    }

    private String text(int length) throws IOException {
        return new String(bytes(length), StandardCharsets.UTF_8);
    }

    private List<Object> list(int size) throws IOException {
        List<Object> list = new ArrayList<>();
        for (int left = checked(size); left > 0; left--) {
            list.add(unpack());
        }
        return list;
    }

    private Map<String, Object> map(int size) throws IOException {
        Map<String, Object> map = new HashMap<>();
        for (int left = checked(size); left > 0; left--) {
            map.put(String.valueOf(unpack()), unpack());
        }
        return map;
    }

    private static int checked(int size) throws IOException {
        if (size < 0 || size > LONGEST) {
            throw new IOException("The component has sent an invalid message: a length of " + size);
        }
        return size;
    }
}
