import { expect } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KafkaClient } from '../../../../src/index.ts'
import type { ToolComparison } from './tool-comparison.ts'

export const accessAndTransactions: ToolComparison = {
  name: 'access and transactions: removes what the tools then no longer show',
  since: '4.0',
  run: async ({ samsa, tools, kafka, folder }) => {
    const file = join(folder.path, 'dave')
    writeFileSync(file, 'correct horse\n')
    await samsa.output(`user set dave --scram SCRAM-SHA-256 --new-password-file ${file}`)
    await samsa.output('quota set consumer_byte_rate=5000 --for-user dave --yes')
    expect(await tools.config('users', 'dave')).toMatch(/consumer_byte_rate=5000.*SCRAM-SHA-256/s)
    await samsa.output('quota unset consumer_byte_rate --for-user dave --yes')
    expect(await tools.config('users', 'dave')).not.toContain('consumer_byte_rate')
    await samsa.output('user delete dave --scram SCRAM-SHA-256 --yes --json')
    expect(await tools.config('users', 'dave')).not.toContain('SCRAM-SHA-256')

    await samsa.output('topic create torn -p 1 -r 1')
    const client = new KafkaClient({ hosts: kafka.hosts })
    const state = async () =>
      (await tools.run('transactions', ['describe', '--transactional-id', 'torn-1'])).stdout
    try {
      const producer = await client.getTransactionalProducer({ transactionalId: 'torn-1' })
      const transaction = await producer.begin()
      await transaction.produce('torn', { value: 'x' })
      expect(await state()).toContain('Ongoing')
      expect(await samsa.json('transaction abort torn-1 --yes')).toEqual([
        { transactionalId: 'torn-1' },
      ])
    } finally {
      // It is fenced, and its transaction gone.
      await client.close().catch(() => undefined)
    }
    // Aborted, and then taken over by the producer id that fences the old one.
    const isOver = /CompleteAbort|Empty/
    await tools.until(async () => {
      const [found] = (await samsa.json('transaction describe torn-1')) as { state: string }[]
      return isOver.test(found!.state)
    })
    expect(await state()).toMatch(isOver)
    expect(await samsa.output('consume torn --read-committed --count-only')).toBe('0\n')
  },
}

export const transactionsAndVerifiablePrograms: ToolComparison = {
  name: 'transactions and verifiable programs: behave as the Java ones',
  since: '4.0',
  run: async ({ samsa, tools }) => {
    await samsa.output('topic create whole -p 1 -r 1')
    await samsa.output('produce whole --transaction nightly', { input: 'a\nb\n' })
    const listed = async () => (await tools.run('transactions', ['list'])).stdout
    const isCommitted = /nightly\s+\d+\s+\d+\s+CompleteCommit/
    // The coordinator responds in PrepareCommit, and completes the transaction afterwards.
    await tools.until(async () => isCommitted.test(await listed()))
    expect(await listed()).toMatch(isCommitted)
    expect(await samsa.json('transactions')).toMatchObject({
      // Another test leaves one of its own.
      transactions: expect.arrayContaining([
        expect.objectContaining({ transactionalId: 'nightly', state: 'CompleteCommit' }),
      ]),
    })
    const described = (
      await tools.run('transactions', ['describe', '--transactional-id', 'nightly'])
    ).stdout
    const [ours] = (await samsa.json('transaction describe nightly')) as {
      producerId: number
    }[]
    expect(described).toMatch(new RegExp(`\\s${ours!.producerId}\\s`))
    const readCommitted = [
      '--topic',
      'whole',
      '--from-beginning',
      '--max-messages',
      '2',
      '--isolation-level',
      'read_committed',
    ]
    expect(await tools.lines('consume', readCommitted)).toEqual(['a', 'b'])

    const args = [
      '--topic',
      'whole',
      '--max-messages',
      '2',
      '--value-prefix',
      '7',
      '--repeating-keys',
      '2',
    ]
    const shape = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => {
          const event = JSON.parse(line) as Record<string, unknown>
          const types = Object.entries(event).map(([key, value]) => [
            key,
            value === null ? 'null' : typeof value,
          ])
          return { name: event['name'], types: Object.fromEntries(types) as unknown }
        })
    const sent = shape(await samsa.output(['verifiable-producer', ...args]))
    expect(sent).toEqual(shape(await tools.separately('verifiable-producer', args)))
    const reading = ['--topic', 'whole', '--max-messages', '2', '--verbose', '--group-id']
    const read = shape(await samsa.output(['verifiable-consumer', ...reading, 'ours']))
    const byJava = shape(await tools.separately('verifiable-consumer', [...reading, 'theirs']))
    // Java's, from 4.3 on, prints shutdown_requested when its JVM ends, whatever for: ours on a signal.
    const byName = (events: typeof read) => new Map(events.map(({ name, types }) => [name, types]))
    const expected = byName(byJava.filter(({ name }) => name !== 'shutdown_requested'))
    expect(byName(read)).toEqual(expected)
  },
}
