import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

export const ANONYMOUS = 'User:ANONYMOUS'

/** The principal from a client's certificate: its name in the form of RFC 2253, as in Kafka. */
export function principalOf(socket: Socket): string {
  // The client has no certificate, or none that was verified.
  if (!(socket instanceof TLSSocket) || !socket.authorized) return ANONYMOUS
  const subject = socket.getPeerX509Certificate()?.subject
  // Node.js puts each part on a line, from the most general to the most specific.
  return subject === undefined ? ANONYMOUS : `User:${subject.split('\n').reverse().join(',')}`
}
