import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.common.utils.Exit;
import org.slf4j.LoggerFactory;

/**
 * Runs Kafka's own command line tools one after the other in one Java, as starting one for each takes
 * longer than what they do. A line of input is a tool: its class, its standard input in base64, and its
 * arguments, with tabs between them. `FILE` as an argument is a file with that input. A line of output is its exit code, and what it said in base64.
 */
public class RunTools {
  /** Thrown where a tool would end the process. Some tools catch whatever is thrown, and exit again. */
  private static final class Exited extends Error {}

  private static Integer exitCode;
  private static final List<Runnable> atExit = new ArrayList<>();

  public static void main(String[] ignored) throws Exception {
    PrintStream answers = System.out;
    // It complains once that it has nowhere to log to: not into what the first tool says.
    LoggerFactory.getLogger(RunTools.class);
    Exit.setExitProcedure((code, message) -> exit(code));
    Exit.setHaltProcedure((code, message) -> exit(code));
    Exit.setShutdownHookAdder((name, hook) -> atExit.add(hook));
    BufferedReader orders =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = orders.readLine(); line != null; line = orders.readLine()) {
      String[] order = line.split("\t", -1);
      ByteArrayInputStream input = new ByteArrayInputStream(Base64.getDecoder().decode(order[1]));
      ByteArrayOutputStream said = new ByteArrayOutputStream();
      PrintStream saying = new PrintStream(said, true, StandardCharsets.UTF_8);
      System.setIn(input);
      System.setOut(saying);
      System.setErr(saying);
      Path file = Files.write(Files.createTempFile("samsa-", ".json"), input.readAllBytes());
      input.reset();
      String[] arguments = Arrays.copyOfRange(order, 2, order.length);
      Arrays.asList(arguments).replaceAll(one -> one.equals("FILE") ? file.toString() : one);
      int code = run(Class.forName(order[0]), arguments);
      Files.delete(file);
      saying.flush();
      answers.println(code + "\t" + Base64.getEncoder().encodeToString(said.toByteArray()));
      answers.flush();
    }
    // Some tools leave threads behind.
    Runtime.getRuntime().halt(0);
  }

  private static void exit(int code) {
    if (exitCode == null) exitCode = code;
    runHooks();
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
    System.setOut(nowhere);
    System.setErr(nowhere);
    throw new Exited();
  }

  private static int run(Class<?> tool, String[] arguments) throws Exception {
    exitCode = null;
    try {
      tool.getMethod("main", String[].class).invoke(null, (Object) arguments);
    } catch (InvocationTargetException error) {
      if (exitCode == null) System.out.println(error.getCause());
      if (exitCode == null) return -1;
    }
    runHooks();
    return exitCode == null ? 0 : exitCode;
  }

  private static void runHooks() {
    List<Runnable> hooks = List.copyOf(atExit);
    atExit.clear();
    hooks.forEach(Runnable::run);
  }
}
