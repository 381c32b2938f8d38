import { Bolt, stream, type Tuple } from 'samsa/storm'
import type { Click } from './parse.ts'

export interface Session {
  readonly user: string
  readonly from: number
  readonly to: number
  readonly urls: readonly string[]
}

interface Open {
  readonly clicks: Tuple<Click>[]
  /** When its last click came here. */
  seenAt: number
}

const outputs = { default: stream<{ key: string; value: Session }>('key', 'value') }

/**
 * Puts the clicks of a user together, until none has come for `clickstream.gap.ms`. Clicks are acked when their
 * session is emitted, anchored to all of them: a session that was open in a worker that dies is made again from Kafka.
 * So `topology.message.timeout.secs` must be longer than the longest session, `clickstream.longest.ms`.
 */
export class Sessionize extends Bolt<Click, typeof outputs> {
  static readonly outputs = outputs
  override autoAck = false
  readonly #open = new Map<string, Open>()

  override process(click: Tuple<Click>) {
    const { user } = click.fields
    const session = this.#open.get(user)
    if (session === undefined) this.#open.set(user, { clicks: [click], seenAt: Date.now() })
    else {
      session.clicks.push(click)
      session.seenAt = Date.now()
    }
  }

  override processTick(tick: Tuple) {
    const now = Date.now()
    const gapMs = Number(this.stormConf['clickstream.gap.ms'])
    const longestMs = Number(this.stormConf['clickstream.longest.ms'])
    for (const [user, { clicks, seenAt }] of this.#open) {
      const sorted = [...clicks].sort((one, other) => one.fields.at - other.fields.at)
      const [from, to] = [sorted[0]!.fields.at, sorted.at(-1)!.fields.at]
      if (now - seenAt < gapMs && to - from < longestMs) continue
      const value = { user, from, to, urls: sorted.map(({ fields }) => fields.url) }
      this.emit({ key: user, value }, { anchors: clicks })
      for (const click of clicks) this.ack(click)
      this.#open.delete(user)
    }
    this.ack(tick)
  }
}
