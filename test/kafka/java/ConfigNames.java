import kafka.server.KafkaConfig;

/** Writes the names of all settings of brokers, a line each. */
public class ConfigNames {
  public static void main(String[] arguments) {
    scala.collection.Iterator<String> names = KafkaConfig.configNames().iterator();
    while (names.hasNext()) System.out.println("name " + names.next());
  }
}
