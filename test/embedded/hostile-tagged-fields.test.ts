import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { apiVersions } from '../../protocol/apis/api-versions.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { FakeBroker } from '../support/fake-broker.ts'
import { layoutOf, metadataOf, tellLayout } from '../support/fake-cluster.ts'
import { responseWithTaggedFields } from '../support/hostile/tagged-fields.ts'
import { runCommand } from '../support/run-command.ts'

const MIB = 1024 * 1024

let broker: FakeBroker
beforeEach(async () => {
  broker = await FakeBroker.start()
  tellLayout(layoutOf([broker], { t: [1] }), broker)
})
afterEach(() => broker.stop())

interface Outcome {
  readonly code?: string
  readonly message?: string
  readonly partitions?: number
  readonly grownBytes: number
}

/** The outcome of a request by a client with a heap of 64 MB. The process must end by itself. */
async function ask(): Promise<Outcome> {
  const node = ['--import', 'tsx', '--max-old-space-size=64', 'test/support/hostile/asker.ts']
  const { exitCode, stdout, stderr } = await runCommand(process.execPath, [
    ...node,
    broker.name,
    't',
  ])
  // The client warns of a connection that it could not open; V8 writes there before it ends a process.
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) })
  return JSON.parse(stdout.toString()) as Outcome
}

describe('a process with a small heap that receives responses full of unknown tagged fields', () => {
  it('rejects one of 31 MB before the connection is ready, and names the limit that it exceeds', async () => {
    broker.handle(apiVersions, (_, received) => {
      const body = { errorCode: 0, apiKeys: [] }
      received.socket.write(responseWithTaggedFields(apiVersions, received, body, 31_000_000))
      return undefined
    })
    const { code, message, grownBytes } = await ask()
    expect({ code, message }).toEqual({
      code: 'NO_BROKERS_AVAILABLE',
      message: expect.stringMatching(/sent a response of 310\d+ bytes .*\(maxResponseBytes\)/),
    })
    expect(grownBytes).toBeLessThan(16 * MIB)
  })

  it('accepts one of 8 MB after that, and keeps none of the fields', async () => {
    broker.handle(metadata, ({ topics }, received) => {
      const names = (topics ?? []).map(({ name }) => name ?? '')
      const body = metadataOf(layoutOf([broker], { t: [1] }), names)
      received.socket.write(responseWithTaggedFields(metadata, received, body, 8_000_000))
      return undefined
    })
    const { partitions, grownBytes } = await ask()
    expect(partitions).toBe(1)
    // Four million fields: about 400 MB, were they kept.
    expect(grownBytes).toBeLessThan(128 * MIB)
  })
})
