import { expect } from '@jest/globals'
import type { ToolComparison } from './tool-comparison.ts'

export const topics: ToolComparison = {
  name: 'topics: lists, describes, configures, grows and deletes as the tools do',
  run: async ({ samsa, tools }) => {
    await samsa.output('topic create orders -p 2 -r 2 -c retention.ms=3600000')
    await tools.run('topics', [
      '--create',
      '--topic',
      'by-tool',
      '--partitions',
      '1',
      '--replication-factor',
      '1',
    ])
    const listed = (await samsa.json('topics')) as { topic: string }[]
    const byTool = await tools.lines('topics', ['--list'])
    expect(listed.map(({ topic }) => topic)).toEqual(
      byTool.filter((name) => !name.startsWith('__')).sort(),
    )

    const [described] = (await samsa.json('topic describe orders')) as {
      partitions: { partition: number; leader: number; replicas: number[]; isr: number[] }[]
    }[]
    const rows = (await tools.lines('topics', ['--describe', '--topic', 'orders'])).flatMap(
      (line) => {
        const match = /Partition: (\d+)\s+Leader: (\d+)\s+Replicas: ([\d,]+)\s+Isr: ([\d,]+)/.exec(
          line,
        )
        if (match === null) return []
        const numbers = (text: string) => text.split(',').map(Number)
        const [, partition, leader, replicas, isr] = match
        return [
          {
            partition: Number(partition),
            leader: Number(leader),
            replicas: numbers(replicas!),
            isr: numbers(isr!),
          },
        ]
      },
    )
    const ours = described!.partitions.map(({ partition, leader, replicas, isr }) => ({
      partition,
      leader,
      replicas,
      isr,
    }))
    expect(ours).toEqual(rows)

    expect(await tools.config('topics', 'orders')).toContain('retention.ms=3600000')
    await samsa.output('config set orders retention.ms=7200000 --yes --json')
    expect(await tools.config('topics', 'orders')).toContain('retention.ms=7200000')
    expect(await samsa.output('config get orders retention.ms --plain')).toBe('7200000\n')
    await samsa.output('config unset orders retention.ms --yes --json')
    expect(await tools.config('topics', 'orders')).not.toContain('retention.ms')

    await samsa.output('topic alter orders -p 3 --yes --json')
    const grown = await tools.lines('topics', ['--describe', '--topic', 'orders'])
    expect(grown.filter((line) => /Partition: \d/.test(line))).toHaveLength(3)
    await samsa.output('topic delete by-tool --yes --json')
    expect(await tools.lines('topics', ['--list'])).not.toContain('by-tool')
  },
}
