import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Runs one of Kafka's own tools twice in one JVM, first to warm up, and prints what the second run cost.
 *
 *     java -cp … Launcher CLASS ARGUMENT… -- ARGUMENT…
 */
public class Launcher {
    /** What the kernel counts CPU in: 10 ms on Linux. */
    private static final long TICK_MS = 10;

    public static void main(String[] arguments) throws Exception {
        Method main = Class.forName(arguments[0]).getMethod("main", String[].class);
        int separator = Arrays.asList(arguments).indexOf("--");
        String[] warmUp = Arrays.copyOfRange(arguments, 1, separator);
        String[] measured = Arrays.copyOfRange(arguments, separator + 1, arguments.length);
        if (warmUp.length > 0) main.invoke(null, (Object) warmUp);
        System.out.println("MEASURED");
        long[] before = ticks();
        main.invoke(null, (Object) measured);
        long[] after = ticks();
        System.out.println("USER_MS " + (after[0] - before[0]) * TICK_MS);
        System.out.println("SYSTEM_MS " + (after[1] - before[1]) * TICK_MS);
        System.out.println("PEAK_KB " + peakKb());
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static long[] ticks() throws Exception {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return new long[] {Long.parseLong(fields[11]), Long.parseLong(fields[12])};
    }

    private static long peakKb() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", ""));
        }
        return 0;
    }
}
