/** The operations of `org.apache.kafka.clients.admin.Admin` in kafka-clients 4.4.0, as `javap` lists them. */
export const JAVA_OPERATIONS: readonly string[] = `
  abortTransaction addRaftVoter alterClientQuotas alterConsumerGroupOffsets alterPartitionReassignments
  alterReplicaLogDirs alterShareGroupOffsets alterStreamsGroupOffsets alterUserScramCredentials createAcls
  createDelegationToken createPartitions createTopics deleteAcls deleteConsumerGroupOffsets deleteConsumerGroups
  deleteRecords deleteShareGroupOffsets deleteShareGroups deleteStreamsGroupOffsets deleteStreamsGroups deleteTopics
  describeAcls describeClassicGroups describeClientQuotas describeCluster describeConfigs describeConsumerGroups
  describeDelegationToken describeFeatures describeLogDirs describeMetadataQuorum describeProducers
  describeReplicaLogDirs describeShareGroups describeStreamsGroups describeTopics describeTransactions
  describeUserScramCredentials electLeaders expireDelegationToken fenceProducers forceTerminateTransaction
  incrementalAlterConfigs listClientMetricsResources listConfigResources listConsumerGroupOffsets listConsumerGroups
  listGroups listOffsets listPartitionReassignments listShareGroupOffsets listStreamsGroupOffsets listTopics
  listTransactions removeMembersFromConsumerGroup removeRaftVoter renewDelegationToken unregisterBroker
  unregisterController updateFeatures
`
  .trim()
  .split(/\s+/)
