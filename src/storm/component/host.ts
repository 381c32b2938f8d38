import type { Outgoing, StormConf, TaskIds, TopologyContext } from '../multilang/messages.ts'
import type { Clock } from './clock.ts'
import type { ComponentLogger } from './log.ts'
import type { Job } from './serial.ts'

/**
 * The environment of a component: a process that Storm has started, a test, or the local runner.
 */
export interface Place {
  readonly componentName: string
  readonly conf: StormConf
  readonly context: TopologyContext
  readonly pid: number
  readonly clock: Clock
  readonly logger: ComponentLogger
  /** Whether Storm reads the messages from a pipe, each `sync` when it needs one. */
  readonly isPipe: boolean
  send(message: Outgoing): void
  /** The reason why no message can contain this value; undefined if one can. */
  problemWith(value: unknown): string | undefined
  /** Ends the component: code 1 after an exception, 2 after Storm has disconnected. */
  exit(code: number): void
}

/** The part of the driving task that a component uses. */
export interface Host extends Omit<Place, 'isPipe'> {
  /** The response to the last emit. */
  taskIds(): Promise<TaskIds>
  /**
   * Runs the job after everything that has arrived before, and never in parallel with other code of
   * the component.
   */
  enqueue(job: Job): void
}
