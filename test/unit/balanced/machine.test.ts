import { Deadline } from '../../../src/async/deadline.ts'
import { describe, expect, it } from '@jest/globals'
import type {
  ClaimResult,
  Coordinator,
  CoordinatorEvents,
} from '../../../src/balanced/coordinator.ts'
import { PartitionOwnedError } from '../../../src/balanced/errors.ts'
import { RebalanceMachine, type MachineOptions } from '../../../src/balanced/machine.ts'
import type { MemberReader, RebalanceHooks } from '../../../src/balanced/member-reader.ts'
import { nameOf, type TopicPartition } from '../../../src/consumer/topic-partition.ts'
import { KafkaError } from '../../../src/errors.ts'
import { silentLogger } from '../../../src/observe/logger.ts'

function parts(...numbers: readonly number[]): TopicPartition[] {
  return numbers.map((partition) => ({ topic: 't', partition }))
}

const gone = new KafkaError('SESSION_EXPIRED', 'the session has expired', true)

/** One member, whose coordinator and reader write down what is asked of them. */
class Scene {
  readonly log: string[] = []
  readonly errors: KafkaError[] = []
  target: readonly number[] = []
  held: readonly number[] = []
  ownedUntil = Infinity
  events!: CoordinatorEvents
  /** Run within a step, by the name of its entry in the log. */
  readonly during = new Map<string, () => void | Promise<void>>()
  readonly machine: RebalanceMachine
  readonly #settledWaiters: (() => void)[] = []

