import { apis } from '../../../protocol/apis/index.ts'
import { requestHeader, responseHeader } from '../../../protocol/headers.ts'
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  controlRecordTypeSchema,
  endTxnMarker,
} from '../../../protocol/messages/index.ts'
import type { MessageSchema } from '../../../protocol/schema/api.ts'
import type { Fields } from '../../../protocol/schema/fields.ts'
import type { KafkaVersion } from './jars.ts'

/** Everything that is declared, by the name of Kafka's definition of it. */
export const declaredMessages: ReadonlyMap<string, MessageSchema<Fields>> = new Map<
  string,
  MessageSchema<Fields>
>([
  ...apis.flatMap(({ name, request, response }): [string, MessageSchema<Fields>][] => [
    [`${name}Request`, request],
    [`${name}Response`, response],
  ]),
  ['RequestHeader', requestHeader],
  ['ResponseHeader', responseHeader],
  ['ConsumerProtocolSubscription', consumerProtocolSubscription],
  ['ConsumerProtocolAssignment', consumerProtocolAssignment],
  ['ControlRecordTypeSchema', controlRecordTypeSchema],
  ['EndTxnMarker', endTxnMarker],
])

/** 4.1 gave the API another name (KIP-1142); its key and version 0 are the same. */
const NAMES_IN_3_9: ReadonlyMap<string, string> = new Map([
  ['ListConfigResourcesRequest', 'ListClientMetricsResourcesRequest'],
  ['ListConfigResourcesResponse', 'ListClientMetricsResourcesResponse'],
])

/** What that Kafka calls the message. */
export function nameIn(kafka: KafkaVersion, name: string): string {
  return kafka === '3.9.1' ? (NAMES_IN_3_9.get(name) ?? name) : name
}
