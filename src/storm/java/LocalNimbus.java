package samsa.storm;

import java.util.HashMap;
import java.util.Map;
import org.apache.storm.LocalCluster;

/**
 * A whole Storm in one JVM, with Nimbus's Thrift port: LocalNimbus PORT SLOTS [SETTING=NUMBER ...]. It prints READY,
 * and ends when its standard input ends.
 */
public class LocalNimbus {
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> conf = new HashMap<>();
        conf.put("nimbus.thrift.port", Integer.parseInt(arguments[0]));
        conf.put("topology.enable.message.timeouts", true);
        conf.put("storm.local.hostname", "localhost");
        for (int at = 2; at < arguments.length; at++) {
            String[] setting = arguments[at].split("=", 2);
            conf.put(setting[0], Integer.parseInt(setting[1]));
        }
        LocalCluster cluster = new LocalCluster.Builder()
            .withNimbusDaemon(true)
            .withSupervisors(1)
            .withPortsPerSupervisor(Integer.parseInt(arguments[1]))
            .withDaemonConf(conf)
            .build();
        System.out.println("READY " + arguments[0]);
        System.out.flush();
        while (System.in.read() >= 0) {
            // The process that has started this one holds the other end.
        }
        cluster.close();
        System.exit(0);
    }
}
