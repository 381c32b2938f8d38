/** Members of a group in processes of their own, ours and Java's, which say the same of themselves. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { deferred } from '../../../src/async/deferred.ts'
import { JAVA_ASSIGNORS, type JavaAssignorName } from './java-assignors.ts'
import { kafkaTools } from '../kafka/download.ts'
import { guardChild } from '../kafka/watchdog.ts'
import { PATIENCE_MS } from '../patience.ts'

const JVM_ARGUMENTS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx256m']

export interface GroupPlace {
  readonly hosts: string
  readonly topic: string
  readonly group: string
}

interface Event {
  readonly name: string
  readonly partitions?: readonly { readonly partition: number }[]
  readonly partition?: number
  readonly offset?: number
  readonly message?: string
}

/** One process. */
export class ProcessMember implements AsyncDisposable {
  readonly name: string
  readonly events: Event[] = []
  readonly owned = new Set<number>()
  /** `partition:offset` of each message that it was given. */
  readonly read: string[] = []
  stderr = ''
  readonly #child: ChildProcess
  readonly #group: ProcessGroup
  readonly #ended = deferred()

  constructor(name: string, group: ProcessGroup, command: string, args: readonly string[]) {
    this.name = name
    this.#group = group
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    guardChild(this.#child)
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()))
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#on(line))
    this.#child.on('close', () => {
      this.owned.clear()
      this.#ended.resolve()
      group.changed()
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Its partitions are others' from then on. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#child.kill(signal)
    await this.#ended.promise
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.stop('SIGKILL')
  }

  #on(line: string): void {
    if (!line.startsWith('{')) return
    const event = JSON.parse(line) as Event
    this.events.push(event)
    const partitions = (event.partitions ?? []).map(({ partition }) => partition)
    switch (event.name) {
      case 'partitions_assigned':
        for (const partition of partitions) this.owned.add(partition)
        break
      case 'partitions_revoked':
      case 'partitions_lost':
        for (const partition of partitions) this.owned.delete(partition)
        break
      case 'record_data':
        this.read.push(`${event.partition ?? -1}:${event.offset ?? -1}`)
        break
    }
    this.#group.changed()
  }
}

export class ProcessGroup implements AsyncDisposable {
  readonly members: ProcessMember[] = []
  readonly #place: GroupPlace
  readonly #waiting = new Set<() => void>()

  constructor(place: GroupPlace) {
    this.#place = place
  }

  ours(name: string, options: object): ProcessMember {
    return this.#script('managed-process.ts', name, options)
  }

  /** One that reads with a `for await` loop, and ends with it. */
  loop(name: string, options: object): ProcessMember {
    return this.#script('loop-process.ts', name, options)
  }

  #script(file: string, name: string, options: object): ProcessMember {
    const { hosts, topic, group } = this.#place
    const script = join(__dirname, file)
    const args = ['--import', 'tsx', script, hosts, topic, group, JSON.stringify(options)]
    return this.#add(new ProcessMember(name, this, process.execPath, args))
  }

  java(
    name: string,
    assignor: JavaAssignorName,
    sessionTimeoutMs = 10_000,
  ): Promise<ProcessMember> {
    const strategy = `org.apache.kafka.clients.consumer.${JAVA_ASSIGNORS[assignor]}`
    return this.#java(name, [
      ...['--assignment-strategy', strategy, '--session-timeout', String(sessionTimeoutMs)],
    ])
  }

  /** A member by the protocol of KIP-848. */
  javaOfConsumerProtocol(name: string): Promise<ProcessMember> {
    return this.#java(name, ['--group-protocol', 'consumer'])
  }

  async #java(name: string, more: readonly string[]): Promise<ProcessMember> {
    const { hosts, topic, group } = this.#place
    const jars = await kafkaTools()
    const home = process.env['JAVA_HOME']
    const java = home ? join(home, 'bin', 'java') : 'java'
    const args = [
      ...[...JVM_ARGUMENTS, '-cp', join(jars, '*'), 'org.apache.kafka.tools.VerifiableConsumer'],
      ...['--bootstrap-server', hosts, '--topic', topic, '--group-id', group, '--verbose'],
      ...more,
    ]
    return this.#add(new ProcessMember(name, this, java, args))
  }

  /** What each member reads, by name. */
  get owners(): Record<string, number[]> {
    return Object.fromEntries(
      this.members
        .filter(({ owned }) => owned.size > 0)
        .map(({ name, owned }) => [name, [...owned].sort((a, b) => a - b)]),
    )
  }

  /** Resolves when it is so, which is looked at whenever a member says something. */
  async until(what: string, isSo: () => boolean, timeoutMs = PATIENCE_MS): Promise<void> {
    const timer = setTimeout(() => this.changed(), timeoutMs)
    const end = performance.now() + timeoutMs
    try {
      while (!isSo()) {
        if (performance.now() >= end) throw new Error(`not ${what}: ${this.#shown()}`)
        await new Promise<void>((resolve) => this.#waiting.add(resolve))
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Resolves when these share the partitions, each with one owner, and no member without any. */
  shared(members: readonly ProcessMember[], partitions: number): Promise<void> {
    return this.until(`shared by ${members.map(({ name }) => name).join(', ')}`, () => {
      const owned = this.members.flatMap((member) => [...member.owned])
      return (
        members.every((member) => member.owned.size > 0) &&
        owned.length === partitions &&
        new Set(owned).size === partitions
      )
    })
  }

  /** All messages that were read. */
  get read(): readonly string[] {
    return this.members.flatMap((member) => member.read)
  }

  changed(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member[Symbol.asyncDispose]()))
  }

  #add(member: ProcessMember): ProcessMember {
    this.members.push(member)
    return member
  }

  #shown(): string {
    const errors = this.members.flatMap(({ name, events, stderr }) => [
      ...events
        .filter((event) => event.name === 'error')
        .map((event) => `${name}: ${event.message ?? ''}`),
      ...(stderr.replaceAll(/^SLF4J.*\n/gm, '') === '' ? [] : [`${name}: ${stderr.slice(0, 500)}`]),
    ])
    return [JSON.stringify(this.owners), `${this.read.length} read`, ...errors].join('\n')
  }
}
