import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/**
 * Answers a line of JSON for each line of input, which names an operation of Kafka's own admin client and, behind tabs,
 * its arguments: {"ok":…} or {"error":"NAME"}. ABSENT is the error of an operation that this
 * version of the client does not have. The first line of input is the bootstrap servers, or
 * bootstrap.controllers= and the controllers.
 */
public class AdminOperationsReferee {
  private final Admin admin;

  AdminOperationsReferee(Admin admin) {
    this.admin = admin;
  }

  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    Properties properties = new Properties();
    String[] place = in.readLine().split("=");
    properties.put(place.length == 1 ? "bootstrap.servers" : place[0], place[place.length - 1]);
    try (Admin admin = Admin.create(properties)) {
      AdminOperationsReferee referee = new AdminOperationsReferee(admin);
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        System.out.println(json(referee.answer(line.split("\t"))));
        System.out.flush();
      }
    }
  }

  private Object answer(String[] words) throws Exception {
    try {
      return Map.of("ok", run(words[0], words));
    } catch (LinkageError absent) {
      return Map.of("error", "ABSENT");
    } catch (ExecutionException failed) {
      return Map.of("error", nameOf(failed.getCause()));
    } catch (RuntimeException failed) {
      return Map.of("error", nameOf(failed));
    }
  }

  private static String nameOf(Throwable error) {
    Errors known = Errors.forException(error);
    return known == Errors.UNKNOWN_SERVER_ERROR ? error.toString() : known.name();
  }

  /** `own` is the beginning of the names that belong to this client. */
  private Object run(String operation, String[] words) throws Exception {
    String own = words.length > 1 ? words[1] : "";
    switch (operation) {
      case "describeCluster": return describeCluster(words[1].equals("true"));
      case "describeFencedBrokers": return describeFencedBrokers();
      case "describeFeatures": return describeFeatures();
      case "updateFeatures": return updateFeatures();
      case "describeMetadataQuorum": return quorum();
      case "addRaftVoter": return done(admin.addRaftVoter(Integer.parseInt(words[1]), Uuid.fromString(words[2]), Set.of(new RaftVoterEndpoint("CONTROLLER", "127.0.0.1", Integer.parseInt(words[3])))).all());
      case "removeRaftVoter": return done(admin.removeRaftVoter(Integer.parseInt(words[1]), Uuid.fromString(words[2])).all());
      case "unregisterBroker": return done(admin.unregisterBroker(Integer.parseInt(words[1])).all());
      case "unregisterController": return done(admin.unregisterController(Integer.parseInt(words[1])).all());
      case "listTopics": return new TreeSet<>(admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get());
      case "describeTopics": return describeTopics(Arrays.asList(words).subList(1, words.length));
      case "describeTopicsById": return topicOf(admin.describeTopics(TopicCollection.ofTopicIds(List.of(Uuid.fromString(words[1])))).allTopicIds().get().values().iterator().next());
      case "createTopics": return createTopics(own);
      case "deleteTopics": return done(admin.deleteTopics(List.of(own + "-made")).all());
      case "deleteTopicsById": return done(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(Uuid.fromString(words[1])))).all());
      case "createPartitions": return done(admin.createPartitions(Map.of(own + "-made", NewPartitions.increaseTo(4))).all());
      case "deleteRecords": return admin.deleteRecords(Map.of(at(own, 1), RecordsToDelete.beforeOffset(2))).lowWatermarks().get(at(own, 1)).get().lowWatermark();
      case "listOffsets": return listOffsets(own, words[2]);
      case "describeConfigs": return describeConfigs(words[1], words[2]);
      case "incrementalAlterConfigs": return alterConfigs(own);
      case "listConfigResources": return listConfigResources();
      case "listClientMetricsResources": return listClientMetricsResources();
      case "listGroups": return listGroups();
      case "listConsumerGroups": return listConsumerGroups();
      case "describeClassicGroups": return describeClassicGroup(words[1]);
      case "describeConsumerGroups": return describeConsumerGroup(words[1]);
      case "describeShareGroups": return describeShareGroup(words[1]);
      case "describeStreamsGroups": return describeStreamsGroup(words[1]);
      case "deleteConsumerGroups": return done(admin.deleteConsumerGroups(List.of(words[1])).all());
      case "deleteShareGroups": return done(admin.deleteShareGroups(List.of(words[1])).all());
      case "deleteStreamsGroups": return done(admin.deleteStreamsGroups(List.of(words[1])).all());
      case "removeMembersFromConsumerGroup": return done(admin.removeMembersFromConsumerGroup(words[1], new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("nobody")))).all());
      case "listConsumerGroupOffsets": return offsets(admin.listConsumerGroupOffsets(words[1]).partitionsToOffsetAndMetadata().get());
      case "listStreamsGroupOffsets": return listStreamsGroupOffsets(words[1]);
      case "listShareGroupOffsets": return listShareGroupOffsets(words[1]);
      case "alterConsumerGroupOffsets": return done(admin.alterConsumerGroupOffsets(words[1], committed(words.length > 2 ? words[2] : own)).all());
      case "alterStreamsGroupOffsets": return done(admin.alterStreamsGroupOffsets(words[1], committed(own)).all());
      case "alterShareGroupOffsets": return done(admin.alterShareGroupOffsets(words[1], Map.of(at(own, 0), 1L, at(own, 2), 2L)).all());
      case "deleteConsumerGroupOffsets": return done(admin.deleteConsumerGroupOffsets(words[1], Set.of(at(own, 0))).all());
      case "deleteStreamsGroupOffsets": return done(admin.deleteStreamsGroupOffsets(words[1], Set.of(at(own, 0))).all());
      case "deleteShareGroupOffsets": return done(admin.deleteShareGroupOffsets(words[1], Set.of(own)).all());
      case "describeProducers": return producers(own);
      case "describeTransactions": return describeTransaction(words[1]);
      case "listTransactions": return listTransactions();
      case "abortTransaction": return done(admin.abortTransaction(new AbortTransactionSpec(at(own, 0), Long.parseLong(words[2]), Short.parseShort(words[3]), Integer.parseInt(words[4]))).all());
      case "fenceProducers": return Map.of("epoch", admin.fenceProducers(List.of(words[1])).epochId(words[1]).get());
      case "forceTerminateTransaction": return done(admin.forceTerminateTransaction(words[1]).result());
      case "cancelPartitionReassignments": return done(admin.alterPartitionReassignments(Map.of(at(own, 0), Optional.empty())).all());
      case "alterPartitionReassignments": return done(admin.alterPartitionReassignments(Map.of(at(own, 0), Optional.of(new NewPartitionReassignment(ids(words[2]))))).all());
      case "listPartitionReassignments": return reassignments();
      case "electLeaders": return elect(own);
      case "describeLogDirs": return logDirs();
      case "alterReplicaLogDirs": return done(admin.alterReplicaLogDirs(Map.of(new TopicPartitionReplica(own, 0, Integer.parseInt(words[2])), words[3])).all());
      case "describeReplicaLogDirs": return replicaLogDirs(own, Integer.parseInt(words[2]));
      case "createAcls": return done(admin.createAcls(List.of(acl(own))).all());
      case "describeAcls": return acls(admin.describeAcls(AclBindingFilter.ANY).values().get());
      case "deleteAcls": return acls(admin.deleteAcls(List.of(acl(own).toFilter())).all().get());
      case "alterUserScramCredentials": return done(admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(own, new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), "secret"))).all());
      case "describeUserScramCredentials": return users();
      case "alterClientQuotas": return done(admin.alterClientQuotas(List.of(new ClientQuotaAlteration(new ClientQuotaEntity(Map.of("user", own)), List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1000.0))))).all());
      case "describeClientQuotas": return quotas();
      case "createDelegationToken": return done(admin.createDelegationToken().delegationToken());
      case "renewDelegationToken": return done(admin.renewDelegationToken(new byte[] {1, 2}).expiryTimestamp());
      case "expireDelegationToken": return done(admin.expireDelegationToken(new byte[] {1, 2}).expiryTimestamp());
      case "describeDelegationToken": return admin.describeDelegationToken().delegationTokens().get().size();
      default: throw new IllegalArgumentException(operation);
    }
  }

  private static Object done(KafkaFuture<?> future) throws Exception {
    future.get();
    return "done";
  }

  private static TopicPartition at(String topic, int partition) {
    return new TopicPartition(topic, partition);
  }

  private static List<Integer> ids(String words) {
    List<Integer> found = new ArrayList<>();
    for (String word : words.split(",")) found.add(Integer.parseInt(word));
    return found;
  }

  /** ALTER_CONFIGS is alterConfigs. */
  private static String camel(Object name) {
    StringBuilder text = new StringBuilder();
    for (String word : name.toString().toLowerCase(Locale.ROOT).split("_")) {
      text.append(text.length() == 0 ? word : Character.toUpperCase(word.charAt(0)) + word.substring(1));
    }
    return text.toString();
  }

  private static Object operations(Collection<AclOperation> operations) {
    TreeSet<String> names = new TreeSet<>();
    if (operations != null) for (AclOperation operation : operations) names.add(camel(operation));
    return names;
  }

  private Object describeCluster(boolean withOperations) throws Exception {
    DescribeClusterResult result = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(withOperations));
    Map<String, Object> found = new TreeMap<>();
    found.put("clusterId", result.clusterId().get());
    TreeMap<Integer, Object> nodes = new TreeMap<>();
    for (Node node : result.nodes().get()) nodes.put(node.id(), node.host() + ":" + node.port() + ":" + node.rack());
    found.put("nodes", nodes);
    found.put("operations", operations(result.authorizedOperations().get()));
    return found;
  }

  private Object describeFencedBrokers() throws Exception {
    TreeMap<Integer, Object> nodes = new TreeMap<>();
    for (Node node : admin.describeCluster(new DescribeClusterOptions().includeFencedBrokers(true)).nodes().get()) nodes.put(node.id(), node.isFenced());
    return nodes;
  }

  private Object describeStreamsGroup(String group) throws Exception {
    StreamsGroupDescription found = admin.describeStreamsGroups(List.of(group)).all().get().get(group);
    Map<String, Object> topology = new TreeMap<>();
    for (StreamsGroupSubtopologyDescription one : found.subtopologies()) {
      topology.put(one.subtopologyId(), List.of(new TreeSet<>(one.sourceTopics()), new TreeSet<>(one.stateChangelogTopics().keySet())));
    }
    Map<String, Object> members = new TreeMap<>();
    for (StreamsGroupMemberDescription one : found.members()) {
      members.put(one.memberId(), List.of(one.memberEpoch(), one.clientId(), one.clientHost(), one.topologyEpoch(), one.processId(), new TreeMap<>(one.clientTags()), one.isClassic(), tasks(one.assignment().activeTasks()), tasks(one.targetAssignment().activeTasks())));
    }
    return List.of(found.groupState().toString(), found.groupEpoch(), found.targetAssignmentEpoch(), found.topologyEpoch(), topology, members);
  }

  private static Object tasks(Collection<StreamsGroupMemberAssignment.TaskIds> ids) {
    Map<String, Object> found = new TreeMap<>();
    for (StreamsGroupMemberAssignment.TaskIds one : ids) found.put(one.subtopologyId(), new TreeSet<>(one.partitions()));
    return found;
  }

  private Object describeFeatures() throws Exception {
    FeatureMetadata metadata = admin.describeFeatures().featureMetadata().get();
    Map<String, Object> found = new TreeMap<>();
    metadata.supportedFeatures().forEach((name, range) -> {
      FinalizedVersionRange level = metadata.finalizedFeatures().get(name);
      found.put(name, List.of(range.minVersion(), range.maxVersion(), level == null ? -1 : level.maxVersionLevel()));
    });
    return found;
  }

  private Object updateFeatures() throws Exception {
    FeatureUpdate update = new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE);
    return done(admin.updateFeatures(Map.of("no.such.version", update), new UpdateFeaturesOptions().validateOnly(true)).all());
  }

  private Object quorum() throws Exception {
    QuorumInfo info = admin.describeMetadataQuorum().quorumInfo().get();
    Map<String, Object> found = new TreeMap<>();
    found.put("leader", info.leaderId());
    found.put("leaderEpoch", info.leaderEpoch());
    TreeMap<Integer, Object> voters = new TreeMap<>();
    for (QuorumInfo.ReplicaState state : info.voters()) voters.put(state.replicaId(), state.replicaDirectoryId().toString());
    found.put("voters", voters);
    TreeMap<Integer, Object> observers = new TreeMap<>();
    for (QuorumInfo.ReplicaState state : info.observers()) observers.put(state.replicaId(), state.replicaDirectoryId().toString());
    found.put("observers", observers);
    return found;
  }

  private Object describeTopics(List<String> names) throws Exception {
    List<Object> found = new ArrayList<>();
    Map<String, KafkaFuture<TopicDescription>> described = admin.describeTopics(names).topicNameValues();
    for (String name : names) {
      try {
        found.add(topicOf(described.get(name).get()));
      } catch (ExecutionException failed) {
        found.add(nameOf(failed.getCause()));
      }
    }
    return found;
  }

  private static Object topicOf(TopicDescription topic) {
    List<Object> partitions = new ArrayList<>();
    for (TopicPartitionInfo info : topic.partitions()) {
      Map<String, Object> partition = new TreeMap<>();
      partition.put("partition", info.partition());
      partition.put("leader", info.leader() == null ? -1 : info.leader().id());
      partition.put("replicas", idsOf(info.replicas()));
      partition.put("isr", new TreeSet<>(idsOf(info.isr())));
      partition.put("elr", info.elr() == null ? "none" : idsOf(info.elr()));
      partition.put("lastKnownElr", info.lastKnownElr() == null ? "none" : idsOf(info.lastKnownElr()));
      partitions.add(partition);
    }
    return List.of(topic.name(), topic.topicId().toString(), topic.isInternal(), partitions);
  }

  private static List<Integer> idsOf(List<Node> nodes) {
    List<Integer> found = new ArrayList<>();
    for (Node node : nodes) found.add(node.id());
    return found;
  }

  private Object createTopics(String own) throws Exception {
    NewTopic topic = new NewTopic(own + "-made", 2, (short) 2).configs(Map.of("retention.ms", "123456"));
    KafkaFuture<Void> dry = admin.createTopics(List.of(topic), new CreateTopicsOptions().validateOnly(true)).all();
    dry.get();
    admin.createTopics(List.of(topic)).all().get();
    try {
      return done(admin.createTopics(List.of(topic)).all());
    } catch (ExecutionException again) {
      return nameOf(again.getCause());
    }
  }

  private Object listOffsets(String own, String position) throws Exception {
    OffsetSpec spec = switch (position) {
      case "earliest" -> OffsetSpec.earliest();
      case "latest" -> OffsetSpec.latest();
      case "maxTimestamp" -> OffsetSpec.maxTimestamp();
      case "earliestLocal" -> OffsetSpec.earliestLocal();
      case "latestTiered" -> OffsetSpec.latestTiered();
      case "earliestPendingUpload" -> OffsetSpec.earliestPendingUpload();
      default -> throw new IllegalArgumentException(position);
    };
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    for (int partition = 0; partition < 3; partition++) asked.put(at(own, partition), spec);
    Map<String, Object> found = new TreeMap<>();
    admin.listOffsets(asked).all().get().forEach((partition, info) ->
        found.put(partition.toString(), List.of(info.offset(), position.equals("maxTimestamp") ? 0 : info.timestamp(), info.leaderEpoch().orElse(-1))));
    return found;
  }

  private Object describeConfigs(String type, String name) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.valueOf(type), name);
    DescribeConfigsOptions options = new DescribeConfigsOptions().includeSynonyms(true);
    Map<String, Object> found = new TreeMap<>();
    for (ConfigEntry entry : admin.describeConfigs(List.of(resource), options).all().get().get(resource).entries()) {
      List<Object> synonyms = new ArrayList<>();
      for (ConfigEntry.ConfigSynonym synonym : entry.synonyms()) synonyms.add(synonym.name() + "=" + synonym.value());
      found.put(entry.name(), Arrays.asList(entry.value(), entry.isDefault(), entry.isReadOnly(), entry.isSensitive(), entry.type().name().toLowerCase(Locale.ROOT), synonyms));
    }
    return found;
  }

  private Object alterConfigs(String own) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, own);
    return done(admin.incrementalAlterConfigs(Map.of(resource, List.of(
        new AlterConfigOp(new ConfigEntry("retention.ms", "777777"), AlterConfigOp.OpType.SET),
        new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND)))).all());
  }

  private Object listConfigResources() throws Exception {
    TreeSet<String> found = new TreeSet<>();
    for (ConfigResource resource : admin.listConfigResources().all().get()) found.add(camel(resource.type()) + ":" + resource.name());
    return found;
  }

  private Object listClientMetricsResources() throws Exception {
    TreeSet<String> found = new TreeSet<>();
    for (ClientMetricsResourceListing listing : admin.listClientMetricsResources().all().get()) found.add(listing.name());
    return found;
  }

  private Object listGroups() throws Exception {
    Map<String, Object> found = new TreeMap<>();
    for (GroupListing group : admin.listGroups().all().get()) {
      found.put(group.groupId(), List.of(group.protocol(), group.type().map(type -> camel(type.toString())).orElse("none"), group.groupState().map(Object::toString).orElse("none")));
    }
    return found;
  }

  private Object listConsumerGroups() throws Exception {
    TreeSet<String> found = new TreeSet<>();
    for (ConsumerGroupListing group : admin.listConsumerGroups().all().get()) found.add(group.groupId());
    return found;
  }

  private static Object members(Collection<MemberDescription> members) {
    Map<String, Object> found = new TreeMap<>();
    for (MemberDescription member : members) {
      TreeSet<String> assigned = new TreeSet<>();
      for (TopicPartition partition : member.assignment().topicPartitions()) assigned.add(partition.toString());
      found.put(member.consumerId(), List.of(member.clientId(), member.host(), member.groupInstanceId().orElse("none"), assigned));
    }
    return found;
  }

  private Object describeClassicGroup(String name) throws Exception {
    ClassicGroupDescription group = admin.describeClassicGroups(List.of(name), new DescribeClassicGroupsOptions().includeAuthorizedOperations(true)).all().get().get(name);
    return List.of(group.state().toString(), group.protocol(), group.protocolData(), members(group.members()), operations(group.authorizedOperations()));
  }

  private Object describeConsumerGroup(String name) throws Exception {
    ConsumerGroupDescription group = admin.describeConsumerGroups(List.of(name)).all().get().get(name);
    return List.of(group.state().toString(), group.partitionAssignor(), members(group.members()));
  }

  private Object describeShareGroup(String name) throws Exception {
    ShareGroupDescription group = admin.describeShareGroups(List.of(name), new DescribeShareGroupsOptions().includeAuthorizedOperations(true)).all().get().get(name);
    Map<String, Object> members = new TreeMap<>();
    for (ShareMemberDescription member : group.members()) {
      TreeSet<String> assigned = new TreeSet<>();
      for (TopicPartition partition : member.assignment().topicPartitions()) assigned.add(partition.toString());
      members.put(member.consumerId(), List.of(member.clientId(), member.host(), member.memberEpoch(), assigned));
    }
    return List.of(group.groupState().toString(), group.groupEpoch(), group.targetAssignmentEpoch(), members, operations(group.authorizedOperations()));
  }

  private static Object offsets(Map<TopicPartition, OffsetAndMetadata> offsets) {
    Map<String, Object> found = new TreeMap<>();
    offsets.forEach((partition, offset) -> {
      if (offset != null) found.put(partition.toString(), List.of(offset.offset(), offset.metadata(), offset.leaderEpoch().orElse(-1)));
    });
    return found;
  }

  private Object listStreamsGroupOffsets(String name) throws Exception {
    return offsets(admin.listStreamsGroupOffsets(Map.of(name, new ListStreamsGroupOffsetsSpec())).partitionsToOffsetAndMetadata(name).get());
  }

  private Object listShareGroupOffsets(String name) throws Exception {
    Map<String, Object> found = new TreeMap<>();
    admin.listShareGroupOffsets(Map.of(name, new ListShareGroupOffsetsSpec())).partitionsToOffsetInfo(name).get().forEach((partition, info) -> {
      if (info != null) found.put(partition.toString(), List.of(info.startOffset(), info.leaderEpoch().orElse(-1), info.lag().orElse(-1L)));
    });
    return found;
  }

  private static Map<TopicPartition, OffsetAndMetadata> committed(String own) {
    return Map.of(at(own, 0), new OffsetAndMetadata(2, "noted"), at(own, 2), new OffsetAndMetadata(1));
  }

  private Object producers(String own) throws Exception {
    Map<String, Object> found = new TreeMap<>();
    for (int partition = 0; partition < 3; partition++) {
      List<Object> states = new ArrayList<>();
      for (ProducerState state : admin.describeProducers(List.of(at(own, partition))).partitionResult(at(own, partition)).get().activeProducers()) {
        states.add(List.of(state.producerId(), state.producerEpoch(), state.lastSequence(), state.lastTimestamp(), state.coordinatorEpoch().orElse(-1), state.currentTransactionStartOffset().orElse(-1L)));
      }
      found.put("" + partition, states);
    }
    return found;
  }

  private Object describeTransaction(String id) throws Exception {
    TransactionDescription one = admin.describeTransactions(List.of(id)).description(id).get();
    TreeSet<String> partitions = new TreeSet<>();
    for (TopicPartition partition : one.topicPartitions()) partitions.add(partition.toString());
    return List.of(one.state().toString(), one.producerId(), one.producerEpoch(), one.transactionTimeoutMs(), one.transactionStartTimeMs().orElse(-1L), partitions);
  }

  private Object listTransactions() throws Exception {
    Map<String, Object> found = new TreeMap<>();
    for (TransactionListing one : admin.listTransactions().all().get()) found.put(one.transactionalId(), List.of(one.producerId(), one.state().toString()));
    return found;
  }

  private Object reassignments() throws Exception {
    Map<String, Object> found = new TreeMap<>();
    admin.listPartitionReassignments().reassignments().get().forEach((partition, one) ->
        found.put(partition.toString(), List.of(one.replicas(), one.addingReplicas(), one.removingReplicas())));
    return found;
  }

  private Object elect(String own) throws Exception {
    Map<String, Object> found = new TreeMap<>();
    admin.electLeaders(ElectionType.PREFERRED, Set.of(at(own, 0), at(own, 77))).partitions().get().forEach((partition, error) ->
        found.put(partition.toString(), error.map(AdminOperationsReferee::nameOf).orElse("elected")));
    return found;
  }

  private Object logDirs() throws Exception {
    Set<Integer> brokers = new HashSet<>();
    for (Node node : admin.describeCluster().nodes().get()) brokers.add(node.id());
    Map<String, Object> found = new TreeMap<>();
    admin.describeLogDirs(brokers).allDescriptions().get().forEach((broker, dirs) -> dirs.forEach((dir, description) -> {
      Map<String, Object> replicas = new TreeMap<>();
      description.replicaInfos().forEach((partition, info) -> {
        if (!partition.topic().startsWith("__")) replicas.put(partition.toString(), List.of(info.size(), info.offsetLag(), info.isFuture()));
      });
      found.put(broker + dir, List.of(description.totalBytes().orElse(-1), replicas));
    }));
    return found;
  }

  private Object replicaLogDirs(String own, int broker) throws Exception {
    TopicPartitionReplica replica = new TopicPartitionReplica(own, 0, broker);
    DescribeReplicaLogDirsResult.ReplicaLogDirInfo info = admin.describeReplicaLogDirs(List.of(replica)).all().get().get(replica);
    return Arrays.asList(info.getCurrentReplicaLogDir(), info.getCurrentReplicaOffsetLag(), info.getFutureReplicaLogDir());
  }

  private static AclBinding acl(String own) {
    return new AclBinding(new ResourcePattern(ResourceType.TOPIC, own, PatternType.LITERAL), new AccessControlEntry("User:" + own, "*", AclOperation.READ, AclPermissionType.ALLOW));
  }

  private static Object acls(Collection<AclBinding> bindings) {
    TreeSet<String> found = new TreeSet<>();
    for (AclBinding one : bindings) {
      found.add(String.join(" ", camel(one.pattern().resourceType()), one.pattern().name(), camel(one.pattern().patternType()), one.entry().principal(), one.entry().host(), camel(one.entry().operation()), camel(one.entry().permissionType())));
    }
    return found;
  }

  private Object users() throws Exception {
    Map<String, Object> found = new TreeMap<>();
    admin.describeUserScramCredentials().all().get().forEach((name, description) -> {
      List<Object> credentials = new ArrayList<>();
      for (ScramCredentialInfo info : description.credentialInfos()) credentials.add(info.mechanism().mechanismName() + ":" + info.iterations());
      found.put(name, credentials);
    });
    return found;
  }

  private Object quotas() throws Exception {
    Map<String, Object> found = new TreeMap<>();
    ClientQuotaFilter filter = ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofEntityType("user")));
    admin.describeClientQuotas(filter).entities().get().forEach((entity, values) -> found.put(entity.entries().get("user"), new TreeMap<>(values)));
    return found;
  }

  private static String json(Object value) {
    if (value instanceof Map<?, ?> map) {
      List<String> fields = new ArrayList<>();
      for (Map.Entry<?, ?> entry : map.entrySet()) fields.add(json(entry.getKey().toString()) + ":" + json(entry.getValue()));
      return "{" + String.join(",", fields) + "}";
    }
    if (value instanceof Collection<?> list) {
      List<String> elements = new ArrayList<>();
      for (Object element : list) elements.add(json(element));
      return "[" + String.join(",", elements) + "]";
    }
    if (value instanceof String text) return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ") + "\"";
    return String.valueOf(value);
  }
}
