/** What happens to what is stored. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../../kafka/wait.ts'
import { PATIENCE_MS } from '../../patience.ts'
import type { ChaosCluster } from './chaos-cluster.ts'
import type { Fault } from './fault.ts'
import { strike } from './node-faults.ts'

/** The offset after the last message of each partition. */
async function endsOf(cluster: ChaosCluster, topic: string, partitions: number): Promise<number[]> {
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const found = await cluster.client.admin.listOffsets(all, 'latest')
  return found.map(({ offset, error }) => {
    if (offset === undefined) throw error ?? new Error(`${topic} has no end`)
    return offset
  })
}

/** Removes all but the last messages of each partition; resolves with the first offsets that are left. */
export async function deleteRecords(
  cluster: ChaosCluster,
  topic: string,
  partitions: number,
  keep: number,
): Promise<ReadonlyMap<number, number>> {
  const ends = await endsOf(cluster, topic, partitions)
  const deleted = await cluster.client.admin.deleteRecords(
    ends.map((end, partition) => ({ topic, partition, beforeOffset: Math.max(0, end - keep) })),
  )
  const starts = deleted.map(
    ({ partition, lowWatermark }) => [partition, lowWatermark ?? 0] as const,
  )
  if (starts.every(([, start]) => start === 0)) throw new Error('nothing was deleted')
  return new Map(starts)
}

const TAIL = 300

/**
 * A leader that alone was in sync is killed with a tail that no other replica has, and one of the others becomes leader:
 * the tail is lost. For topics with unclean.leader.election.enable and min.insync.replicas 1.
 */
export const uncleanElection: Fault = async ({ cluster, topic, partitions, workload }) => {
  const leader = await cluster.leaderOf(topic, 0)
  const followers = cluster.kafka.brokerIds.filter((id) => id !== leader)
  for (const id of followers) await cluster.kafka.stopBroker(id, 'SIGKILL')
  await cluster.until(topic, 'led by one broker', (found) =>
    found.partitions.every(({ leader: now, isr }) => now === leader && isr.length === 1),
  )
  await workload.progress(TAIL)
  const before = await endsOf(cluster, topic, partitions)
  await cluster.kafka.stopBroker(leader, 'SIGKILL')
  await cluster.kafka.startBroker(followers[0]!)
  // By itself the controller elects such leaders every five minutes (unclean.leader.election.interval.ms).
  const all = before.map((_end, partition) => ({ topic, partition }))
  await cluster.client.admin.electLeaders('unclean', all, { settle: true })
  await cluster.until(topic, 'led by a follower', (found) =>
    found.partitions.every(({ leader: now }) => now === followers[0]),
  )
  const after = await endsOf(cluster, topic, partitions)
  const lost = before.reduce((sum, end, partition) => sum + Math.max(0, end - after[partition]!), 0)
  if (lost === 0) throw new Error(`no log became shorter: ${before.join()}, then ${after.join()}`)
  return {
    proof: `broker ${followers[0]} leads; ends of logs were ${before.join()}, then ${after.join()}`,
    heal: async () => {
      for (const id of [followers[1]!, leader]) await cluster.kafka.startBroker(id)
    },
  }
}

const ROOM_MB = 24

/** The data of a broker are on a small disk, which something else fills. */
export const fullDisk: Fault = async ({ cluster, topic, random }) => {
  const id = random.pick(cluster.kafka.brokerIds)
  const data = join(cluster.kafka.folder, `broker-${id}`, 'data')
  const aside = `${data}-aside`
  const moved = await strike(cluster, 'terminate', id, [topic])
  renameSync(data, aside)
  mkdirSync(data)
  const usedMB = Number(run('du', '-sm', aside).split('\t')[0])
  run('mount', '-t', 'tmpfs', '-o', `size=${usedMB + ROOM_MB}m`, 'tmpfs', data)
  cluster.mounts.add(data)
  cpSync(aside, data, { recursive: true, preserveTimestamps: true })
  rmSync(aside, { recursive: true })
  await moved.heal()
  await cluster.whole([topic])
  const filler = join(data, 'filler')
  fill(filler)
  await waitFor(() => (cluster.kafka.isBrokerAlive(id) ? undefined : true), {
    timeoutMs: PATIENCE_MS,
    onTimeout: () => new Error(`broker ${id} still runs on a full disk`),
  })
  const said = /No space left on device/.exec(cluster.kafka.logTail(id, 500))?.[0]
  return {
    proof: `broker ${id} ended on a disk of ${usedMB + ROOM_MB} MB: ${said ?? 'its log says nothing'}`,
    heal: async () => {
      rmSync(filler)
      cpSync(data, aside, { recursive: true, preserveTimestamps: true })
      run('umount', data)
      cluster.mounts.delete(data)
      rmSync(data, { recursive: true })
      renameSync(aside, data)
      await cluster.kafka.startBroker(id)
    },
  }
}

/** Whether this user may mount a file system. */
export function mayMount(folder: string): boolean {
  const place = join(folder, 'try')
  mkdirSync(place)
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place])
  if (status === 0) spawnSync('umount', [place])
  rmSync(place, { recursive: true })
  return status === 0
}

/** Writes until there is no room, in pieces that become smaller. */
function fill(file: string): void {
  if (existsSync(file)) throw new Error(`${file} is there already`)
  for (const bytes of [1 << 20, 1 << 12]) {
    const piece = Buffer.alloc(bytes, 1)
    try {
      for (;;) writeFileSync(file, piece, { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}

function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
  return stdout
}
