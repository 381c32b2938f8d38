/** A topic that a streams application makes for itself. */
export interface StreamsTopic {
  /** The name of the topic. */
  readonly topic: string
  /** How many partitions the topic has; 0 where the brokers choose. */
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

/** What a streams application reads, writes and keeps. */
export interface StreamsTopology {
  /** Increases with each change of the topology. */
  readonly epoch: number
  /** By id; empty while source topics are missing. */
  readonly subtopologies: readonly StreamsSubtopology[]
}

/** A source, processor or sink of a topology. */
export interface StreamsTopologyNode {
  /** The name of the node. */
  readonly name: string
  /** What the node does. */
  readonly type: 'source' | 'processor' | 'sink' | 'unknown'
  /** The topics that a source reads. */
  readonly sourceTopics?: readonly string[]
  /** Undefined where the application chooses the topic of each record. */
  readonly sinkTopic?: string
  /** The state stores of a processor. */
  readonly stores?: readonly string[]
  /** Names of the nodes that get this one's records. */
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

/** Tasks by subtopology: a task is one partition of it. */
export type StreamsTaskList = readonly {
  readonly subtopology: string
  readonly partitions: readonly number[]
}[]

/** The tasks of a member. */
export interface StreamsTasks {
  /** Those that process. */
  readonly active: StreamsTaskList
  /** Those that keep a copy of the state. */
  readonly standby: StreamsTaskList
  /** Those that build up the state, to become active. */
  readonly warmup: StreamsTaskList
}

/** How far a task has read its changelog topics. */
export interface StreamsTaskOffset {
  /** The id of the subtopology. */
  readonly subtopology: string
  /** The partition of the task. */
  readonly partition: number
  /** The sum over the changelog topics of the task. */
  readonly offset: number
}

/** What a member of a streams group has in addition. */
export interface StreamsMember {
  /** The epoch of the topology that the member runs. */
  readonly topologyEpoch: number
  /** The same for the members of one process. */
  readonly processId: string
  /** Where the application answers interactive queries. */
  readonly userEndpoint?: { readonly host: string; readonly port: number }
  /** Tags that the assignor considers, such as the zone. */
  readonly clientTags: Readonly<Record<string, string>>
  /** The tasks that the member has. */
  readonly tasks: StreamsTasks
  /** The tasks that the member is to have. */
  readonly targetTasks: StreamsTasks
  /** How far its tasks have read their changelog topics. */
  readonly taskOffsets: readonly StreamsTaskOffset[]
  /** The ends of those topics. */
  readonly taskEndOffsets: readonly StreamsTaskOffset[]
}
