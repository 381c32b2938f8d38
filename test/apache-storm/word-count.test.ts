import { expect, it } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWithStorm } from '../support/storm/describe-with-storm.ts'
import { LocalStorm } from '../support/storm/local-storm.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { PATIENCE_MS } from '../support/patience.ts'

/** What the topology's file says, by hand. */
const EXPECTED = {
  ...{ the: 100, cow: 50, jumped: 50, over: 50, moon: 50, an: 50, apple: 50, a: 50, day: 50 },
  ...{ four: 50, score: 50, and: 100, seven: 50, 雪: 50, '✨': 50 },
}

describeWithStorm('a word count on Apache Storm', () => {
  it('counts each word exactly once, each in one task', async () => {
    using folder = new TemporaryFolder()
    const results = join(folder.path, 'results')
    const read = (): readonly [number, string, number][] =>
      existsSync(results)
        ? readFileSync(results, 'utf8')
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as [number, string, number])
        : []
    const total = Object.values(EXPECTED).reduce((sum, count) => sum + count, 0)
    await using storm = await LocalStorm.start({
      file: 'test/apache-storm/topologies/word-count.ts',
      config: { 'test.results': results },
    })
    await storm.until(() => read().length >= total, 'all words are counted', PATIENCE_MS)
    const last = Object.fromEntries(read().map(([, word, count]) => [word, count]))
    expect(last).toEqual(EXPECTED)
    expect(read()).toHaveLength(total)
    const tasks = new Map(Object.keys(EXPECTED).map((word) => [word, new Set<number>()]))
    for (const [task, word] of read()) tasks.get(word)!.add(task)
    expect([...tasks.values()].every((of) => of.size === 1)).toBe(true)
    expect(storm.output).toContain('splits off cow')
  })
})
