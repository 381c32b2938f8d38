import { expect, it } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWithStorm } from '../support/storm/describe-with-storm.ts'
import { LocalStorm } from '../support/storm/local-storm.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { PATIENCE_MS } from '../support/patience.ts'

const COUNT = 20

describeWithStorm('a topology on Apache Storm', () => {
  it('replays failed tuples, ticks, and emits to named streams and to tasks directly', async () => {
    using folder = new TemporaryFolder()
    const results = join(folder.path, 'results')
    const noted = (what: string): readonly number[][] =>
      (existsSync(results) ? readFileSync(results, 'utf8').split('\n') : [])
        // What follows the last line end is a line that is still being written.
        .slice(0, -1)
        .map((line) => JSON.parse(line) as [string, ...number[]])
        .filter(([name]) => name === what)
        .map(([, ...values]) => values)
    await using storm = await LocalStorm.start({
      file: 'test/apache-storm/topologies/features.ts',
      config: { 'test.results': results },
    })
    const isDone = (): boolean => noted('acked').length >= COUNT
    await storm.until(isDone, 'all tuples are acked', PATIENCE_MS)
    const all = Array.from({ length: COUNT }, (_, n) => n)
    const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b)
    // Each failed once, was emitted again, and acked once.
    expect(sorted(noted('acked').flat())).toEqual(all)
    const direct = new Map(noted('direct').map(([n, index]) => [n!, index]))
    expect(direct).toEqual(new Map(all.map((n) => [n, n % 2])))
    expect(noted('direct')).toHaveLength(COUNT)
    // Only ticks have processed the batches.
    expect(sorted(noted('batch').flat())).toEqual(all.filter((n) => n % 2 === 1))
    expect(noted('tasks')).toEqual(Array(COUNT / 2).fill([1]))
  })
})
