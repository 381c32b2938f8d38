import { setTimeout as sleep } from 'node:timers/promises'
import type { Link } from './proxy-link.ts'

/** What a proxy does with a frame instead of passing it on. Frames of a direction are dealt with in turn. */
export type Fault = (frame: Buffer, link: Link) => Promise<void> | void

/** How a connection ends: in good order, or with a reset. */
export type Ending = 'end' | 'reset'

/** Late, by a random part of `jitterMs` more. */
export function delay(ms: number, jitterMs = 0, random: () => number = Math.random): Fault {
  return async (frame, link) => {
    await sleep(ms + jitterMs * random())
    link.write(frame)
  }
}

/** Nothing ever comes through again in this direction, and the connection stays. */
export const stall: Fault = (_, link) => link.stall()

/** The first bytes come through, then the connection ends on both sides. */
export function cutAfter(bytes: number, ending: Ending = 'end'): Fault {
  return async (frame, link) => {
    await link.flushed(frame.subarray(0, bytes))
    link.cut(ending)
  }
}

/** Each byte in a packet of its own. */
export const trickle: Fault = async (frame, link) => {
  for (let at = 0; at < frame.length; at++) await link.flushed(frame.subarray(at, at + 1))
}

export const twice: Fault = (frame, link) => {
  link.write(frame)
  link.write(frame)
}

/** Frames change places by twos. One that none follows soon goes alone: the client may wait for it. */
export function swap(waitMs = 20): Fault {
  const held = new WeakMap<Link, { frame: Buffer; timer: NodeJS.Timeout }>()
  return (frame, link) => {
    const first = held.get(link)
    if (first !== undefined) {
      held.delete(link)
      clearTimeout(first.timer)
      link.write(frame)
      link.write(first.frame)
      return
    }
    const timer = setTimeout(() => {
      held.delete(link)
      link.write(frame)
    }, waitMs)
    held.set(link, { frame, timer })
  }
}

/** A response without a request comes first. */
export function preceded(bytes: Buffer): Fault {
  return (frame, link) => {
    link.write(bytes)
    link.write(frame)
  }
}

/** Something else comes instead, and the connection stays. */
export function instead(bytes: Buffer): Fault {
  return (_, link) => link.write(bytes)
}

/** Bytes that are not a response of a Kafka broker. */
export const FOREIGN = {
  http: Buffer.from('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'),
  tlsAlert: Buffer.from('15030300020228', 'hex'),
  negativeSize: Buffer.from('ffffffff', 'hex'),
  hugeSize: Buffer.from('7fffffff', 'hex'),
  unasked: Buffer.from('000000087fffff0000000000', 'hex'),
} as const
