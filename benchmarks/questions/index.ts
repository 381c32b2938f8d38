import type { Question } from '../runner/question.ts'
import { acks } from './acks.ts'
import { admin } from './admin.ts'
import { codecs } from './codecs.ts'
import { consume } from './consume.ts'
import { delay } from './delay.ts'
import { group } from './group.ts'
import { growth } from './growth.ts'
import { kafkajs } from './kafkajs.ts'
import { latency } from './latency.ts'
import { limit } from './limit.ts'
import { members } from './members.ts'
import { options } from './options.ts'
import { partitions } from './partitions.ts'
import { produce } from './produce.ts'
import { pykafka } from './pykafka.ts'
import { rebalance } from './rebalance.ts'
import { share } from './share.ts'
import { sizes } from './sizes.ts'
import { slow } from './slow.ts'
import { start } from './start.ts'
import { storm } from './storm.ts'
import { tls } from './tls.ts'
import { transactions } from './transactions.ts'
import { transform } from './transform.ts'

/** In the order in which they are asked. */
export const QUESTIONS: readonly Question[] = [
  produce,
  consume,
  acks,
  sizes,
  codecs,
  partitions,
  tls,
  latency,
  delay,
  transform,
  transactions,
  group,
  members,
  rebalance,
  share,
  start,
  admin,
  slow,
  limit,
  options,
  growth,
  pykafka,
  kafkajs,
  storm,
]
