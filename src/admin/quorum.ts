/** The quorum of controllers of a KRaft cluster, and its registered nodes. */
import { addRaftVoter } from '../../protocol/apis/add-raft-voter.ts'
import { describeQuorum, type DescribeQuorumResponse } from '../../protocol/apis/describe-quorum.ts'
import { removeRaftVoter } from '../../protocol/apis/remove-raft-voter.ts'
import { unregisterBroker } from '../../protocol/apis/unregister-broker.ts'
import { unregisterController } from '../../protocol/apis/unregister-controller.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/schema/fields.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import { BrokerError, InvalidArgumentError } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import { anArrayOf, anInteger, anObject, aString, checkValue } from '../options.ts'
import { begin, brokerTimeoutMs, type AdminContext } from './context.ts'
import { aDirectoryId } from './ids.ts'
import { exactNumber } from './items.ts'

/** A controller or broker that replicates the metadata log (KIP-595). */
export interface QuorumReplica {
  /** The node id of a controller, or of a broker among the observers. */
  readonly replica: number
  /** The id of the directory of its metadata log; undefined before Kafka 3.9. */
  readonly directoryId?: string
  /** The end offset of its copy of the metadata log. */
  readonly logEndOffset: number
  /**
   * In milliseconds since 1970, as the leader measures it; undefined if the leader does not know.
   */
  readonly lastFetchTimestamp?: number
  /**
   * When it last had all of the leader's log, in milliseconds since 1970; undefined if the leader
   * does not know.
   */
  readonly lastCaughtUpTimestamp?: number
}

/** The address of a controller in the quorum. */
export interface QuorumNode {
  /** The node id of the controller. */
  readonly node: number
  /** The addresses on which the controller listens. */
  readonly listeners: readonly RaftListener[]
}

/** The result of `describeMetadataQuorum`. */
export interface MetadataQuorum {
  /** Node id of the active controller. */
  readonly leader: number
  /** The epoch of the active controller. */
  readonly leaderEpoch: number
  /** The offset up to which a majority has the metadata log. */
  readonly highWatermark: number
  /** Sorted by node id. */
  readonly voters: readonly QuorumReplica[]
  /** Sorted by node id. */
  readonly observers: readonly QuorumReplica[]
  /** The addresses on which the voters listen, by node id; empty before Kafka 3.9. */
  readonly nodes: readonly QuorumNode[]
}

/** An address that a controller listens on. */
export interface RaftListener {
  /** As in the controller's `listeners`, such as `CONTROLLER`. */
  readonly name: string
  /** The host name or address of the controller. */
  readonly host: string
  /** The port of that host. */
  readonly port: number
}

/** The checks of `RaftListener`. */
export const RAFT_LISTENER = {
  name: { check: aString, required: true },
  host: { check: aString, required: true },
  port: { check: anInteger(1, 65_535), required: true },
} as const satisfies OptionTable<RaftListener>

/** A controller that votes in the quorum, by its node id and the id of its directory (KIP-853). */
export interface RaftVoter {
  /** The node id of the controller. */
  readonly voter: number
  /** The id of the directory of its metadata log: `directory.id` in its meta.properties. */
  readonly directoryId: string
}

/** The checks of `RaftVoter`. */
export const RAFT_VOTER = {
  voter: { check: anInteger(0), required: true },
  directoryId: { check: aDirectoryId, required: true },
} as const satisfies OptionTable<RaftVoter>

/** A controller that `addRaftVoter` is to add. */
export interface NewRaftVoter extends RaftVoter {
  /** The addresses on which the controller listens, by name of the listener. */
  readonly listeners: readonly RaftListener[]
}

/** The checks of `NewRaftVoter`. */
export const NEW_RAFT_VOTER = {
  ...RAFT_VOTER,
  listeners: { check: anArrayOf(anObject), required: true },
} as const satisfies OptionTable<NewRaftVoter>

/** The options of `addRaftVoter` and `removeRaftVoter`. */
export interface RaftVoterOptions extends CallOptions {
  /** The call fails with INCONSISTENT_CLUSTER_ID in another cluster. Default: any cluster. */
  readonly clusterId?: string
}

/** The checks and defaults of `RaftVoterOptions`. */
export const RAFT_VOTER_OPTIONS = {
  ...CALL_OPTIONS,
  clusterId: { check: aString, defaultText: 'any cluster' },
} as const satisfies OptionTable<RaftVoterOptions>

const METADATA_TOPIC = '__cluster_metadata'

