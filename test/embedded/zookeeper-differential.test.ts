import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import type { JavaProcess } from '../support/kafka/java.ts'
import { freePorts } from '../support/kafka/ports.ts'
import { startZooKeeper } from '../support/kafka/zookeeper.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { Side } from '../support/zookeeper/side.ts'
import { CHAPTERS } from '../support/zookeeper/steps.ts'

/** Lines of the two that differ, with where in the story they are. */
function differences(name: string, real: readonly string[], embedded: readonly string[]): string[] {
  const found: string[] = []
  let asked = name
  for (let i = 0; i < Math.max(real.length, embedded.length); i++) {
    const [theirs, ours] = [real[i], embedded[i]]
    if (theirs?.includes(' < ') === true) asked = theirs
    if (theirs !== ours) found.push(`${name}: ${asked}\n  real:     ${theirs}\n  embedded: ${ours}`)
  }
  return found
}

describeWithBrokers('the embedded ZooKeeper beside a real one', ['java'], () => {
  let folder: string
  let java: JavaProcess
  let embedded: EmbeddedZooKeeper
  let real: Side
  let ours: Side

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'samsa-zookeeper-'))
    const [port] = await freePorts(1)
    java = await startZooKeeper({ folder, port: port! })
    embedded = await EmbeddedZooKeeper.start({
      minSessionTimeoutMs: 1_000,
      maxSessionTimeoutMs: 60_000,
    })
    real = new Side(port!)
    ours = new Side(embedded.port)
  }, 90_000)

  afterAll(async () => {
    real[Symbol.dispose]()
    ours[Symbol.dispose]()
    await embedded.stop()
    await java.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it.each(CHAPTERS)('answers the same, field by field: $name', async ({ name, tell }) => {
    const [from, ourFrom] = [real.lines.length, ours.lines.length]
    await Promise.all([tell(real), tell(ours)])
    const [theirLines, ourLines] = [real.lines.slice(from), ours.lines.slice(ourFrom)]
    expect(theirLines.length).toBeGreaterThan(10)
    expect(differences(name, theirLines, ourLines)).toEqual([])
  })
})
