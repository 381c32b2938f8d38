import { blockedClients, frozenClients, killedClients } from '../kit/client-faults.ts'
import { nothingToHeal } from '../kit/fault.ts'
import { deleteRecords, fullDisk, uncleanElection } from '../kit/log-faults.ts'
import {
  acceptsAndCloses,
  anotherCluster,
  blackHole,
  refusal,
  shortLived,
  slowNetwork,
} from '../kit/network-faults.ts'
import { nodeFault, rollingRestart } from '../kit/node-faults.ts'
import {
  addedPartitions,
  electionEachSecond,
  minIsrNotMet,
  reassignment,
} from '../kit/topic-faults.ts'
import { recreate } from './recreate.ts'
import type { Run, Scenario } from './scenario.ts'

const HOLD_MS = 2_000
/** Of each partition, by DeleteRecords. */
const KEPT = 100

const repeated =
  (times: number, name: string, fault: Parameters<Run['fault']>[1], holdMs = HOLD_MS) =>
  async (run: Run): Promise<void> => {
    for (let time = 0; time < times; time++) await run.fault(name, fault, holdMs)
  }

/** On three brokers with a separate controller, topics of three replicas with min.insync.replicas 2. */
export const SCENARIOS: readonly Scenario[] = [
  {
    title: 'delivers each message once and in order while leaders are killed',
    faults: 'SIGKILL of a leader, three times',
    isCompared: true,
    run: repeated(3, 'kill leader', nodeFault('kill', 'leader')),
  },
  {
    title: 'delivers each message once and in order while leaders are stopped in order',
    faults: 'SIGTERM of a leader, three times',
    isCompared: true,
    run: repeated(3, 'terminate leader', nodeFault('terminate', 'leader')),
  },
  {
    title: 'delivers each message once and in order while leaders are frozen',
    faults: 'SIGSTOP of a leader until others lead, five times',
    isCompared: true,
    run: repeated(5, 'freeze leader', nodeFault('freeze', 'leader')),
  },
  {
    title: 'commits nothing twice and loses no member while coordinators are killed and frozen',
    faults: 'SIGKILL, then SIGSTOP of the coordinator of the group, three times',
    isCompared: true,
    run: async (run) => {
      for (let time = 0; time < 3; time++) {
        await run.fault('kill coordinator', nodeFault('kill', 'coordinator'), HOLD_MS)
        await run.fault('freeze coordinator', nodeFault('freeze', 'coordinator'))
      }
    },
  },
  {
    title: 'continues while the controller is killed and frozen',
    faults: 'SIGKILL, then SIGSTOP of the controller for 8 s',
    run: async (run) => {
      await run.fault('kill controller', nodeFault('kill', 'controller'), HOLD_MS)
      await run.fault('freeze controller', nodeFault('freeze', 'controller'), 8_000)
    },
  },
  {
    title: 'delivers each message once and in order in a rolling restart',
    faults: 'SIGTERM and start of every broker and the controller in turn, three times',
    isCompared: true,
    run: repeated(3, 'rolling restart', rollingRestart, 0),
  },
  {
    title: 'delivers each message once and in order while leaders change each second',
    faults: 'elections of other leaders of all partitions for 20 s, three times',
    isCompared: true,
    run: repeated(3, 'elections', electionEachSecond, 0),
  },
  {
    title: 'follows partitions to other replicas, and takes up added partitions',
    faults: 'reassignment of all partitions, then two partitions more',
    run: async (run) => {
      await run.fault('reassignment', reassignment)
      await run.fault('added partitions', addedPartitions)
    },
  },
  {
    title: 'waits, and neither loses nor repeats a message, while too few replicas are in sync',
    faults: 'SIGKILL of two of three brokers for 5 s',
    run: repeated(1, 'min ISR not met', minIsrNotMet, 5_000),
  },
  {
    title: 'loses no acknowledged message when clients are killed',
    faults: 'SIGKILL of a member and a producer, twice',
    run: repeated(2, 'kill clients', killedClients),
  },
  {
    title: 'has one owner a partition when clients stand still for two sessions',
    faults: 'SIGSTOP of a member and a producer for 12 s',
    sessionTimeoutMs: 6_000,
    run: repeated(1, 'freeze clients', frozenClients),
  },
  {
    title: 'has one owner a partition when the event loop is blocked for ten seconds',
    faults: 'a loop of 10 s in a member and a producer, twice, with sessions of 6 s',
    sessionTimeoutMs: 6_000,
    run: repeated(2, 'block clients', blockedClients),
  },
  {
    title: 'continues after clients were cut off by a black hole',
    faults: 'no packet comes through for 20 s, twice',
    network: 'namespace',
    isCompared: true,
    run: repeated(2, 'black hole', blackHole, 20_000),
  },
  {
    title: 'continues after all ports were closed',
    faults: 'connections reset and refused for 5 s, twice',
    network: 'gate',
    isCompared: true,
    run: repeated(2, 'refusal', refusal, 5_000),
  },
  {
    title: 'delivers each message once and in order with 100 ms on every packet',
    faults: '100 ms in both directions for 15 s',
    network: 'gate',
    run: repeated(1, 'slow network', slowNetwork, 15_000),
  },
  {
    title: 'delivers each message once and in order over connections of half a second',
    faults: 'every connection ends after 500 ms, for 15 s',
    network: 'gate',
    run: repeated(1, 'short-lived connections', shortLived, 15_000),
  },
  {
    title: 'passes over an address that accepts and closes while its broker is down',
    faults: 'SIGKILL of a broker behind a proxy for 5 s',
    network: 'gate',
    run: repeated(1, 'accept and close', acceptsAndCloses, 5_000),
  },
  {
    title: 'writes nothing to another cluster behind the address of a broker',
    faults: "another cluster's broker at an address for 5 s, twice",
    network: 'gate',
    run: repeated(2, 'another cluster', anotherCluster, 5_000),
  },
  {
    title: 'loses nothing when the disk of a broker is full',
    faults: 'a small tmpfs that something else fills',
    run: repeated(1, 'full disk', fullDisk, 2_000),
  },
  {
    title: 'keeps only the records that DeleteRecords leaves, and continues behind them',
    faults: 'DeleteRecords of all but 100 messages a partition, twice',
    run: async (run) => {
      for (let time = 0; time < 2; time++) {
        await run.fault('delete records', async ({ cluster, topic, partitions }) => {
          run.starts = await deleteRecords(cluster, topic, partitions, KEPT)
          const proof = `logs start at ${[...run.starts.values()].join()}`
          return { proof, heal: nothingToHeal }
        })
      }
    },
  },
  {
    title:
      'delivers all that is left, and reports the loss, when an unclean election loses the tail',
    faults: 'a leader without followers is killed with a tail, and a follower becomes leader',
    topicConfig: { 'unclean.leader.election.enable': 'true', 'min.insync.replicas': '1' },
    // What was acknowledged and read is gone, and other messages have its offsets.
    allowed: ['lost', 'misplaced', 'altered', 'early commit'],
    run: repeated(1, 'unclean election', uncleanElection, 0),
  },
  {
    title: 'starts a recreated topic at its start, and commits no position of the former one',
    faults: 'the topic is deleted and created again while members read it',
    run: recreate,
  },
]
