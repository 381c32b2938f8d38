import type { Outgoing, StormConf, TaskIds, TopologyContext } from '../multilang/messages.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import type { Job } from './serial.ts'

/** Where a component runs: in a process that Storm has started, in a test, or in the local runner. */
export interface Place {
  readonly componentName: string
  readonly conf: StormConf
  readonly context: TopologyContext
  readonly pid: number
  readonly clock: Clock
  readonly logger: Logger
  send(message: Outgoing): void
  /** Why no message can carry this value; undefined if one can. */
  problemWith(value: unknown): string | undefined
  /** Ends the component: 1 after an exception, 2 when Storm went away. */
  exit(code: number): void
}

/** What a component sees of the task that drives it. */
export interface Host extends Place {
  /** The answer to the emit that was sent last. */
  taskIds(): Promise<TaskIds>
  /** Runs after what has arrived before, not at the same time as anything else of the component. */
  enqueue(job: Job): void
}
