import { expect } from '@jest/globals'
import { builtCommand } from '../../../support/built.ts'
import { RunningCommand } from '../../../support/running-command.ts'
import type { ToolComparison } from './tool-comparison.ts'

export const cluster: ToolComparison = {
  name: 'the cluster: shows versions, disks, features and quorum, moves partitions and elects leaders as the tools do',
  run: async ({ samsa, tools, isNew }) => {
    const { brokers } = (await samsa.json('cluster describe')) as {
      brokers: { broker: number }[]
    }
    expect(brokers.map(({ broker }) => broker)).toEqual([1, 2])
    const ranges = (await samsa.json('cluster api-versions --broker 1')) as {
      key: number
      minVersion: number
      maxVersion: number
    }[]
    const byTool = (await tools.run('versions', [])).stdout
    const first = byTool.slice(byTool.indexOf('(id: 1'))
    // Of both brokers; versions are the same.
    const found = [
      ...first
        .slice(0, first.indexOf('\n)'))
        .matchAll(/\w+\((\d+)\): (?:(\d+) to (\d+)|(\d+))(?= )/g),
    ]
    expect(found.length).toBeGreaterThan(30)
    for (const [, key, min, max, only] of found) {
      const ours = ranges.find((one) => one.key === Number(key))
      expect(ours).toMatchObject({
        minVersion: Number(min ?? only),
        maxVersion: Number(max ?? only),
      })
    }

    await samsa.output('topic create moving -p 1 -r 1')
    await samsa.output('produce moving', { input: 'x\n' })
    const [dirs] = (await samsa.json('logdirs --broker 1')) as { logDirs: { logDir: string }[] }[]
    expect((await tools.run('logdirs', ['--describe', '--broker-list', '1'])).stdout).toContain(
      dirs!.logDirs[0]!.logDir,
    )

    if (!isNew) {
      expect((await samsa.run('reassign status')).stderr).toContain('from 2.4 on')
      expect((await samsa.run('transactions')).stderr).toContain('from 3.0 on')
      return
    }
    const features = (await samsa.json('cluster features')) as {
      feature: string
      finalizedVersion?: number
    }[]
    const ofTool = (await tools.run('features', ['describe'])).stdout
    for (const { feature } of features) expect(ofTool).toContain(`Feature: ${feature}`)
    const quorum = (await samsa.json('cluster quorum')) as { leader: number }
    expect((await tools.run('quorum', ['describe', '--status'])).stdout).toMatch(
      new RegExp(`LeaderId:\\s+${quorum.leader}\\b`),
    )

    const move = await samsa.run('reassign run moving --replication-factor 2 --wait --yes --json')
    expect(move.exitCode).toBe(0)
    const moved = await tools.lines('topics', ['--describe', '--topic', 'moving'])
    expect(moved.find((line) => line.includes('Partition: 0'))).toMatch(/Replicas: (?:1,2|2,1)/)
    expect((await tools.run('reassign', ['--list'])).stdout).toContain('No partition reassignments')
    await samsa.run('elect moving --yes')
    const [one] = (await samsa.json('topic describe moving')) as {
      partitions: { leader: number; replicas: number[] }[]
    }[]
    expect(one!.partitions[0]!.leader).toBe(one!.partitions[0]!.replicas[0])
  },
}

export const throttledMove: ToolComparison = {
  name: 'a throttled move: the tool lists the move that the command starts, and the command cancels it',
  since: '4.0',
  run: async ({ samsa, tools, kafka }) => {
    await samsa.output('topic create heavy --replica-assignment 1')
    const input = `${'x'.repeat(9_999)}\n`.repeat(800)
    await samsa.output('produce heavy', { input })
    const list = async () => (await tools.run('reassign', ['--list'])).stdout
    const line = 'reassign run heavy --to-brokers 2 --throttle 1k --wait --yes'
    await using moving = new RunningCommand(process.execPath, [
      builtCommand(),
      ...line.split(' '),
      '-b',
      kafka.hosts,
    ])
    await tools.until(async () => ((await samsa.json('reassign status')) as unknown[]).length > 0)
    expect(await list()).toMatch(/heavy-0: replicas: (?:1,2|2,1)/)
    expect(await tools.config('topics', 'heavy')).toContain('replication.throttled.replicas')
    expect(await samsa.json('reassign cancel --yes')).toEqual([{ topic: 'heavy', partition: 0 }])
    expect(await list()).toContain('No partition reassignments')
    await moving.ended
    expect(await tools.config('topics', 'heavy')).not.toContain('throttled.replicas')
    const described = await tools.lines('topics', ['--describe', '--topic', 'heavy'])
    expect(described.find((one) => one.includes('Partition: 0'))).toMatch(/Replicas: 1\s/)
  },
}
