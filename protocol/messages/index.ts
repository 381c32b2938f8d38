export { consumerProtocolAssignment, consumerProtocolSubscription } from './consumer-protocol.ts'
export { controlRecordTypeSchema, endTxnMarker } from './control-records.ts'
