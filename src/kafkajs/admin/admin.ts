import { watchNetwork } from '../connection/network-events.ts'
import { Session } from '../connection/session.ts'
import { TopicMetadata } from '../connection/topic-metadata.ts'
import { Emitter } from '../emitter.ts'
import { ADMIN_EVENTS } from '../events.ts'
import { retrySettings } from '../retry.ts'
import type { Admin, AdminConfig } from '../types/admin.ts'
import type { KafkaConfig, Logger } from '../types/common.ts'
import type { AdminEventMap } from '../types/events.ts'
import { aclOperations } from './acls.ts'
import { configOperations } from './configs.ts'
import type { AdminParts } from './context.ts'
import { groupOperations } from './groups.ts'
import { offsetOperations } from './offsets.ts'
import { reassignmentOperations } from './reassignments.ts'
import { topicOperations } from './topics.ts'

export function createAdmin(kafka: KafkaConfig, config: AdminConfig, root: Logger): Admin {
  const logger = root.namespace('Admin')
  const emitter = new Emitter<AdminEventMap>('admin', ADMIN_EVENTS, logger)
  const retry = retrySettings({ ...kafka.retry, ...config.retry })
  const session = new Session({
    config: kafka,
    logger: root,
    retry,
    watch: (client) =>
      watchNetwork(client, {
        emitter,
        names: ADMIN_EVENTS,
        request: (event) => emitter.emit(ADMIN_EVENTS.REQUEST, event),
        requestTimeout: (event) => emitter.emit(ADMIN_EVENTS.REQUEST_TIMEOUT, event),
      }),
  })
  const parts: AdminParts = {
    session,
    topics: new TopicMetadata(session, retry, false, 0),
    retry,
    logger,
  }
  return {
    connect: async () => {
      await session.connect()
      emitter.emit(ADMIN_EVENTS.CONNECT)
    },
    disconnect: async () => {
      await session.disconnect()
      emitter.emit(ADMIN_EVENTS.DISCONNECT)
    },
    ...topicOperations(parts),
    ...offsetOperations(parts),
    ...configOperations(parts),
    ...groupOperations(parts),
    ...aclOperations(parts),
    ...reassignmentOperations(parts),
    on: emitter.on,
    events: ADMIN_EVENTS,
    logger: () => logger,
  }
}
