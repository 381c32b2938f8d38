import { blockedClients, killedClients } from '../kit/client-faults.ts'
import { refusal, shortLived } from '../kit/network-faults.ts'
import { nodeFault } from '../kit/node-faults.ts'
import type { Fault } from '../kit/fault.ts'
import type { Scenario } from './scenario.ts'

const short = (title: string, faults: string, fault: Fault, holdMs: number): Scenario => ({
  title,
  faults,
  network: 'gate',
  partitions: 3,
  producers: ['produce', 'delivery reports'],
  groups: [['for await', 'run']],
  alone: ['batches'],
  messagesPerSecond: 300,
  sessionTimeoutMs: 6_000,
  progress: 150,
  run: (run) => run.fault(faults, fault, holdMs),
})

/** On one broker, for `npm test`. */
export const SHORT_SCENARIOS: readonly Scenario[] = [
  short(
    'delivers each message once and in order when the broker is killed',
    'SIGKILL',
    nodeFault('kill', 'leader'),
    500,
  ),
  short(
    'delivers each message once and in order when the broker is frozen',
    'SIGSTOP for 2 s',
    nodeFault('freeze', 'leader'),
    2_000,
  ),
  short(
    'delivers each message once and in order over connections of half a second',
    'every connection ends after 500 ms, for 3 s',
    shortLived,
    0,
  ),
  short(
    'continues after all ports were closed',
    'connections reset and refused for 1 s',
    refusal,
    1_000,
  ),
  short(
    'loses no acknowledged message when clients are killed',
    'SIGKILL of a member and a producer',
    killedClients,
    0,
  ),
  short(
    'has one owner a partition when the event loop is blocked for ten seconds',
    'a loop of 10 s in a member and a producer',
    blockedClients,
    0,
  ),
]
