import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { RealZooKeeper } from '../support/zookeeper/real.ts'
import { Side } from '../support/zookeeper/side.ts'
import { randomChapter } from '../support/zookeeper/random-steps.ts'
import { CHAPTERS } from '../support/zookeeper/steps.ts'

/** No session expires by itself, no matter how long a request takes: it would on one side first. */
const MIN_SESSION_TIMEOUT_MS = 15_000
const MAX_SESSION_TIMEOUT_MS = 60_000
/** Another one in each run; its name says which. */
const SEED = Date.now() % 1_000_000

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

describeWithBrokers('the embedded ZooKeeper compared with a real one', ['java'], () => {
  let server: RealZooKeeper
  let embedded: EmbeddedZooKeeper
  let real: Side
  let ours: Side

  beforeAll(async () => {
    server = await RealZooKeeper.start({
      minSessionTimeout: String(MIN_SESSION_TIMEOUT_MS),
      maxSessionTimeout: String(MAX_SESSION_TIMEOUT_MS),
    })
    embedded = await EmbeddedZooKeeper.start({
      minSessionTimeoutMs: MIN_SESSION_TIMEOUT_MS,
      maxSessionTimeoutMs: MAX_SESSION_TIMEOUT_MS,
    })
    real = new Side(server.port)
    ours = new Side(embedded.port)
  })

  afterAll(async () => {
    real[Symbol.dispose]()
    ours[Symbol.dispose]()
    await embedded.stop()
    await server[Symbol.asyncDispose]()
  })

  it.each([...CHAPTERS, randomChapter(SEED, 1_500)])(
    'returns the same responses, field by field: $name',
    async ({ name, tell }) => {
      const [from, ourFrom] = [real.lines.length, ours.lines.length]
      await Promise.all([tell(real), tell(ours)])
      const [theirLines, ourLines] = [real.lines.slice(from), ours.lines.slice(ourFrom)]
      expect(theirLines.length).toBeGreaterThan(10)
      expect(differences(name, theirLines, ourLines)).toEqual([])
    },
  )
})
