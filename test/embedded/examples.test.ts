import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { RunningCommand } from '../support/running-command.ts'

const HEADER = ['--no-warnings', '--import', 'tsx']

/** What each example prints. */
const PRINTED: Readonly<Record<string, readonly RegExp[]>> = {
  'getting-started.ts': [
    /written to partition \d at offset 2/,
    /read \/docs\.html of user-1 at offset 1/,
  ],
  'graceful-shutdown.ts': [/assigned 4 partitions/, /committed [1-9]\d* messages/],
  'concurrency.ts': [
    /up to [2-4] handlers ran/,
    /alice: 10 messages, in order/,
    /dave: 10 messages, in/,
  ],
  'dead-letters.ts': [/handled order 1\n[^]*handled order 2\n/, /dead letter not JSON: .*JSON/],
  'transactions.ts': [
    /aborted: Error: a failure in the middle of a transaction/,
    /100 invoices, 100 different ones/,
  ],
  'monitoring.ts': [/billed order \d/, /sent [1-9]\d* orders/],
  'admin.ts': [/orders has 4 partitions/, /retention\.ms is 3600000/, /partition 0 is 2/],
  'testing.test.ts': [/pass 1/, /fail 0/],
}
/** The programs that run until a signal, with what they do before the test sends it. */
const ENDLESS: Readonly<Record<string, (program: RunningCommand) => Promise<void>>> = {
  'graceful-shutdown.ts': async (program) => {
    await program.printed(/shipped order/)
  },
  'monitoring.ts': async (program) => {
    const [, url] = await program.printed(/listening on (http:\S+)/)
    await program.printed(/billed order/)
    const metrics = await fetch(`${url}/metrics`)
    expect(metrics.headers.get('content-type')).toContain('version=0.0.4')
    const delivered = /^samsa_consumer_messages_total\{.*group="billing".*\} [1-9]/m
    expect(await metrics.text()).toMatch(delivered)
    const health = await fetch(`${url}/health`)
    expect(health.status).toBe(200)
    expect(await health.json()).toEqual({ clientId: 'shop', live: true, ready: true, reasons: [] })
  },
}
/** A port that is free. */
const ENV = { PORT: '0' }
/** Modules that the programs share. */
const SHARED = ['cluster.ts']

const names = readdirSync('examples').filter(
  (name) => name.endsWith('.ts') && !SHARED.includes(name) && !name.startsWith('storm-'),
)

describe('the examples', () => {
  it.each(names)('%s runs to its end and prints what it shows', async (name) => {
    const args = name.endsWith('.test.ts') ? [...HEADER, '--test'] : HEADER
    await using program = new RunningCommand(process.execPath, [...args, `examples/${name}`], ENV)
    const whileItRuns = ENDLESS[name]
    if (whileItRuns !== undefined) {
      await whileItRuns(program)
      program.kill('SIGTERM')
    }
    const { exitCode } = await program.ended
    expect({ exitCode, stderr: program.stderr }).toEqual({ exitCode: 0, stderr: '' })
    for (const pattern of PRINTED[name] ?? []) expect(program.stdout).toMatch(pattern)
  })

  it('are all checked by this test', () => {
    expect(names.sort()).toEqual(Object.keys(PRINTED).sort())
  })

  it('are all listed in examples/README.md, which docs/README.md links', () => {
    const list = readFileSync('examples/README.md', 'utf8')
    for (const name of readdirSync('examples')) {
      if (name === 'README.md') continue
      expect(list).toContain(name)
    }
    expect(readFileSync('docs/README.md', 'utf8')).toContain('](../examples/README.md)')
  })
})