export function quorumOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns the controllers' quorum: leader, voters, observers and the progress of each (Kafka
     * 3.3 or newer).
     */
    async describeMetadataQuorum(options: CallOptions = {}): Promise<MetadataQuorum> {
      const { deadline } = begin(context, 'describeMetadataQuorum', options, CALL_OPTIONS)
      const what = 'describing the metadata quorum'
      const response = await cluster.router.call(
        describeQuorum,
        { topics: [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] }] },
        { to: 'any', what, deadline },
      )
      return quorumOf(response, what)
    },

    /** Adds a running controller to the voters of the quorum (KIP-853, Kafka 3.9 or newer). */
    async addRaftVoter(voter: NewRaftVoter, options: RaftVoterOptions = {}): Promise<void> {
      const operation = 'addRaftVoter'
      const settings = begin(context, operation, options, RAFT_VOTER_OPTIONS)
      const { deadline, clusterId = null } = settings
      checkTable(`the voter of ${operation}`, voter, NEW_RAFT_VOTER)
      const { listeners } = voter
      if (listeners.length === 0) {
        throw new InvalidArgumentError(`${operation}: the voter has no listeners`)
      }
      for (const listener of listeners) {
        checkTable(`a listener of ${operation}`, listener, RAFT_LISTENER)
      }
      await cluster.router.call(
        addRaftVoter,
        {
          clusterId,
          timeoutMs: brokerTimeoutMs(cluster, deadline),
          voterId: voter.voter,
          voterDirectoryId: voter.directoryId,
          listeners: listeners.map(({ name, host, port }) => ({ name, host, port })),
        },
        { to: 'controller', what: `adding voter ${voter.voter} to the quorum`, deadline },
      )
    },

    /** Removes a controller from the voters of the quorum (KIP-853, Kafka 3.9 or newer). */
    async removeRaftVoter(voter: RaftVoter, options: RaftVoterOptions = {}): Promise<void> {
      const operation = 'removeRaftVoter'
      const settings = begin(context, operation, options, RAFT_VOTER_OPTIONS)
      const { deadline, clusterId = null } = settings
      checkTable(`the voter of ${operation}`, voter, RAFT_VOTER)
      await cluster.router.call(
        removeRaftVoter,
        {
          clusterId,
          voterId: voter.voter,
          voterDirectoryId: voter.directoryId,
        },
        { to: 'controller', what: `removing voter ${voter.voter} from the quorum`, deadline },
      )
    },

    /**
     * Removes the registration of a broker that has been shut down permanently (Kafka 3.0 or newer,
     * without ZooKeeper). Move its replicas first. Throws BROKER_ID_NOT_REGISTERED for an unknown
     * broker.
     */
    async unregisterBroker(broker: number, options: CallOptions = {}): Promise<void> {
      const { deadline } = begin(context, 'unregisterBroker', options, CALL_OPTIONS)
      checkNode('unregisterBroker', broker)
      const what = `unregistering broker ${broker}`
      const settings = { to: 'controller', what, deadline } as const
      await cluster.router.call(unregisterBroker, { brokerId: broker }, settings)
    },

    /**
     * Removes the registration of a controller that is not a voter any more (Kafka 4.4 or newer).
     */
    async unregisterController(controller: number, options: CallOptions = {}): Promise<void> {
      const { deadline } = begin(context, 'unregisterController', options, CALL_OPTIONS)
      checkNode('unregisterController', controller)
      const what = `unregistering controller ${controller}`
      const settings = { to: 'controller', what, deadline } as const
      await cluster.router.call(unregisterController, { controllerId: controller }, settings)
    },
  }
}

function quorumOf({ topics, nodes }: DescribeQuorumResponse, what: string): MetadataQuorum {
  const found = topics.find(({ topicName }) => topicName === METADATA_TOPIC)?.partitions[0]
  if (found === undefined) {
    const detail = 'the response does not contain the metadata log'
    throw new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, what, {}, detail)
  }
  if (found.errorCode !== ErrorCode.NONE) {
    throw new BrokerError(found.errorCode, what, {}, found.errorMessage)
  }
  return {
    leader: found.leaderId,
    leaderEpoch: found.leaderEpoch,
    highWatermark: exactNumber(found.highWatermark, 'the high watermark of the metadata log'),
    voters: found.currentVoters.map(replicaOf).sort((a, b) => a.replica - b.replica),
    observers: found.observers.map(replicaOf).sort((a, b) => a.replica - b.replica),
    nodes: nodes
      .map(({ nodeId: node, listeners }) => ({
        node,
        listeners: listeners.map(({ name, host, port }) => ({ name, host, port })),
      }))
      .sort((a, b) => a.node - b.node),
  }
}

type FoundReplica =
  DescribeQuorumResponse['topics'][number]['partitions'][number]['currentVoters'][number]

function replicaOf({
  replicaId: replica,
  replicaDirectoryId,
  ...found
}: FoundReplica): QuorumReplica {
  const exact = (value: bigint, what: string) =>
    exactNumber(value, `the ${what} of controller ${replica}`)
  const { logEndOffset, lastFetchTimestamp: fetched, lastCaughtUpTimestamp: caughtUp } = found
  return {
    replica,
    ...(replicaDirectoryId === ZERO_UUID ? {} : { directoryId: replicaDirectoryId }),
    logEndOffset: exact(logEndOffset, 'log end offset'),
    ...(fetched < 0n ? {} : { lastFetchTimestamp: exact(fetched, 'last fetch') }),
    ...(caughtUp < 0n ? {} : { lastCaughtUpTimestamp: exact(caughtUp, 'last time in sync') }),
  }
}

function checkNode(operation: string, node: number): void {
  checkValue(`${operation}: the node id`, node, anInteger(0))
}
