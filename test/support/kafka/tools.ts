import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { writeFileSync } from 'node:fs'
import { runCommand } from '../run-command.ts'
import type { KafkaCluster } from './cluster.ts'
import { kafkaLibs, kafkaTools } from './download.ts'

export interface ToolResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const PROGRAM = 'test/kafka/java/KafkaTools.java'

/** Kafka's own command line tools, in one JVM: starting one for each would take seconds. */
export class KafkaToolRunner implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #answers: Interface
  readonly #ended: Promise<never>
  #stderr = ''

  private constructor(libs: string) {
    const flags = ['-XX:TieredStopAtLevel=1', '-Dlog4j.configurationFile=none']
    this.#child = spawn('java', [...flags, '-cp', join(libs, '*'), PROGRAM], { stdio: 'pipe' })
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()))
    this.#answers = createInterface({ input: this.#child.stdout! })
    this.#ended = once(this.#child, 'close').then(() => {
      throw new Error(`the JVM of the tools has ended: ${this.#stderr}`)
    })
    this.#ended.catch(() => undefined)
  }

  /** Those that speak with brokers of this version: Kafka 4 has none for brokers before 2.1. */
  static async start(version: string): Promise<KafkaToolRunner> {
    const isNew = Number(version.split('.')[0]) >= 4
    return new KafkaToolRunner(await (isNew ? kafkaTools() : kafkaLibs(version)))
  }

  /** Runs a tool to its end. One at a time. */
  async run(mainClass: string, args: readonly string[], input = ''): Promise<ToolResult> {
    const fields = [mainClass, input, ...args].map((text) => Buffer.from(text).toString('base64'))
    const answered = once(this.#answers, 'line')
    this.#child.stdin!.write(`${fields.join(' ')}\n`)
    const [line] = (await Promise.race([answered, this.#ended])) as [string]
    const [code, stdout, stderr] = line.split(' ')
    const text = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString()
    return { exitCode: Number(code), stdout: text(stdout), stderr: text(stderr) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.stdin!.end()
    await closed
  }
}

/** By what they are for: the class of the tools 4.3, that of 1.1, and how the latter is told the cluster. */
const TOOLS = {
  topics: ['org.apache.kafka.tools.TopicCommand', 'kafka.admin.TopicCommand', 'zookeeper'],
  configs: ['kafka.admin.ConfigCommand', 'kafka.admin.ConfigCommand', 'zookeeper'],
  offsets: ['org.apache.kafka.tools.GetOffsetShell', 'kafka.tools.GetOffsetShell', 'broker-list'],
  produce: ['org.apache.kafka.tools.ConsoleProducer', 'kafka.tools.ConsoleProducer', 'broker-list'],
  consume: [
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    'kafka.tools.ConsoleConsumer',
    'bootstrap-server',
  ],
  groups: [
    'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
    'kafka.admin.ConsumerGroupCommand',
    'bootstrap-server',
  ],
  acls: ['org.apache.kafka.tools.AclCommand', 'kafka.admin.AclCommand', 'authorizer-properties'],
  versions: [
    'org.apache.kafka.tools.BrokerApiVersionsCommand',
    'kafka.admin.BrokerApiVersionsCommand',
    'bootstrap-server',
  ],
  logdirs: [
    'org.apache.kafka.tools.LogDirsCommand',
    'kafka.admin.LogDirsCommand',
    'bootstrap-server',
  ],
  tokens: [
    'org.apache.kafka.tools.DelegationTokenCommand',
    'kafka.admin.DelegationTokenCommand',
    'bootstrap-server',
  ],
  reassign: [
    'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
    'kafka.admin.ReassignPartitionsCommand',
    'bootstrap-server',
  ],
  features: ['org.apache.kafka.tools.FeatureCommand', '', 'bootstrap-server'],
  quorum: ['org.apache.kafka.tools.MetadataQuorumCommand', '', 'bootstrap-server'],
  transactions: ['org.apache.kafka.tools.TransactionsCommand', '', 'bootstrap-server'],
} as const

export type ToolName = keyof typeof TOOLS

const SEPARATE = {
  'verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
  'verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
} as const

/** The tools, told where the cluster is. */
export class KafkaTools {
  readonly #runner: KafkaToolRunner
  readonly #cluster: KafkaCluster
  readonly #isNew: boolean

  constructor(runner: KafkaToolRunner, cluster: KafkaCluster) {
    this.#runner = runner
    this.#cluster = cluster
    this.#isNew = Number(cluster.version.split('.')[0]) >= 4
  }

  /** Throws where the tool fails. `hosts` are those of another listener. */
  async run(
    name: ToolName,
    args: readonly string[],
    input = '',
    hosts = this.#cluster.hosts,
  ): Promise<ToolResult> {
    const [now, before, address] = TOOLS[name]
    const place = this.#isNew ? ['--bootstrap-server', hosts] : this.#oldPlace(address, hosts)
    // The old consumer counts its messages in a static variable: each needs a JVM of its own.
    const isSeparate = !this.#isNew && name === 'consume'
    const result = isSeparate
      ? await this.#separate(before, [...place, ...args])
      : await this.#runner.run(this.#isNew ? now : before, [...place, ...args], input)
    if (result.exitCode !== 0) {
      throw new Error(`${name} ${args.join(' ')}: ${result.stdout}${result.stderr}`)
    }
    return result
  }

  async lines(name: ToolName, args: readonly string[], hosts?: string): Promise<readonly string[]> {
    const { stdout } = await this.run(name, args, '', hosts)
    return stdout
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '')
  }

  /** What kafka-configs says of an entity. */
  async config(type: 'topics' | 'users', name: string): Promise<string> {
    const args = ['--describe', '--entity-type', type, '--entity-name', name]
    return (await this.run('configs', args)).stdout
  }

  producerProperty(pair: string): readonly string[] {
    return [this.#isNew ? '--reader-property' : '--property', pair]
  }

  clientConfig(folder: string, lines: readonly string[]): string {
    const path = join(folder, 'client.properties')
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
    return path
  }

  /** A program that ends with its JVM, because a part of its output comes at the end of that. */
  async separately(name: keyof typeof SEPARATE, args: readonly string[]): Promise<string> {
    const place = ['--bootstrap-server', this.#cluster.hosts]
    const { exitCode, stdout, stderr } = await this.#separate(SEPARATE[name], [...place, ...args])
    if (exitCode !== 0) throw new Error(`${name}: ${stdout}${stderr}`)
    return stdout
  }

  async #separate(mainClass: string, args: readonly string[]): Promise<ToolResult> {
    const libs = await (this.#isNew ? kafkaTools() : kafkaLibs(this.#cluster.version))
    const line = ['-XX:TieredStopAtLevel=1', '-cp', join(libs, '*'), mainClass, ...args]
    const { exitCode, stdout, stderr } = await runCommand('java', line)
    return { exitCode: exitCode ?? 1, stdout: stdout.toString(), stderr }
  }

  /** Asks until the change is visible: brokers learn of a change a moment after the controller has made it. */
  async until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo()));
  }

  #oldPlace(address: string, hosts: string): readonly string[] {
    if (address === 'zookeeper') return ['--zookeeper', this.#cluster.zookeeperHosts!]
    if (address === 'authorizer-properties') {
      return ['--authorizer-properties', `zookeeper.connect=${this.#cluster.zookeeperHosts}`]
    }
    return [`--${address}`, hosts]
  }
}

export function toolsOf(runner: KafkaToolRunner, cluster: KafkaCluster): KafkaTools {
  return new KafkaTools(runner, cluster)
}
