import { expect } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtCommand } from '../../../support/built.ts'
import { RunningCommand } from '../../../support/running-command.ts'
import type { ToolComparison } from './tool-comparison.ts'

export const groups: ToolComparison = {
  name: 'groups: shows the same members, lag and resets as the tool',
  run: async ({ samsa, tools }) => {
    await samsa.output('topic create work -p 2 -r 1')
    await samsa.output('produce work -p 0', { input: 'a\nb\nc\n' })
    await samsa.output('consume work -g workers --from-beginning -n 3')
    await samsa.output('produce work -p 0', { input: 'd\ne\n' })
    expect(await tools.lines('groups', ['--list'])).toContain('workers')
    const listed = (await samsa.json('groups')) as { groups: { group: string }[] }
    expect(listed.groups.map(({ group }) => group)).toContain('workers')
    const [lag] = (await samsa.json('lag workers')) as {
      lag: number
      partitions: { partition: number; offset?: number; endOffset: number; lag: number }[]
    }[]
    const described = await tools.run('groups', ['--describe', '--group', 'workers'])
    const rows = described.stdout.split('\n').flatMap((line) => {
      const match = /work\s+(\d+)\s+(\d+|-)\s+(\d+)\s+(\d+|-)/.exec(line)
      return match === null || match[2] === '-' ? [] : [match.slice(1, 5).map(Number)]
    })
    const committed = lag!.partitions.filter(({ offset }) => offset !== undefined)
    expect(committed.map((one) => [one.partition, one.offset, one.endOffset, one.lag])).toEqual(
      rows.sort((a, b) => a[0]! - b[0]!),
    )
    expect(lag!.lag).toBe(2)

    const ofTool = await tools.run('groups', [
      '--reset-offsets',
      '--group',
      'workers',
      '--topic',
      'work:0',
      '--to-earliest',
      '--dry-run',
    ])
    const planned = /work\s+0\s+(\d+)/.exec(ofTool.stdout)
    const ours = await samsa.json(
      'offsets reset workers --to earliest --topic work --partitions 0 --dry-run',
    )
    expect(ours).toEqual([{ topic: 'work', partition: 0, offset: Number(planned![1]) }])
    await samsa.output('offsets reset workers --to 2 --topic work --partitions 0 --yes --json')
    expect((await tools.run('groups', ['--describe', '--group', 'workers'])).stdout).toMatch(
      /work\s+0\s+2\s+5\s+3/,
    )
    await samsa.output('group delete workers --yes --json')
    expect(await tools.lines('groups', ['--list'])).not.toContain('workers')
  },
}

export const groupsAndSettings: ToolComparison = {
  name: 'groups and settings: shows the same copies, members, exports and differences as the tools',
  run: async ({ samsa, tools, kafka, folder, isNew }) => {
    await samsa.output('topic create kinds -p 1 -r 1 -c retention.ms=3600000')
    await samsa.output('produce kinds', { input: 'a\nb\nc\n' })
    await samsa.output('consume kinds -g source --from-beginning -n 2')
    await samsa.output('group clone source target --yes --json')
    const describe = async (group: string, ...more: readonly string[]) =>
      (await tools.run('groups', ['--describe', '--group', group, ...more])).stdout
    expect(await describe('target')).toMatch(/kinds\s+0\s+2\s+3\s+1/)

    const csv = join(folder.path, 'target.csv')
    writeFileSync(csv, await samsa.output('offsets export target'))
    const reset = ['--reset-offsets', '--group', 'target', '--from-file', csv, '--dry-run']
    const imported = await tools.run('groups', reset)
    // Kafka 1.1 prints the CSV, later ones a table.
    expect(imported.stdout).toMatch(/kinds[\s,]+0[\s,]+2/)

    const running = [builtCommand(), 'consume', 'kinds', '-g', 'live', '-b', kafka.hosts]
    await using member = new RunningCommand(process.execPath, running)
    type Described = { state: string; members: { memberId: string; clientHost: string }[] }[]
    let described: Described = []
    await tools.until(async () => {
      const { stdout } = await samsa.run('group describe live --json')
      described = stdout.startsWith('[') ? (JSON.parse(stdout) as Described) : []
      return described[0]?.state === 'Stable' && described[0].members.length === 1
    })
    const [{ memberId, clientHost }] = described[0]!.members as [Described[0]['members'][0]]
    const members = await describe('live', '--members')
    expect(members).toContain(memberId)
    expect(members).toContain(clientHost)
    const removal = await samsa.run('group remove-members live --yes --json')
    if (isNew) {
      const removed = JSON.parse(removal.stdout) as unknown[]
      expect(removed).toEqual([
        expect.not.objectContaining({ error: expect.anything() as unknown }),
      ])
      // It runs on and joins again, under another id.
      await tools.until(async () => {
        // In between the group is empty, which the command says on standard error.
        const { stdout } = await samsa.run('group describe live --json')
        const [now] = JSON.parse(stdout) as Described
        return now!.state === 'Stable' && now!.members.every((one) => one.memberId !== memberId)
      })
      expect(await describe('live', '--members')).not.toContain(memberId)
    } else {
      expect(removal.stderr).toContain('requires Kafka 2.4 or newer')
    }
    member.kill('SIGINT')
    const { exitCode: ended } = await member.ended
    expect({ ended, stderr: member.stderr }).toEqual({ ended: 0, stderr: '' })

    await samsa.output('topic clone kinds same')
    expect(await tools.config('topics', 'same')).toContain('retention.ms=3600000')
    expect(await samsa.json('config diff kinds same')).toEqual([])
    await samsa.output('config set same retention.ms=1000 --yes --json')
    const { exitCode, stdout } = await samsa.run('config diff kinds same --json')
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      3,
      [{ name: 'retention.ms', left: '3600000', right: '1000' }],
    ])
    expect(await tools.config('topics', 'same')).toContain('retention.ms=1000')

    const { groups } = JSON.parse(await samsa.output('raw ListGroups')) as {
      groups: { groupId: string }[]
    }
    // Of one broker: the other coordinates the rest.
    const all = await tools.lines('groups', ['--list'])
    expect(all).toEqual(expect.arrayContaining(groups.map(({ groupId }) => groupId)))
    const [end] = (await samsa.json('ping')) as { broker: string }[]
    expect(kafka.hosts).toContain(end!.broker)
    const few = ['--describe', '--under-replicated-partitions']
    expect(await samsa.json('topics --under-replicated')).toEqual([])
    expect(await tools.lines('topics', few)).toEqual([])
  },
}
