/** What the programs share. Each runs in a folder of its own, in which `kafkajs` is kafkajs from npm or the alias for it. */
import kafkajs from 'kafkajs'

export const { Kafka, logLevel } = kafkajs
export const brokers = process.env.BROKERS.split(',')

export function newKafka(config = {}) {
  return new Kafka({ clientId: 'program', brokers, logLevel: logLevel.NOTHING, ...config })
}

/** A name that no other run of a program uses on the same brokers. */
export const unique = (name) => `${process.env.PREFIX}.${name}`

export async function createTopics(topics, kafka = newKafka()) {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics, waitForLeaders: true })
  await admin.disconnect()
}

/** Resolves when `count` has been called `times` times. */
export function countdown(times) {
  const { promise, resolve } = withResolvers()
  let left = times
  const count = () => {
    if (--left === 0) resolve()
  }
  return { done: promise, count }
}

function withResolvers() {
  let resolve
  const promise = new Promise((fulfil) => (resolve = fulfil))
  return { promise, resolve }
}

/** Prints the result, which the test compares. */
export function report(result) {
  const text = JSON.stringify(result).replaceAll(`${process.env.PREFIX}.`, '')
  process.stdout.write(`\nRESULT ${text}\n`, () => process.exit())
}

export const sorted = (values) => [...values].sort()
