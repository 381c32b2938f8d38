import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import { clientJars, type KafkaVersion } from './jars.ts'
import { writeOrder, type BatchOrder } from './plain-batch.ts'
import { readAnswer, runJava, type Answer } from './run-java.ts'

const PROGRAM = join(__dirname, '..', 'java', 'Records.java')
const ASCII = { write: 0x77, read: 0x72 }

/** Collects commands for Records.java, and sends them all to one run of it. */
export class KafkaRecords {
  readonly #writer = new Writer(1 << 20)
  #commands = 0

  /** Asks for these batches as Kafka writes them, and for how it reads what it has written. */
  write(orders: readonly BatchOrder[]): void {
    const argument = new Writer(1 << 12)
    argument.int32(orders.length)
    for (const order of orders) writeOrder(argument, order)
    this.#writer.int8(ASCII.write)
    this.#writer.int32(argument.length)
    this.#writer.append(argument)
    this.#commands++
  }

  /** Asks how Kafka reads these bytes. */
  read(data: Uint8Array): void {
    this.#writer.int8(ASCII.read)
    this.#writer.int32(data.length)
    this.#writer.bytes(data)
    this.#commands++
  }

  /** The answers, in the order of the commands. */
  async run(kafka: KafkaVersion): Promise<Answer[]> {
    const input = Buffer.concat(this.#writer.finish())
    const folder = await mkdtemp(join(tmpdir(), 'samsa-records-'))
    try {
      const program = join(folder, 'Records.java')
      await writeFile(program, sourceFor(kafka, await readFile(PROGRAM, 'utf8')))
      const reader = new Reader(await runJava(program, await clientJars(kafka), input))
      return Array.from({ length: this.#commands }, () => readAnswer(reader))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Kafka 4 has moved the same classes into packages of other names. */
function sourceFor(kafka: KafkaVersion, source: string): string {
  if (kafka !== '3.9.1') return source
  return source
    .replaceAll('common.record.internal.', 'common.record.')
    .replaceAll('common.utils.internals.', 'common.utils.')
}
