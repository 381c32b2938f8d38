export { StormError, type StormErrorCode } from './errors.ts'
export type {
  LogLevel,
  StormConf,
  TaskIds,
  TopologyContext,
  TupleId,
} from './multilang/messages.ts'
export { BatchingBolt } from './component/batching-bolt.ts'
export { Bolt, type BoltEmitOptions } from './component/bolt.ts'
export { Component, type EmitOptions, type Values } from './component/component.ts'
export type { ComponentLogger } from './component/log.ts'
export {
  directStream,
  stream,
  type Outputs,
  type StreamDeclaration,
  type StreamModel,
  type StreamsOf,
} from './component/outputs.ts'
export type { Clock } from './component/clock.ts'
export { ReliableSpout, type Unacked } from './component/reliable-spout.ts'
export { Spout, type SpoutEmitOptions } from './component/spout.ts'
export { Tuple } from './component/tuple.ts'
export type {
  BoltClass,
  BoltDeclaration,
  Config,
  Parallelism,
  SpoutClass,
  SpoutDeclaration,
} from './topology/declarations.ts'
export type { FluxComponent, FluxStream, FluxTopology } from './topology/flux.ts'
export {
  javaComponent,
  serializedComponent,
  shellComponent,
  type ForeignComponent,
  type JavaComponent,
  type SerializedComponent,
  type ShellComponent,
} from './topology/foreign.ts'
export {
  all,
  customGrouping,
  direct,
  fields,
  global,
  localOrShuffle,
  none,
  serializedGrouping,
  shuffle,
  type CustomGrouping,
  type FieldsGrouping,
  type Grouping,
  type JavaArgument,
  type SerializedGrouping,
  type SimpleGrouping,
} from './topology/groupings.ts'
export type { ComponentModel, InputModel } from './topology/model.ts'
export type {
  StormTopology,
  ThriftComponentCommon,
  ThriftComponentObject,
  ThriftGrouping,
  ThriftJavaArgument,
  ThriftJavaObject,
} from './topology/storm-topology.ts'
export {
  defineTopology,
  Topology,
  type DescribeOptions,
  type TopologyDefinition,
} from './topology/topology.ts'
export { runTopology } from './run/run-component.ts'
export { runLocally, type LocalRun, type LocalRunOptions } from './local/local-run.ts'
export { FakeClock } from './testing/fake-clock.ts'
export {
  Harness,
  type EmittedTuple,
  type HarnessOptions,
  type LoggedLine,
  type Sent,
} from './testing/harness.ts'
export { testBolt, TestedBolt, type FedFrom } from './testing/test-bolt.ts'
export { testSpout, TestedSpout } from './testing/test-spout.ts'
export {
  KafkaBolt,
  type Bytes,
  type KafkaBoltOptions,
  type MessageToProduce,
} from './kafka/kafka-bolt.ts'
export { KafkaSpout, type KafkaSpoutOptions } from './kafka/kafka-spout.ts'
