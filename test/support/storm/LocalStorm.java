// A whole Storm in one JVM that runs one topology: java -cp "app:lib/*" LocalStorm.java topology.json
// It prints what it does, takes commands on standard input, a line each (deactivate, activate), and ends with it.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.minidev.json.JSONArray;
import net.minidev.json.JSONObject;
import net.minidev.json.JSONValue;
import org.apache.storm.LocalCluster;
import org.apache.storm.generated.Bolt;
import org.apache.storm.generated.ComponentCommon;
import org.apache.storm.generated.ComponentObject;
import org.apache.storm.generated.GlobalStreamId;
import org.apache.storm.generated.Grouping;
import org.apache.storm.generated.NullStruct;
import org.apache.storm.generated.ShellComponent;
import org.apache.storm.generated.SpoutSpec;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.generated.StreamInfo;

public class LocalStorm {
  public static void main(String[] arguments) throws Exception {
    JSONObject description = (JSONObject) JSONValue.parse(Files.readString(Path.of(arguments[0])));
    String name = description.getAsString("name");
    Map<String, Object> config = new HashMap<>((JSONObject) description.get("config"));
    LocalCluster cluster = new LocalCluster.Builder()
        .withSupervisors(1).withPortsPerSupervisor(2)
        .withDaemonConf("topology.enable.message.timeouts", true)
        .withDaemonConf("storm.local.hostname", "localhost")
        .build();
    cluster.submitTopology(name, config, topologyOf((JSONObject) description.get("topology")));
    System.out.println("SUBMITTED " + name);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.equals("deactivate")) cluster.deactivate(name);
      if (line.equals("activate")) cluster.activate(name);
      System.out.println("DONE " + line);
    }
    System.exit(0);
  }

  static StormTopology topologyOf(JSONObject plain) {
    Map<String, SpoutSpec> spouts = new HashMap<>();
    for (Map.Entry<String, Object> entry : ((JSONObject) plain.get("spouts")).entrySet()) {
      JSONObject spout = (JSONObject) entry.getValue();
      spouts.put(entry.getKey(), new SpoutSpec(object(spout, "spout_object"), common(spout)));
    }
    Map<String, Bolt> bolts = new HashMap<>();
    for (Map.Entry<String, Object> entry : ((JSONObject) plain.get("bolts")).entrySet()) {
      JSONObject bolt = (JSONObject) entry.getValue();
      bolts.put(entry.getKey(), new Bolt(object(bolt, "bolt_object"), common(bolt)));
    }
    return new StormTopology(spouts, bolts, new HashMap<>());
  }

  static ComponentObject object(JSONObject component, String key) {
    JSONObject shell = (JSONObject) ((JSONObject) component.get(key)).get("shell");
    return ComponentObject.shell(
        new ShellComponent(shell.getAsString("execution_command"), shell.getAsString("script")));
  }

  static ComponentCommon common(JSONObject component) {
    JSONObject plain = (JSONObject) component.get("common");
    Map<GlobalStreamId, Grouping> inputs = new HashMap<>();
    for (Object entry : (JSONArray) plain.get("inputs")) {
      JSONObject id = (JSONObject) ((JSONArray) entry).get(0);
      inputs.put(new GlobalStreamId(id.getAsString("componentId"), id.getAsString("streamId")),
          grouping((JSONObject) ((JSONArray) entry).get(1)));
    }
    Map<String, StreamInfo> streams = new HashMap<>();
    for (Map.Entry<String, Object> entry : ((JSONObject) plain.get("streams")).entrySet()) {
      JSONObject stream = (JSONObject) entry.getValue();
      streams.put(entry.getKey(),
          new StreamInfo(strings((JSONArray) stream.get("output_fields")), (Boolean) stream.get("direct")));
    }
    ComponentCommon common = new ComponentCommon(inputs, streams);
    common.set_parallelism_hint(plain.getAsNumber("parallelism_hint").intValue());
    common.set_json_conf(plain.getAsString("json_conf"));
    return common;
  }

  static Grouping grouping(JSONObject plain) {
    String type = plain.keySet().iterator().next();
    return switch (type) {
      case "fields" -> Grouping.fields(strings((JSONArray) plain.get(type)));
      case "shuffle" -> Grouping.shuffle(new NullStruct());
      case "all" -> Grouping.all(new NullStruct());
      case "none" -> Grouping.none(new NullStruct());
      case "direct" -> Grouping.direct(new NullStruct());
      case "local_or_shuffle" -> Grouping.local_or_shuffle(new NullStruct());
      default -> throw new IllegalArgumentException(type);
    };
  }

  static List<String> strings(JSONArray array) {
    List<String> strings = new ArrayList<>();
    for (Object one : array) strings.add((String) one);
    return strings;
  }
}
