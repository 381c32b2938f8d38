/** A component that has died, and the reason. */
export interface Death {
  readonly component: string
  readonly reason: string
}

/** `12:34:56.789 INFO  ShellBolt ShellLog pid:1, name:count the message` */
const LOGGED = /^(\S+ \S+\s+)Shell(?:Bolt|Spout) ShellLog pid:\d+, name:(\S+) (.*)$/s
const DIED = /Halting process: Shell(?:Bolt|Spout) died\..*\bname:(\S+) exitCode:(-?\d+)/
/** The line of a component's `error`; the next line has the message. */
const REPORTED = /Shell Process Exception: /
const HEARTBEAT = /subprocess heartbeat timeout/
const STARTING = /Shell(?:Bolt|Spout) (?:Launched subprocess|Start checking heartbeat)/
const JAVA_STACK = /^\t+(?:at |\.\.\. \d+ more)/

/**
 * The log of a Storm in one JVM: it shows the lines of the components, without Java's stacks, and
 * detects which component has died and why.
 */
export class ComponentLog {
  readonly died: Promise<Death>
  readonly #isVerbose: boolean
  #resolve!: (death: Death) => void
  /** The last reported error: the message and where it was thrown. */
  #reported: string[] | undefined
  #isSettled = false
  #dead: { readonly component: string; readonly exitCode: string } | undefined

  constructor(isVerbose: boolean) {
    this.#isVerbose = isVerbose
    this.died = new Promise((resolve) => (this.#resolve = resolve))
  }

  /** Returns the part of a line to show; undefined for nothing. */
  take(line: string): string | undefined {
    const wasDead = this.#isSettled
    this.#watch(line)
    if (this.#isVerbose) return line
    // When a component dies, others fail as well: their errors add no information.
    if (wasDead) return undefined
    if (STARTING.test(line) || JAVA_STACK.test(line)) return undefined
    return line.replace(LOGGED, '$1$2: $3')
  }

  #watch(line: string): void {
    const died = DIED.exec(line)
    if (REPORTED.test(line)) this.#reported = []
    else if (died !== null) this.#dead = { component: died[1]!, exitCode: died[2]! }
    // The line after the message is the Java exception.
    else if (this.#dead !== undefined) this.#settle(this.#dead, line)
    else if (this.#reported !== undefined && this.#reported.length < 2) {
      this.#reported.push(line.trim())
    }
  }

  #settle({ component, exitCode }: { component: string; exitCode: string }, line: string): void {
    if (this.#isSettled) return
    this.#isSettled = true
    if (HEARTBEAT.test(line)) {
      const reason =
        'it did not respond for topology.subprocess.timeout.secs: its code blocks the event loop'
      this.#resolve({ component, reason })
      return
    }
    const [message, place] = this.#reported ?? []
    const where = place?.startsWith('at ') === true ? ` (${place})` : ''
    const reason = message === undefined ? `its process ended with exit code ${exitCode}` : message
    this.#resolve({ component, reason: reason + where })
  }
}
