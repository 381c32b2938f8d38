import type { JavaProcess } from './java.ts'
import { saysPortTaken } from './logging.ts'
import { PortTakenError } from './ports.ts'

/** Why a process did not start, with the end of what it said. */
export function startupError(java: JavaProcess, what: string): Error {
  const isPortTaken = saysPortTaken(java.log())
  const reason = isPortTaken ? ': a port it needs is taken' : ''
  const message = `${java.name} ${what}${reason}; its last lines:\n${java.logTail()}`
  return isPortTaken ? new PortTakenError(message) : new Error(message)
}
