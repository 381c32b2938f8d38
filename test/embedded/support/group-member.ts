import { heartbeat, joinGroup, leaveGroup, syncGroup } from '../../../protocol/apis/index.ts'
import type { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { RawClient } from './raw-client.ts'

export interface GroupMemberOptions {
  readonly group?: string
  readonly clientId?: string
  readonly instanceId?: string
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly joinVersion?: number
}

/** A member of a group, one request at a time. */
export class GroupMember implements Disposable {
  memberId = ''
  generation = -1
  readonly client: RawClient
  readonly #options: GroupMemberOptions

  private constructor(client: RawClient, options: GroupMemberOptions) {
    this.client = client
    this.#options = options
  }

  static async open(
    cluster: EmbeddedCluster,
    options: GroupMemberOptions = {},
  ): Promise<GroupMember> {
    const port = cluster.ports[cluster.coordinatorOf(options.group ?? 'g') - 1]!
    return new GroupMember(await RawClient.open(port, options.clientId ?? 'member'), options)
  }

  /** Joins, a second time where it is only given an id. */
  async join() {
    const answer = await this.joinOnce()
    return answer.errorCode === 79 ? this.joinOnce() : answer
  }

  async joinOnce() {
    const { sessionTimeoutMs = 30_000 } = this.#options
    const answer = await this.client.request(joinGroup, this.#options.joinVersion ?? 9, {
      ...this.#group,
      memberId: this.memberId,
      sessionTimeoutMs,
      rebalanceTimeoutMs: this.#options.rebalanceTimeoutMs ?? 60_000,
      groupInstanceId: this.#options.instanceId ?? null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('topics') }],
    })
    this.memberId = answer.memberId
    if (answer.errorCode === 0) this.generation = answer.generationId
    return answer
  }

  /** As the leader, gives each member an assignment by its id; as another, waits for its own. */
  async sync(assignments: Readonly<Record<string, string>> = {}) {
    const { errorCode, assignment } = await this.client.request(syncGroup, 5, {
      ...this.#group,
      ...this.#identity,
      assignments: Object.entries(assignments).map(([memberId, text]) => ({
        memberId,
        assignment: Buffer.from(text),
      })),
    })
    return { errorCode, assignment: Buffer.from(assignment).toString() }
  }

  async heartbeat(): Promise<number> {
    const { errorCode } = await this.client.request(heartbeat, 4, {
      ...this.#group,
      ...this.#identity,
    })
    return errorCode
  }

  async leave(): Promise<number> {
    const { members, errorCode } = await this.client.request(leaveGroup, 4, {
      ...this.#group,
      members: [{ memberId: this.memberId }],
    })
    return members[0]?.errorCode ?? errorCode
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]()
  }

  get #group() {
    return { groupId: this.#options.group ?? 'g' }
  }

  get #identity() {
    return {
      generationId: this.generation,
      memberId: this.memberId,
      groupInstanceId: this.#options.instanceId ?? null,
    }
  }
}
