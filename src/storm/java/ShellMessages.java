package samsa.storm;

import java.util.List;
import java.util.Map;
import org.apache.storm.multilang.ShellMsg;
import org.apache.storm.utils.Utils;

/** The messages of components, from the objects in which they are sent. */
final class ShellMessages {
    private ShellMessages() {
    }

    @SuppressWarnings("unchecked")
    static ShellMsg of(Map<String, Object> map) {
        ShellMsg message = new ShellMsg();
        String command = (String) map.get("command");
        message.setCommand(command);
        message.setId(map.get("id"));
        message.setMsg((String) map.get("msg"));
        Object stream = map.get("stream");
        message.setStream(stream == null ? Utils.DEFAULT_STREAM_ID : (String) stream);
        Object task = map.get("task");
        message.setTask(task == null ? 0 : ((Number) task).longValue());
        Object needTaskIds = map.get("need_task_ids");
        message.setNeedTaskIds(needTaskIds == null || (Boolean) needTaskIds);
        message.setTuple((List<Object>) map.get("tuple"));
        Object anchors = map.get("anchors");
        if (anchors instanceof String) {
            message.addAnchor((String) anchors);
        } else if (anchors != null) {
            for (Object anchor : (List<Object>) anchors) {
                message.addAnchor((String) anchor);
            }
        }
        message.setMetricName((String) map.get("name"));
        message.setMetricParams(map.get("params"));
        Object level = map.get("level");
        if ("log".equals(command) && level != null) {
            message.setLogLevel(((Number) level).intValue());
        }
        return message;
    }
}