  constructor(options: Partial<MachineOptions> & { readonly isEager?: boolean } = {}) {
    const { isEager = false, ...machineOptions } = options
    const hooks: RebalanceHooks = {
      assigned: (partitions) => this.did('assigned', partitions),
      revoked: (partitions) => this.did('revoked', partitions),
      lost: (partitions) => this.did('lost', partitions),
    }
    const reader: MemberReader = {
      prepare: (partitions) => this.did('prepare', partitions),
      start: (partitions) => void this.did('start', partitions),
      hold: (partitions) => void this.did('hold', partitions),
      commit: (partitions) => this.did('commit', partitions),
      stop: (partitions) => void this.did('stop', partitions),
      resume: () => void this.did('resume', []),
      report: (error) => void this.errors.push(error),
      fail: (error) => void this.errors.push(error),
    }
    const coordinator = (events: CoordinatorEvents): Coordinator => {
      this.events = events
      const ownedUntil = () => this.ownedUntil
      return {
        name: 'a test',
        memberId: 'me',
        get ownedUntil() {
          return ownedUntil()
        },
        givenUpBeforeJoining: (owned) => (isEager ? owned : []),
        join: async () => {
          await this.did('join', [])
          return parts(...this.target)
        },
        release: (partitions) => this.did('release', partitions),
        claim: async (partitions): Promise<ClaimResult> => {
          const held = partitions.filter(({ partition }) => this.held.includes(partition))
          const claimed = partitions.filter((one) => !held.includes(one))
          await this.did('claim', claimed)
          return { claimed, heldByOthers: held.map((one) => ({ ...one, owner: 'other' })) }
        },
        leave: () => this.did('leave', []),
      }
    }
    this.machine = new RebalanceMachine(coordinator, {
      reader,
      hooks,
      rebalanceMaxRetries: 3,
      rebalanceBackoffMs: 1,
      rebalanceTimeoutMs: 1_000,
      logger: silentLogger,
      ...machineOptions,
      onPhase: (phase) => {
        if (phase !== 'settled') return
        for (const resolve of this.#settledWaiters.splice(0)) resolve()
      },
    })
  }

  async did(what: string, partitions: readonly TopicPartition[]): Promise<void> {
    const names = partitions.map(({ partition }) => partition).join(',')
    this.log.push(names === '' ? what : `${what} ${names}`)
    const action = this.during.get(what)
    this.during.delete(what)
    await action?.()
  }

  settled(): Promise<void> {
    return new Promise((resolve) => this.#settledWaiters.push(resolve))
  }

  /** What was done since the last call. */
  since(): string[] {
    return this.log.splice(0)
  }

  get assignment(): string[] {
    return this.machine.assignment.map(nameOf)
  }
}

async function started(target: readonly number[], scene = new Scene()): Promise<Scene> {
  scene.target = target
  await scene.machine.start()
  scene.since()
  return scene
}

describe('a rebalance', () => {
  it('claims, looks up positions, calls the hook and reads, in this order', async () => {
    const scene = new Scene()
    scene.target = [0, 1]
    await scene.machine.start()
    expect(scene.since()).toEqual(['join', 'claim 0,1', 'prepare 0,1', 'assigned 0,1', 'start 0,1'])
    expect(scene.assignment).toEqual(['t-0', 't-1'])
    await scene.machine.close(new Deadline(60_000))
  })

  it('stops, calls the hook and commits before it releases, and claims after that', async () => {
    const scene = await started([0, 1])
    const settled = scene.settled()
    scene.target = [1, 2]
    scene.events.changed('a member came')
    await settled
    expect(scene.since()).toEqual([
      ...['join', 'hold 0', 'revoked 0', 'commit 0', 'stop 0', 'release 0'],
      ...['claim 2', 'prepare 2', 'assigned 2', 'start 2'],
    ])
    await scene.machine.close(new Deadline(60_000))
  })

  it('releases everything before it joins if the protocol requires it', async () => {
    const scene = await started([0], new Scene({ isEager: true }))
    const settled = scene.settled()
    scene.events.changed('a member came')
    await settled
    expect(scene.since()).toEqual([
      ...['hold 0', 'revoked 0', 'commit 0', 'stop 0', 'release 0', 'join'],
      ...['claim 0', 'prepare 0', 'assigned 0', 'start 0'],
    ])
    await scene.machine.close(new Deadline(60_000))
  })

  it('runs once for any number of changes before it, and once more for those during it', async () => {
    const scene = await started([0])
    const settled = scene.settled()
    scene.during.set('join', () => {
      for (let i = 0; i < 10; i++) scene.events.changed('another member came')
    })
    for (let i = 0; i < 10; i++) scene.events.changed('a member came')
    await settled
    expect(scene.since()).toEqual(['join', 'join'])
    await scene.machine.close(new Deadline(60_000))
  })

  it('changes nothing if the assignment is unchanged', async () => {
    const scene = await started([0, 1])
    const settled = scene.settled()
    scene.events.changed('a member came')
    await settled
    expect(scene.since()).toEqual(['join'])
    await scene.machine.close(new Deadline(60_000))
  })
})

describe('a partition that others still hold', () => {
  it('is waited for, while the rest is read', async () => {
    const scene = new Scene({ rebalanceBackoffMs: 60_000 })
    scene.target = [0, 1]
    scene.held = [1]
    let isStarted = false
    scene.during.set('start', () => {
      isStarted = scene.assignment.includes('t-0')
      scene.held = []
    })
    await scene.machine.start()
    expect(isStarted).toBe(true)
    expect(scene.assignment).toEqual(['t-0', 't-1'])
    await scene.machine.close(new Deadline(60_000))
  })

  it('is reported by start() after all retries, which then continue', async () => {
    const scene = new Scene()
    scene.target = [0, 1]
    scene.held = [1]
    await expect(scene.machine.start()).rejects.toThrow(PartitionOwnedError)
    expect(scene.assignment).toEqual(['t-0'])
    const settled = scene.settled()
    scene.held = []
    await settled
    expect(scene.assignment).toEqual(['t-0', 't-1'])
    await scene.machine.close(new Deadline(60_000))
  })

  it('is reported to the application when it appears later', async () => {
    const scene = await started([0])
    scene.target = [0, 1]
    scene.held = [1]
    const told = new Promise<void>((resolve) => {
      scene.errors.push = (...errors) => {
        resolve()
        return Array.prototype.push.apply(scene.errors, errors)
      }
    })
    scene.events.changed('a member left')
    await told
    expect(scene.errors[0]).toMatchObject({
      code: 'PARTITION_OWNED',
      partitions: [{ topic: 't', partition: 1, owner: 'other' }],
    })
    await scene.machine.close(new Deadline(60_000))
  })
})

describe('a partition that is lost', () => {
  it('is stopped before lost() returns, and never committed', async () => {
    const scene = await started([0, 1])
    const settled = scene.settled()
    scene.events.lost(gone)
    expect(scene.since()).toEqual(['stop 0,1'])
    expect(scene.assignment).toEqual([])
    await settled
    expect(scene.since()).toEqual([
      ...['lost 0,1', 'join', 'claim 0,1', 'prepare 0,1', 'assigned 0,1', 'start 0,1'],
    ])
    await scene.machine.close(new Deadline(60_000))
  })

  it('is not read although a claim for it is granted afterwards', async () => {
    const scene = new Scene()
    scene.target = [0]
    scene.during.set('claim', () => scene.events.lost(gone))
    await scene.machine.start()
    expect(scene.since()).toEqual([
      ...['join', 'claim 0', 'stop', 'join', 'claim 0', 'prepare 0', 'assigned 0', 'start 0'],
    ])
    await scene.machine.close(new Deadline(60_000))
  })

  it('is not read although its position was being looked up', async () => {
    const scene = new Scene()
    scene.target = [0, 1]
    scene.during.set('prepare', () => scene.events.lost(gone, parts(0)))
    await scene.machine.start()
    expect(scene.since().slice(0, 6)).toEqual([
      ...['join', 'claim 0,1', 'prepare 0,1', 'stop 0', 'assigned 1', 'start 1'],
    ])
    expect(scene.assignment).toEqual(['t-1', 't-0'])
    await scene.machine.close(new Deadline(60_000))
  })

  it('is neither committed nor released while it is being released', async () => {
    const scene = await started([0, 1])
    const settled = scene.settled()
    scene.target = [1]
    scene.during.set('revoked', () => scene.events.lost(gone, parts(0)))
    scene.events.changed('a member came')
    await settled
    expect(scene.since()).toEqual([...['join', 'hold 0', 'revoked 0', 'stop 0', 'stop 0', 'join']])
    await scene.machine.close(new Deadline(60_000))
  })

  it('is also one that is released while ownership is in doubt: nothing is committed', async () => {
    const scene = await started([0])
    scene.ownedUntil = 0
    await scene.machine.close(new Deadline(60_000))
    expect(scene.since()).toEqual(['hold 0', 'lost 0', 'stop 0', 'release 0', 'stop 0', 'leave'])
  })
})
