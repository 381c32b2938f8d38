import type * as declared from './types/enums.ts'

/** The log levels. */
export const logLevel: typeof declared.logLevel = {
  NOTHING: 0,
  ERROR: 1,
  WARN: 2,
  INFO: 4,
  DEBUG: 5,
}
export type logLevel = declared.logLevel

/** The codecs of `send` and of `CompressionCodecs`. */
export const CompressionTypes: typeof declared.CompressionTypes = {
  None: 0,
  GZIP: 1,
  Snappy: 2,
  LZ4: 3,
  ZSTD: 4,
}
export type CompressionTypes = declared.CompressionTypes

/** The types of resources of `describeConfigs` and `alterConfigs`. */
export const ConfigResourceTypes: typeof declared.ConfigResourceTypes = {
  UNKNOWN: 0,
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
}
export type ConfigResourceTypes = declared.ConfigResourceTypes

/** Where the value of a configuration entry is set. */
export const ConfigSource: typeof declared.ConfigSource = {
  UNKNOWN: 0,
  TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
}
export type ConfigSource = declared.ConfigSource

/** The types of resources of an ACL. */
export const AclResourceTypes: typeof declared.AclResourceTypes = {
  UNKNOWN: 0,
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
}
export type AclResourceTypes = declared.AclResourceTypes

/** The operations that an ACL allows or denies. */
export const AclOperationTypes: typeof declared.AclOperationTypes = {
  UNKNOWN: 0,
  ANY: 1,
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
}
export type AclOperationTypes = declared.AclOperationTypes

/** Whether an ACL allows or denies. */
export const AclPermissionTypes: typeof declared.AclPermissionTypes = {
  UNKNOWN: 0,
  ANY: 1,
  DENY: 2,
  ALLOW: 3,
}
export type AclPermissionTypes = declared.AclPermissionTypes

/** How the resource name of an ACL is matched. */
export const ResourcePatternTypes: typeof declared.ResourcePatternTypes = {
  UNKNOWN: 0,
  ANY: 1,
  MATCH: 2,
  LITERAL: 3,
  PREFIXED: 4,
}
export type ResourcePatternTypes = declared.ResourcePatternTypes
