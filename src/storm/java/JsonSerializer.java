package samsa.storm;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.storm.multilang.BoltMsg;
import org.apache.storm.multilang.ISerializer;
import org.apache.storm.multilang.NoOutputException;
import org.apache.storm.multilang.ShellMsg;
import org.apache.storm.multilang.SpoutMsg;
import org.apache.storm.task.TopologyContext;

/**
 * Storm's default multilang protocol, JSON with a line `end` after each message, which costs the JVM less than
 * Storm's own serializer: it parses bytes, and writes many messages at once. Components of any language can use it.
 */
public class JsonSerializer implements ISerializer {
    private static final long serialVersionUID = 1L;
    private static final int CHUNK_BYTES = 1 << 16;

    private transient PipeOutput out;
    private transient InputStream in;
    private transient JsonWriter json;
    private transient boolean isSpout;
    private transient byte[] buffer;
    /** The first byte that is not parsed, and the end of what is read. */
    private transient int start;
    private transient int end;

    @Override
    public void initialize(OutputStream processIn, InputStream processOut) {
        out = new PipeOutput(processIn);
        in = processOut;
        json = new JsonWriter();
        buffer = new byte[CHUNK_BYTES];
    }

    @Override
    public Number connect(Map<String, Object> conf, TopologyContext context) throws IOException, NoOutputException {
        json.raw("{\"pidDir\":").value(context.getPIDDir());
        json.raw(",\"conf\":");
        if (!json.value(conf)) {
            throw new IOException("The topology's configuration has a value that JSON cannot represent: " + conf);
        }
        write(json.raw(",\"context\":"));
        out.write((context.toJSONString() + "}\nend\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
        return (Number) receive().get("pid");
    }

    @Override
    public void writeBoltMsg(BoltMsg message) throws IOException {
        json.raw("{\"id\":").value(message.getId());
        json.raw(",\"comp\":").value(message.getComp());
        json.raw(",\"stream\":").value(message.getStream());
        json.raw(",\"task\":").value(message.getTask());
        json.raw(",\"tuple\":");
        if (json.value(message.getTuple())) {
            write(json.raw("}\nend\n"));
        } else {
            json.clear();
            out.write(byStorm(message));
        }
        out.flushSoon();
    }

    /**
     * Storm waits for the response to each command. If the component has sent responses in advance, several acks are
     * written together: with the next other command, or before this waits.
     */
    @Override
    public void writeSpoutMsg(SpoutMsg message) throws IOException {
        isSpout = true;
        String command = message.getCommand();
        json.raw("{\"command\":").value(command);
        json.raw(",\"id\":").value(message.getId());
        write(json.raw("}\nend\n"));
        if (!"ack".equals(command)) {
            out.flush();
        }
    }

    @Override
    public void writeTaskIds(List<Integer> taskIds) throws IOException {
        json.value(taskIds);
        write(json.raw("\nend\n"));
        out.flushSoon();
    }

    @Override
    public ShellMsg readShellMsg() throws IOException, NoOutputException {
        return ShellMessages.of(receive());
    }

    private void write(JsonWriter written) throws IOException {
        out.write(written.bytes, 0, written.size);
        written.clear();
    }

    /** Java components may emit any object: Storm's own serializer decides how to represent it. */
    private static byte[] byStorm(BoltMsg message) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ISerializer storms = new org.apache.storm.multilang.JsonSerializer();
        storms.initialize(bytes, new ByteArrayInputStream(new byte[0]));
        storms.writeBoltMsg(message);
        return bytes.toByteArray();
    }

    /** The next message: the lines before a line `end`. */
    @SuppressWarnings("unchecked")
    private Map<String, Object> receive() throws IOException, NoOutputException {
        int line = start;
        int at = start;
        while (true) {
            for (; at < end; at++) {
                if (buffer[at] != '\n') {
                    continue;
                }
                if (isEnd(line, at)) {
                    int first = start;
                    start = at + 1;
                    Object message = JsonParser.parse(buffer, first, line);
                    if (message instanceof Map) {
                        return (Map<String, Object>) message;
                    }
                    throw new IOException("The component has sent an invalid message: " + text(first, line));
                }
                line = at + 1;
            }
            int moved = start;
            readMore();
            at -= moved - start;
            line -= moved - start;
        }
    }

    private boolean isEnd(int from, int to) {
        int length = to > from && buffer[to - 1] == '\r' ? to - 1 - from : to - from;
        return length == 3 && buffer[from] == 'e' && buffer[from + 1] == 'n' && buffer[from + 2] == 'd';
    }

    private void readMore() throws IOException, NoOutputException {
        if (isSpout) {
            out.flush();
        }
        if (end == buffer.length) {
            int length = end - start;
            // Moving the rest is cheap if it is small.
            byte[] into = length > buffer.length / 2 ? new byte[2 * buffer.length] : buffer;
            System.arraycopy(buffer, start, into, 0, length);
            buffer = into;
            start = 0;
            end = length;
        } else if (start == end) {
            start = 0;
            end = 0;
        }
        int count = in.read(buffer, end, buffer.length - end);
        if (count < 0) {
            throw new NoOutputException("The component's process has ended, or closed its standard output"
                + (start == end ? "" : ", within this message: " + text(start, end)));
        }
        end += count;
    }

    private String text(int from, int to) {
        return new String(Arrays.copyOfRange(buffer, from, to), StandardCharsets.UTF_8);
    }
}
