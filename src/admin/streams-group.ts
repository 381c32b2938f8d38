/** An internal topic that a streams application creates. */
export interface StreamsTopic {
  /** The name of the topic. */
  readonly topic: string
  /** The number of partitions; 0 if the brokers choose. */
  readonly partitions: number
  /** 0 for the brokers' `default.replication.factor`. */
  readonly replicationFactor: number
  /** By Kafka's names, such as `cleanup.policy`. */
  readonly configs: Readonly<Record<string, string>>
}

/** A part of a topology whose tasks have one partition of each of its source topics. */
export interface StreamsSubtopology {
  /** The id of the subtopology, such as `0`. */
  readonly subtopology: string
  /** The topics that it reads, by name. */
  readonly sourceTopics: readonly string[]
  /** The repartition topics that it writes to, by name. */
  readonly repartitionSinkTopics: readonly string[]
  /** The topics that keep its state, by name. */
  readonly stateChangelogTopics: readonly StreamsTopic[]
  /** The repartition topics that it reads, by name. */
  readonly repartitionSourceTopics: readonly StreamsTopic[]
}

/** The topics and stores of a streams application. */
export interface StreamsTopology {
  /** Increases with each change of the topology. */
  readonly epoch: number
  /** Sorted by id; empty while source topics are missing. */
  readonly subtopologies: readonly StreamsSubtopology[]
}

/** A source, processor or sink of a topology. */
export interface StreamsTopologyNode {
  /** The name of the node. */
  readonly name: string
  /** The type of the node. */
  readonly type: 'source' | 'processor' | 'sink' | 'unknown'
  /** The topics that a source reads. */
  readonly sourceTopics?: readonly string[]
  /** Undefined if the application chooses the topic of each record. */
  readonly sinkTopic?: string
  /** The state stores of a processor. */
  readonly stores?: readonly string[]
  /** The names of the nodes that this node sends records to. */
  readonly successors: readonly string[]
}

/** The processors of an application and how they are connected (KIP-1331, Kafka 4.4). */
export interface StreamsTopologyDescription {
  /** The nodes of each subtopology, by its id. */
  readonly subtopologies: readonly {
    readonly subtopology: string
    readonly nodes: readonly StreamsTopologyNode[]
  }[]
  /** The source and the processor of each global store. */
  readonly globalStores: readonly {
    readonly source: StreamsTopologyNode
    readonly processor: StreamsTopologyNode
  }[]
}

/** Tasks by subtopology: each task processes one partition of it. */
export type StreamsTaskList = readonly {
  readonly subtopology: string
  readonly partitions: readonly number[]
}[]

/** The tasks of a member. */
export interface StreamsTasks {
  /** The tasks that process records. */
  readonly active: StreamsTaskList
  /** The tasks that keep a copy of the state. */
  readonly standby: StreamsTaskList
  /** The tasks that restore their state in order to become active. */
  readonly warmup: StreamsTaskList
}

/** The progress of a task in its changelog topics. */
export interface StreamsTaskOffset {
  /** The id of the subtopology. */
  readonly subtopology: string
  /** The partition of the task. */
  readonly partition: number
  /** The sum over the changelog topics of the task. */
  readonly offset: number
}

/** The additional properties of a member of a streams group. */
export interface StreamsMember {
  /** The epoch of the topology that the member runs. */
  readonly topologyEpoch: number
  /** Identifies the process; its members have the same id. */
  readonly processId: string
  /** The address at which the application answers interactive queries. */
  readonly userEndpoint?: { readonly host: string; readonly port: number }
  /** Tags that the assignor considers, such as the zone. */
  readonly clientTags: Readonly<Record<string, string>>
  /** The tasks that the member has now. */
  readonly tasks: StreamsTasks
  /** The tasks that the member is to have. */
  readonly targetTasks: StreamsTasks
  /** The progress of its tasks in their changelog topics. */
  readonly taskOffsets: readonly StreamsTaskOffset[]
  /** The end offsets of those topics. */
  readonly taskEndOffsets: readonly StreamsTaskOffset[]
}
