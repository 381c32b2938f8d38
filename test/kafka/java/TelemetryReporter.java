import java.lang.instrument.Instrumentation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.server.telemetry.ClientTelemetry;
import org.apache.kafka.server.telemetry.ClientTelemetryReceiver;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Metric;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.MetricsData;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;

/**
 * A metrics reporter of a broker that takes what clients push (KIP-714), and writes a line for each metric, read with
 * Kafka's own copy of OTLP's classes, into the file that the broker's property telemetry.file names. It is an agent
 * only to be on the broker's class path.
 */
public class TelemetryReporter implements MetricsReporter, ClientTelemetry {
  private volatile Path file;

  public static void premain(String arguments, Instrumentation instrumentation) {}

  @Override
  public void configure(Map<String, ?> configs) {
    Object name = configs.get("telemetry.file");
    if (name != null) file = Path.of(name.toString());
  }

  @Override
  public ClientTelemetryReceiver clientReceiver() {
    return (context, payload) -> {
      StringBuilder lines = new StringBuilder();
      String head = payload.clientInstanceId() + " " + payload.isTerminating() + " ";
      try {
        MetricsData data = MetricsData.parseFrom(payload.data());
        data.getResourceMetricsList().forEach(resource -> resource.getScopeMetricsList()
            .forEach(scope -> scope.getMetricsList().forEach(metric -> {
              lines.append(head).append(metric.getName()).append(' ').append(valueOf(metric)).append('\n');
            })));
      } catch (Exception error) {
        lines.append(head).append("failed ").append(error).append('\n');
      }
      append(lines.toString());
    };
  }

  private static double valueOf(Metric metric) {
    List<NumberDataPoint> points = metric.hasSum()
        ? metric.getSum().getDataPointsList()
        : metric.getGauge().getDataPointsList();
    return points.get(0).getAsDouble();
  }

  private synchronized void append(String text) {
    try {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      Files.write(file, bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (Exception error) {
      throw new RuntimeException(error);
    }
  }

  @Override
  public void init(List<KafkaMetric> metrics) {}

  @Override
  public void metricChange(KafkaMetric metric) {}

  @Override
  public void metricRemoval(KafkaMetric metric) {}

  @Override
  public void close() {}
}
