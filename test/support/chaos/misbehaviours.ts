import {
  cutAfter,
  delay,
  FOREIGN,
  instead,
  preceded,
  stall,
  swap,
  trickle,
  twice,
} from '../proxy-faults.ts'
import type { Proxy } from '../proxy.ts'

export interface Misbehaviour {
  readonly name: string
  start(proxy: Proxy): Promise<void> | void
  /** What errors say meanwhile; undefined where nothing fails. */
  readonly says: RegExp | undefined
}

const SILENT = /did not answer|took longer|without a response/
const LOST = /closed by the other side|ECONNRESET|EPIPE/

const both = (name: string, ...[fault, says]: [Parameters<Proxy['misbehave']>[1], RegExp?]) => ({
  name,
  says,
  start: (proxy: Proxy) => {
    proxy.misbehave('request', fault)
    proxy.misbehave('response', fault)
  },
})

const responses = (
  name: string,
  ...[fault, says]: [Parameters<Proxy['misbehave']>[1], RegExp?]
) => ({
  name,
  says,
  start: (proxy: Proxy) => proxy.misbehave('response', fault),
})

const requests = (
  name: string,
  ...[fault, says]: [Parameters<Proxy['misbehave']>[1], RegExp?]
) => ({
  name,
  says,
  start: (proxy: Proxy) => proxy.misbehave('request', fault),
})

const welcomes = (name: string, welcome: Proxy['welcome'], says: RegExp) => ({
  name,
  says,
  start: (proxy: Proxy) => {
    proxy.welcome = welcome
    proxy.dropConnections()
  },
})

export const MISBEHAVIOURS: readonly Misbehaviour[] = [
  both('is slow', delay(5)),
  both('is slow by fits and starts', delay(0, 25)),
  both('passes on one byte at a time', trickle),
  responses('swaps answers', swap()),
  requests('swallows requests', stall, SILENT),
  responses('swallows answers', stall, SILENT),
  requests('ends connections within requests', cutAfter(9), LOST),
  requests('resets connections within requests', cutAfter(9, 'reset'), LOST),
  responses('ends connections within answers', cutAfter(9), LOST),
  responses('resets connections within answers', cutAfter(9, 'reset'), LOST),
  responses('ends connections before answers', cutAfter(0), LOST),
  responses('answers what was not asked', preceded(FOREIGN.unasked), /matches no request/),
  responses('answers twice', twice, /matches no request/),
  responses('answers with a size of −1', instead(FOREIGN.negativeSize), /of -1 bytes/),
  responses('answers with a size of 2³¹−1', instead(FOREIGN.hugeSize), /of 2147483647 bytes/),
  responses('answers in HTTP', instead(FOREIGN.http), /is an HTTP server/),
  responses('answers with a TLS alert', instead(FOREIGN.tlsAlert), /it requires TLS/),
  welcomes('takes connections and never answers', 'mute', SILENT),
  welcomes('greets in HTTP', FOREIGN.http, /is an HTTP server/),
  {
    name: 'refuses connections',
    says: /ECONNREFUSED/,
    start: (proxy) => proxy.refuse(),
  },
]
