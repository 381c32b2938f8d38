import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { guardChild } from '../../kafka/watchdog.ts'
import type { Route } from './gate.ts'

const run = (command: string, ...args: readonly string[]) =>
  spawnSync(command, args, { encoding: 'utf8' })

/**
 * A network namespace whose only way out is a gate over Unix sockets. In a black hole, its loopback drops each packet:
 * nothing is refused and nothing reset, as when a cable is cut. Needs root and `ip`.
 */
export class ClientNamespace implements AsyncDisposable {
  readonly #name: string
  readonly #gate: ChildProcess

  private constructor(name: string, gate: ChildProcess) {
    this.#name = name
    this.#gate = gate
  }

  /** Undefined where this is not permitted. */
  static async create(routes: readonly Route[]): Promise<ClientNamespace | undefined> {
    const name = `samsa-${process.pid}-${Date.now() % 100_000}`
    if (run('ip', 'netns', 'add', name).status !== 0) return undefined
    const isPermitted =
      run('ip', 'netns', 'exec', name, 'ip', 'link', 'set', 'lo', 'up').status === 0 &&
      run('ip', 'netns', 'exec', name, 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'blackhole')
        .status === 0 &&
      run('ip', 'netns', 'exec', name, 'tc', 'qdisc', 'del', 'dev', 'lo', 'root').status === 0
    if (!isPermitted) {
      run('ip', 'netns', 'del', name)
      return undefined
    }
    const script = 'test/support/chaos/kit/gate-main.ts'
    const [command, ...args] = ClientNamespace.#inside(name)
    const gate = spawn(
      command!,
      [...args, process.execPath, '--import', 'tsx', script, JSON.stringify(routes)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    guardChild(gate)
    await once(createInterface({ input: gate.stdout }), 'line')
    return new ClientNamespace(name, gate)
  }

  static #inside(name: string): readonly string[] {
    return ['nsenter', `--net=/run/netns/${name}`]
  }

  /** What comes before a command that is to run inside. */
  get prefix(): readonly string[] {
    return ClientNamespace.#inside(this.#name)
  }

  blackHole(): void {
    this.#tc('add', 'blackhole')
  }

  heal(): void {
    this.#tc('del')
  }

  /** How many packets were dropped since the black hole began. */
  get droppedPackets(): number {
    const { stdout } = run(
      ...(['ip', 'netns', 'exec', this.#name, 'tc', '-s', 'qdisc', 'show', 'dev', 'lo'] as const),
    )
    return Number(/dropped (\d+)/.exec(stdout)?.[1] ?? 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gate.kill('SIGKILL')
    await once(this.#gate, 'exit')
    run('ip', 'netns', 'del', this.#name)
  }

  #tc(action: 'add' | 'del', ...discipline: readonly string[]): void {
    const line = ['ip', 'netns', 'exec', this.#name, 'tc', 'qdisc', action, 'dev', 'lo', 'root']
    const { status, stderr } = run('ip', ...line.slice(1), ...discipline)
    if (status !== 0) throw new Error(`tc: ${stderr}`)
  }
}
