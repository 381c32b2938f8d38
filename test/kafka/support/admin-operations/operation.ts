import type { Admin } from '../../../../src/index.ts'

export interface Place {
  readonly version: string
  /** Where the brokers' log directories are. */
  readonly folder: string
  readonly topicIds: Map<string, string>
}

/** An operation of Java's admin client, and the same with samsa, with results in the form that the Java program prints. */
export interface Operation {
  readonly java: string
  /** What the case is about, where an operation has several. */
  readonly name?: string
  /** The first release with it, as errors of older ones name it. */
  readonly since: string
  /** The error on older brokers where the operation is not refused: they have no groups of that kind. */
  readonly older?: string
  /** Prepares the cluster before both clients are asked. */
  readonly before?: (admin: Admin, place: Place) => Promise<void>
  /** `own` is the prefix of the names of what this client has for itself. */
  readonly samsa: (admin: Admin, own: string, place: Place) => Promise<unknown>
  /** The arguments of the Java program. Default: `own`. */
  readonly words?: (own: string, place: Place) => readonly (string | number)[]
  /** Whether the changes of both clients have reached all brokers. Default: nothing is waited for. */
  readonly until?: (admin: Admin) => Promise<boolean>
}
