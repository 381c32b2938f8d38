/**
 * The structures of Storm's Nimbus service that samsa uses: the numbers are those of storm.thrift.
 */
import {
  binary,
  bool,
  count,
  double,
  entries,
  i32,
  i64,
  list,
  map,
  optional,
  required,
  string,
  struct,
  type TypeOf,
} from './types.ts'

const nothing = struct({})

const javaObject = struct({
  full_class_name: required(1, string),
  args_list: required(
    2,
    list(
      struct({
        int_arg: optional(1, i32),
        long_arg: optional(2, i64),
        string_arg: optional(3, string),
        bool_arg: optional(4, bool),
        binary_arg: optional(5, binary),
        double_arg: optional(6, double),
      }),
    ),
  ),
})

const grouping = struct({
  fields: optional(1, list(string)),
  shuffle: optional(2, nothing),
  all: optional(3, nothing),
  none: optional(4, nothing),
  direct: optional(5, nothing),
  custom_object: optional(6, javaObject),
  custom_serialized: optional(7, binary),
  local_or_shuffle: optional(8, nothing),
})

const componentObject = struct({
  serialized_java: optional(1, binary),
  shell: optional(
    2,
    struct({ execution_command: optional(1, string), script: optional(2, string) }),
  ),
  java_object: optional(3, javaObject),
})

const componentCommon = struct({
  inputs: required(
    1,
    entries(struct({ componentId: required(1, string), streamId: required(2, string) }), grouping),
  ),
  streams: required(
    2,
    map(struct({ output_fields: required(1, list(string)), direct: required(2, bool) })),
  ),
  parallelism_hint: optional(3, i32),
  json_conf: optional(4, string),
})

export const stormTopology = struct({
  spouts: required(
    1,
    map(
      struct({ spout_object: required(1, componentObject), common: required(2, componentCommon) }),
    ),
  ),
  bolts: required(
    2,
    map(
      struct({ bolt_object: required(1, componentObject), common: required(2, componentCommon) }),
    ),
  ),
  state_spouts: required(3, map(nothing)),
})

export const topologySummary = struct({
  id: required(1, string),
  name: required(2, string),
  num_tasks: required(3, i32),
  num_executors: required(4, i32),
  num_workers: required(5, i32),
  uptime_secs: required(6, i32),
  status: required(7, string),
  storm_version: optional(8, string),
  sched_status: optional(513, string),
  owner: optional(514, string),
})
export type TopologySummary = TypeOf<typeof topologySummary>

const supervisorSummary = struct({
  host: required(1, string),
  uptime_secs: required(2, i32),
  num_workers: required(3, i32),
  num_used_workers: required(4, i32),
  supervisor_id: required(5, string),
  version: optional(6, string),
})
export type SupervisorSummary = TypeOf<typeof supervisorSummary>

export const nimbusSummary = struct({
  host: required(1, string),
  port: required(2, i32),
  uptime_secs: required(3, i32),
  isLeader: required(4, bool),
  version: required(5, string),
})

export const clusterSummary = struct({
  supervisors: required(1, list(supervisorSummary)),
  topologies: required(3, list(topologySummary)),
  nimbuses: required(4, list(nimbusSummary)),
})
export type ClusterSummary = TypeOf<typeof clusterSummary>

const errorInfo = struct({
  error: required(1, string),
  error_time_secs: required(2, i32),
  host: optional(3, string),
  port: optional(4, i32),
})
export type ErrorInfo = TypeOf<typeof errorInfo>

const executorSummary = struct({
  executor_info: required(1, struct({ task_start: required(1, i32), task_end: required(2, i32) })),
  component_id: required(2, string),
  host: required(3, string),
  port: required(4, i32),
  uptime_secs: required(5, i32),
})
export type ExecutorSummary = TypeOf<typeof executorSummary>

export const topologyInfo = struct({
  id: required(1, string),
  name: required(2, string),
  uptime_secs: required(3, i32),
  executors: required(4, list(executorSummary)),
  status: required(5, string),
  errors: required(6, map(list(errorInfo))),
})
export type TopologyInfo = TypeOf<typeof topologyInfo>

const componentStats = struct({
  type: optional(1, i32),
  common_stats: optional(
    2,
    struct({
      num_executors: optional(1, i32),
      num_tasks: optional(2, i32),
      emitted: optional(3, count),
      transferred: optional(4, count),
      acked: optional(5, count),
      failed: optional(6, count),
    }),
  ),
  specific_stats: optional(
    3,
    struct({
      bolt: optional(
        1,
        struct({
          execute_latency_ms: optional(1, double),
          process_latency_ms: optional(2, double),
          executed: optional(3, count),
          capacity: optional(4, double),
        }),
      ),
      spout: optional(2, struct({ complete_latency_ms: optional(1, double) })),
    }),
  ),
  last_error: optional(4, errorInfo),
})
export type ComponentStats = TypeOf<typeof componentStats>

const workerSummary = struct({
  supervisor_id: optional(1, string),
  host: optional(2, string),
  port: optional(3, i32),
  topology_id: optional(4, string),
  topology_name: optional(5, string),
  num_executors: optional(6, i32),
  uptime_secs: optional(9, i32),
})
export type WorkerSummary = TypeOf<typeof workerSummary>

export const topologyPageInfo = struct({
  id: required(1, string),
  name: optional(2, string),
  uptime_secs: optional(3, i32),
  status: optional(4, string),
  num_tasks: optional(5, i32),
  num_workers: optional(6, i32),
  num_executors: optional(7, i32),
  topology_conf: optional(8, string),
  id_to_spout_agg_stats: optional(9, map(componentStats)),
  id_to_bolt_agg_stats: optional(10, map(componentStats)),
  topology_stats: optional(
    12,
    struct({
      window_to_emitted: optional(1, map(count)),
      window_to_transferred: optional(2, map(count)),
      window_to_complete_latencies_ms: optional(3, map(double)),
      window_to_acked: optional(4, map(count)),
      window_to_failed: optional(5, map(count)),
    }),
  ),
  workers: optional(16, list(workerSummary)),
})
export type TopologyPageInfo = TypeOf<typeof topologyPageInfo>

export const componentPageInfo = struct({
  component_id: required(1, string),
  component_type: required(2, i32),
  num_executors: optional(5, i32),
  num_tasks: optional(6, i32),
  window_to_stats: optional(7, map(componentStats)),
  exec_stats: optional(
    10,
    list(
      struct({ exec_summary: optional(1, executorSummary), stats: optional(2, componentStats) }),
    ),
  ),
  errors: optional(11, list(errorInfo)),
})
export type ComponentPageInfo = TypeOf<typeof componentPageInfo>

export const supervisorPageInfo = struct({
  supervisor_summaries: optional(1, list(supervisorSummary)),
  worker_summaries: optional(2, list(workerSummary)),
})
export type SupervisorPageInfo = TypeOf<typeof supervisorPageInfo>

export const killOptions = struct({ wait_secs: optional(1, i32) })
export type KillOptions = TypeOf<typeof killOptions>

export const rebalanceOptions = struct({
  wait_secs: optional(1, i32),
  num_workers: optional(2, i32),
  num_executors: optional(3, map(i32)),
})
export type RebalanceOptions = TypeOf<typeof rebalanceOptions>

/** 1 is active, 2 inactive. */
export const submitOptions = struct({ initial_status: required(1, i32) })
