import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command line tools one after the other in one JVM. A line of the input has the class, its standard
 * input and its arguments, each in base64; a line of the output has the exit code, standard output and standard error.
 */
public class KafkaTools {
  private static final class Ended extends RuntimeException {}

  /** What the tool exits with: the first code, as some catch what ends them here and exit again. */
  private static Integer exitCode;

  private static void end(int code) {
    if (exitCode == null) exitCode = code;
    throw new Ended();
  }

  /** Scala's Console keeps the stream that it finds first: only what is behind it may change. */
  private static final class Switch extends OutputStream {
    OutputStream target = OutputStream.nullOutputStream();

    @Override
    public void write(int b) throws IOException {
      target.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      target.write(bytes, offset, length);
    }

    @Override
    public void flush() throws IOException {
      target.flush();
    }
  }

  private static final class SwitchedInput extends InputStream {
    InputStream source = InputStream.nullInputStream();

    @Override
    public int read() throws IOException {
      return source.read();
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      return source.read(bytes, offset, length);
    }
  }

  public static void main(String[] args) throws Exception {
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in));
    PrintStream answers = System.out;
    Switch out = new Switch();
    Switch err = new Switch();
    SwitchedInput in = new SwitchedInput();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    System.setIn(in);
    Exit.setExitProcedure((code, message) -> end(code));
    Exit.setHaltProcedure((code, message) -> end(code));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      List<String> fields = new ArrayList<>();
      for (String field : line.split(" ", -1)) {
        fields.add(new String(Base64.getDecoder().decode(field), StandardCharsets.UTF_8));
      }
      ByteArrayOutputStream stdout = new ByteArrayOutputStream();
      ByteArrayOutputStream stderr = new ByteArrayOutputStream();
      out.target = stdout;
      err.target = stderr;
      in.source = new ByteArrayInputStream(fields.get(1).getBytes(StandardCharsets.UTF_8));
      int code = run(fields.get(0), fields.subList(2, fields.size()).toArray(new String[0]));
      System.out.flush();
      System.err.flush();
      Base64.Encoder encoder = Base64.getEncoder();
      answers.println(code + " " + encoder.encodeToString(stdout.toByteArray()) + " "
          + encoder.encodeToString(stderr.toByteArray()));
      answers.flush();
    }
    Runtime.getRuntime().halt(0);
  }

  private static int run(String name, String[] arguments) {
    exitCode = null;
    try {
      Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
    } catch (Throwable thrown) {
      if (exitCode == null) {
        thrown.printStackTrace();
        return 1;
      }
    }
    return exitCode == null ? 0 : exitCode;
  }
}
