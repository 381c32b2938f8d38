/** Where our declarations differ from Kafka's definitions on purpose, and why. */

/** Fields with another name: message, Kafka's name, ours. */
export const RENAMED_FIELDS: readonly (readonly [string, string, string, string])[] = [
  ['RequestHeader', 'requestApiKey', 'apiKey', 'the header is a request, it need not report it'],
  ['RequestHeader', 'requestApiVersion', 'apiVersion', 'the header is a request'],
  [
    'TxnOffsetCommitRequest',
    'generationId',
    'generationIdOrMemberEpoch',
    'Kafka 4 renamed it, as OffsetCommit has it since KIP-848; 3.9.1 has the old name',
  ],
  [
    'ListConfigResourcesResponse',
    'clientMetricsResources',
    'configResources',
    'Kafka 4.1 renamed it with the API (KIP-1142)',
  ],
  [
    'ListConfigResourcesResponse',
    'clientMetricsResources[].name',
    'configResources[].resourceName',
    'Kafka 4.1 renamed it with the API (KIP-1142)',
  ],
]

const BETWEEN_BROKERS = 'between brokers: the share coordinator of KIP-932 keeps its state by it'
const FROM_CONTROLLER = 'from the controller to brokers, of ZooKeeper clusters only'
const TO_CONTROLLER = 'from brokers to the controller'

/** APIs with a broker's listener that no client uses. */
export const LEFT_OUT: ReadonlyMap<string, string> = new Map([
  ['LeaderAndIsr', FROM_CONTROLLER],
  ['StopReplica', FROM_CONTROLLER],
  ['UpdateMetadata', FROM_CONTROLLER],
  ['ControlledShutdown', TO_CONTROLLER],
  ['AlterPartition', TO_CONTROLLER],
  ['AllocateProducerIds', TO_CONTROLLER],
  ['Envelope', 'from brokers to the controller: carries the requests that a broker passes on'],
  ['InitializeShareGroupState', BETWEEN_BROKERS],
  ['ReadShareGroupState', BETWEEN_BROKERS],
  ['WriteShareGroupState', BETWEEN_BROKERS],
  ['DeleteShareGroupState', BETWEEN_BROKERS],
  ['ReadShareGroupStateSummary', BETWEEN_BROKERS],
])
