import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JavaProcess } from '../kafka/java.ts'
import { freePorts } from '../kafka/ports.ts'
import { startZooKeeper } from '../kafka/zookeeper.ts'

/** A real ZooKeeper, with session timeouts from 1 to 60 s unless its settings say otherwise. */
export class RealZooKeeper implements AsyncDisposable {
  readonly port: number
  readonly #java: JavaProcess
  readonly #folder: string

  private constructor(port: number, java: JavaProcess, folder: string) {
    this.port = port
    this.#java = java
    this.#folder = folder
  }

  static async start(config: Readonly<Record<string, string>> = {}): Promise<RealZooKeeper> {
    const folder = await mkdtemp(join(tmpdir(), 'samsa-zookeeper-'))
    const [port = 0] = await freePorts(1)
    return new RealZooKeeper(port, await startZooKeeper({ folder, port, config }), folder)
  }

  get hosts(): string {
    return `127.0.0.1:${this.port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#java.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
