import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

export const ANONYMOUS = 'User:ANONYMOUS'

/** The principal from a client's certificate: its name in the form of RFC 2253, which Kafka uses. */
export function principalOf(socket: Socket): string {
  // Not authorized: without a certificate, or none that was to be checked.
  if (!(socket instanceof TLSSocket) || !socket.authorized) return ANONYMOUS
  const subject = socket.getPeerX509Certificate()?.subject
  // A line a part there, beginning with the widest.
  return subject === undefined ? ANONYMOUS : `User:${subject.split('\n').reverse().join(',')}`
}
