/**
 * The entry point `samsa/protocol`: the declarations of Kafka's APIs in all their versions, for
 * `client.request`, and what it takes to read their responses.
 */
export * from './apis/index.ts'
export {
  describeError,
  ErrorCode,
  type ErrorDescription,
  type ErrorName,
  type Recovery,
} from './errors.ts'
export type { Api, RequestOf, ResponseOf } from './schema/api.ts'
export type { Decoded, Encodable, Field, Fields, FieldType } from './schema/fields.ts'
export type { VersionRange } from './schema/versions.ts'
