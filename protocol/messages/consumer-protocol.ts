import { MessageSchema } from '../schema/api.ts'
import { array, bytes, int32, string } from '../schema/fields.ts'

/**
 * The messages that consumers of a classic group exchange through JoinGroup and SyncGroup. Brokers
 * only forward them. A member may be newer than its leader: new versions only add fields at the
 * end, so they are read as the newest known version, and remaining bytes are not an error.
 */

/**
 * The topics that a member subscribes to (and from v1 on the partitions that it owns, KIP-429),
 * sent in JoinGroup.
 */
export const consumerProtocolSubscription = new MessageSchema(
  'ConsumerProtocolSubscription',
  '0-3',
  'none',
  {
    topics: array('0+', 'string'),
    userData: bytes('0+', { default: null, nullable: '0+' }),
    ownedPartitions: array(
      '1+',
      {
        topic: string('1+'),
        partitions: array('1+', 'int32'),
      },
      { ignorable: true },
    ),
    generationId: int32('2+', { default: -1, ignorable: true }),
    rackId: string('3+', { default: null, nullable: '3+', ignorable: true }),
  },
)

/** The partitions that the leader assigns to a member, sent in SyncGroup. */
export const consumerProtocolAssignment = new MessageSchema(
  'ConsumerProtocolAssignment',
  '0-3',
  'none',
  {
    assignedPartitions: array('0+', {
      topic: string('0+'),
      partitions: array('0+', 'int32'),
    }),
    userData: bytes('0+', { default: null, nullable: '0+' }),
  },
)
