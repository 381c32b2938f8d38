import { Message } from '../schema/api.ts'
import { array, bytes, int32, string } from '../schema/fields.ts'

/**
 * What consumers of a classic group tell each other through JoinGroup and SyncGroup. Brokers only
 * pass it on. A member may be newer than its leader: versions only ever add fields at the end, so
 * what is newer is read as the newest known version, and bytes left over are no error.
 */

/** The topics a member wants (and from v1 the partitions it holds, KIP-429), sent in JoinGroup. */
export const consumerProtocolSubscription = new Message(
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

/** The partitions a member gets from the leader, sent in SyncGroup. */
export const consumerProtocolAssignment = new Message('ConsumerProtocolAssignment', '0-3', 'none', {
  assignedPartitions: array('0+', {
    topic: string('0+'),
    partitions: array('0+', 'int32'),
  }),
  userData: bytes('0+', { default: null, nullable: '0+' }),
})
