import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import org.apache.kafka.common.utils.Utils;

/** Reads keys, each with its size before it, and writes their murmur2 hashes as Kafka's client has them. */
public class Murmur2 {
    public static void main(String[] args) throws Exception {
        var in = new DataInputStream(new BufferedInputStream(System.in));
        var out = new DataOutputStream(new BufferedOutputStream(System.out));
        while (true) {
            int size;
            try {
                size = in.readInt();
            } catch (EOFException end) {
                break;
            }
            out.writeInt(Utils.murmur2(in.readNBytes(size)));
        }
        out.flush();
    }
}
