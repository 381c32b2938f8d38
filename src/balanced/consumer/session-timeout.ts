import { describeConfigs } from '../../../protocol/apis/describe-configs.ts'
import { describeError, ErrorCode } from '../../../protocol/errors.ts'
import { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { BrokerError } from '../../errors.ts'
import { textOfThrown } from '../../observe/thrown.ts'

/** Kafka's default of `group.consumer.session.timeout.ms`, and the lowest value that brokers allow by default. */
export const DEFAULT_SESSION_TIMEOUT_MS = 45_000

/** Kafka's number of the resource type. */
const GROUP = 32
const SESSION_TIMEOUT = 'consumer.session.timeout.ms'
/** The longest wait for the response, because joining waits for it. */
const TIMEOUT_MS = 5_000
/** The wait after a failed attempt. */
const AGAIN_AFTER_MS = 10_000

/**
 * The session timeout of a consumer group. Heartbeat responses do not contain it: it is a config of the group, which
 * a client may read with the permission DescribeConfigs on the group. Without it, Kafka's default applies.
 */
export class SessionTimeout {
  readonly #cluster: Cluster
  readonly #groupId: string
  #readAgainAt = -Infinity
  #timeoutMs = DEFAULT_SESSION_TIMEOUT_MS
  #reading: Promise<void> = Promise.resolve()

  constructor(cluster: Cluster, groupId: string) {
    this.#cluster = cluster
    this.#groupId = groupId
  }

  get timeoutMs(): number {
    return this.#timeoutMs
  }

  /**
   * Reads the timeout unless it was read recently, or is being read. Never throws: after a failure the last known value still applies.
   */
  refresh(): Promise<void> {
    if (performance.now() >= this.#readAgainAt) this.#reading = this.#refresh()
    return this.#reading
  }

  async #refresh(): Promise<void> {
    const { metadataMaxAgeMs, logger } = this.#cluster.options
    this.#readAgainAt = performance.now() + metadataMaxAgeMs
    try {
      this.#timeoutMs = (await this.#read()) ?? this.#timeoutMs
    } catch (error) {
      // Until it is read, the session may be shorter than assumed.
      this.#readAgainAt = performance.now() + Math.min(metadataMaxAgeMs, AGAIN_AFTER_MS)
      logger.warn(
        `group '${this.#groupId}': its session timeout could not be read, and ${this.#timeoutMs} ms are assumed: ${textOfThrown(error)}`,
      )
    }
  }

  async #read(): Promise<number | undefined> {
    const resource = {
      resourceType: GROUP,
      resourceName: this.#groupId,
      configurationKeys: [SESSION_TIMEOUT],
    }
    const { results } = await this.#cluster.router.call(
      describeConfigs,
      { resources: [resource] },
      {
        to: 'any',
        what: `reading the configs of group '${this.#groupId}'`,
        deadline: new Deadline(TIMEOUT_MS),
      },
    )
    const [result] = results
    const errorCode = result?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (result === undefined || errorCode !== ErrorCode.NONE) {
      const what = `reading the configs of group '${this.#groupId}'`
      if (describeError(errorCode).retriable) throw new BrokerError(errorCode, what)
      // Such as GROUP_AUTHORIZATION_FAILED, which need not be reported to the application.
      const reason = result?.errorMessage ?? `error ${errorCode}`
      this.#cluster.options.logger.info(
        `group '${this.#groupId}': the broker does not report its session timeout (${reason}), and ${this.#timeoutMs} ms are assumed`,
      )
      return undefined
    }
    const timeoutMs = Number(result.configs.find(({ name }) => name === SESSION_TIMEOUT)?.value)
    return Number.isFinite(timeoutMs) && timeoutMs > 0 ? timeoutMs : undefined
  }
}
