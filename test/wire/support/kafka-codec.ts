import { join } from 'node:path'
import { Writer } from '../../../protocol/buffer/writer.ts'
import { Reader } from '../../../protocol/buffer/reader.ts'
import { clientJars, type KafkaVersion } from './jars.ts'
import { readAnswer, runJava, type Answer } from './run-java.ts'

/** The kinds of messages that Kafka makes; higher numbers are random through and through. */
export const STYLES = { empty: 0, nulls: 1, extremes: 2, random: 3 } as const

const PROGRAM = join(__dirname, '..', 'java', 'RoundTrip.java')
const ASCII = { generate: 0x67, echo: 0x65, errors: 0x78 }

/** Collects commands for RoundTrip.java, and sends them all to one run of it. */
export class KafkaCodec {
  readonly #writer = new Writer(1 << 20)
  #commands = 0

  /** Asks for a message made by Kafka, as bytes and JSON. */
  generate(className: string, version: number, style: number, seed: number): void {
    this.#start(ASCII.generate, className, version)
    this.#writer.int8(style)
    this.#writer.int64(BigInt(seed))
  }

  /** Asks Kafka to read these bytes, and for what it then writes. */
  echo(className: string, version: number, bytes: Uint8Array): void {
    this.#start(ASCII.echo, className, version)
    this.#writer.int32(bytes.length)
    this.#writer.bytes(bytes)
  }

  /** Asks for code, name, retriable and invalidMetadata of all errors, as lines with tabs. */
  errors(): void {
    this.#writer.int8(ASCII.errors)
    this.#commands++
  }

  /** The answers, in the order of the commands. */
  async run(kafka: KafkaVersion): Promise<Answer[]> {
    const output = await runJava(
      PROGRAM,
      await clientJars(kafka),
      Buffer.concat(this.#writer.finish()),
    )
    const reader = new Reader(output)
    return Array.from({ length: this.#commands }, () => readAnswer(reader))
  }

  #start(command: number, className: string, version: number): void {
    this.#writer.int8(command)
    this.#writer.int16(className.length)
    this.#writer.utf8(className, className.length)
    this.#writer.int16(version)
    this.#commands++
  }
}
