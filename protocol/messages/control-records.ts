import { MessageSchema } from '../schema/api.ts'
import { int16, int32 } from '../schema/fields.ts'

/**
 * Key and value of the control records that end a transaction in a log (KIP-98). Both begin with
 * the version as an int16, which is not part of the message.
 */

/** The key: 0 for an abort, 1 for a commit. Kafka uses other types internally. */
export const controlRecordTypeSchema = new MessageSchema('ControlRecordTypeSchema', '0', 'none', {
  type: int16('0+'),
})

/** The value. */
export const endTxnMarker = new MessageSchema('EndTxnMarker', '0', 'none', {
  coordinatorEpoch: int32('0+'),
})
