/** Microservices of NestJS: requests with replies by two clients of a group, events, errors, retries and commits. */
import 'reflect-metadata'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import * as microservices from '@nestjs/microservices'
import { firstValueFrom, from, lastValueFrom, toArray } from 'rxjs'
import { brokers, countdown, createTopics, newKafka, report, sorted, unique } from './world.mjs'

const { ClientKafka, Ctx, EventPattern, MessagePattern, Payload, Transport } = microservices
const { KafkaRetriableException, RpcException } = microservices

const REQUESTS = ['sum', 'echo', 'many', 'fail', 'retried'].map(unique)
const [SUM, ECHO, MANY, FAIL, RETRIED] = REQUESTS
const ORDERS = unique('orders')
const MATCHED = unique('matched.a')
const events = []
const arrived = countdown(4)
let attempts = 0

class Handlers {
  sum(numbers) {
    return numbers.reduce((total, one) => total + one, 0)
  }

  async echo(value, context) {
    const { key, headers } = context.getMessage()
    await context.getHeartbeat()()
    return {
      key: 'reply',
      value: { value, key, extra: headers.extra, topic: context.getTopic() },
      headers: { place: 'server' },
    }
  }

  many(count) {
    return from(Array.from({ length: count }, (_, i) => i))
  }

  fail() {
    throw new RpcException('no such order')
  }

  retried() {
    attempts++
    if (attempts === 1) throw new KafkaRetriableException('once more')
    return attempts
  }

  async ordered(value, context) {
    const { offset } = context.getMessage()
    const partition = context.getPartition()
    const topic = context.getTopic()
    await context
      .getConsumer()
      .commitOffsets([{ topic, partition, offset: String(Number(offset) + 1) }])
    events.push(`order ${JSON.stringify(value)} at ${offset}`)
    arrived.count()
  }

  matched(value, context) {
    events.push(`matched ${JSON.stringify(value)} of ${context.getTopic()}`)
    arrived.count()
  }
}

function AppModule() {}

/** The decorators of NestJS, as the compiler of TypeScript would apply them. */
function decorate(name, pattern) {
  const descriptor = Object.getOwnPropertyDescriptor(Handlers.prototype, name)
  Payload()(Handlers.prototype, name, 0)
  Ctx()(Handlers.prototype, name, 1)
  pattern(Handlers.prototype, name, descriptor)
}

decorate('sum', MessagePattern(SUM))
decorate('echo', MessagePattern(ECHO))
decorate('many', MessagePattern(MANY))
decorate('fail', MessagePattern(FAIL))
decorate('retried', MessagePattern(RETRIED))
decorate('ordered', EventPattern(ORDERS))
decorate('matched', EventPattern(new RegExp(`^${MATCHED.slice(0, -1).replaceAll('.', '\\.')}`)))
Controller()(Handlers)
Module({ controllers: [Handlers] })(AppModule)

const replies = REQUESTS.map((topic) => `${topic}.reply`)
await createTopics([
  ...[...REQUESTS, ORDERS, MATCHED].map((topic) => ({ topic, numPartitions: 1 })),
  ...replies.map((topic) => ({ topic, numPartitions: 2 })),
])

const retry = { initialRetryTime: 50 }
const app = await NestFactory.createMicroservice(AppModule, {
  transport: Transport.KAFKA,
  logger: false,
  options: {
    client: { clientId: 'app', brokers, retry },
    consumer: { groupId: unique('app'), maxWaitTimeInMs: 50 },
    subscribe: { fromBeginning: true },
  },
})
const serverStates = []
app.status.subscribe((state) => serverStates.push(state))
await app.listen()

async function connectedClient() {
  const client = new ClientKafka({
    client: { clientId: 'asking', brokers, retry },
    consumer: { groupId: unique('asking'), heartbeatInterval: 200, maxWaitTimeInMs: 50 },
  })
  const states = []
  client.status.subscribe((state) => states.push(state))
  for (const topic of REQUESTS) client.subscribeToResponseOf(topic)
  await client.connect()
  return { client, states }
}

const first = await connectedClient()
const second = await connectedClient()
const partitionsOf = ({ client }) =>
  sorted(replies.map((topic) => client.getConsumerAssignments()[topic] ?? 'none'))

/** Both clients have one partition of each topic when the group has its second generation. */
async function shared() {
  for (;;) {
    const all = [partitionsOf(first), partitionsOf(second)].map((one) => one.join())
    if (sorted(all).join(' ') === '0,0,0,0,0 1,1,1,1,1') return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
await shared()

const asked = {}
for (const [name, { client }] of Object.entries({ first, second })) {
  const many = client.send(MANY, 3).pipe(toArray())
  asked[name] = {
    sum: await firstValueFrom(client.send(SUM, [1, 2, 3])),
    echo: await firstValueFrom(
      client.send(ECHO, { key: 'k', value: { a: 1 }, headers: { extra: 'x' } }),
    ),
    many: await lastValueFrom(many),
    fail: await firstValueFrom(client.send(FAIL, {})).catch((error) => ({ thrown: error })),
    retried: await firstValueFrom(client.send(RETRIED, {})),
  }
}

const { client } = first
const sent = await lastValueFrom(client.emit(ORDERS, { id: 1 }))
await lastValueFrom(
  client.emitBatch(ORDERS, { messages: [{ value: { id: 2 } }, { key: 'k', value: { id: 3 } }] }),
)
const producing = new ClientKafka({ client: { brokers }, producerOnlyMode: true })
await lastValueFrom(producing.emit(MATCHED, 'text'))
await arrived.done

await producing.close()
await second.client.close()
await first.client.close()
await app.close()

const admin = newKafka().admin()
await admin.connect()
const committed = await admin.fetchOffsets({
  groupId: `${unique('app')}-server`,
  topics: [SUM, ORDERS],
})
await admin.disconnect()

report({
  asked,
  events: sorted(events),
  sent: sent.map(({ topicName, errorCode, baseOffset }) => ({ topicName, errorCode, baseOffset })),
  committed: committed.map(({ topic, partitions }) => ({ topic, offset: partitions[0].offset })),
  states: { server: serverStates, rebalanced: first.states.includes('rebalancing') },
})
