import { ClosedError, KafkaClient, type SimpleConsumer } from '../index.ts'
import { compileFormat, valueLine, visibleValueLine, type Format } from './format.ts'
import { Interrupt } from './interrupt.ts'
import { Output } from './output.ts'
import { Progress } from './progress.ts'
import { visible } from './visible.ts'

export interface ConsumeCommandOptions {
  readonly brokers: string
  readonly fromBeginning?: boolean
  readonly exit?: boolean
  readonly format?: string
  readonly count?: number
  readonly partition?: number
  /** Bytes as they are, also on a terminal. */
  readonly raw?: boolean
}

/** Prints a topic's messages on standard output. */
export async function consumeCommand(topic: string, options: ConsumeCommandOptions): Promise<void> {
  const format = formatOf(options)
  await using client = new KafkaClient({ hosts: options.brokers, clientId: 'samsa-cli' })
  await using consumer = await client.topic(topic).getSimpleConsumer({
    autoOffsetReset: options.fromBeginning === true ? 'earliest' : 'latest',
    stopAtEnd: options.exit ?? false,
    ...(options.partition === undefined ? {} : { partitions: [options.partition] }),
  })
  using interrupt = new Interrupt()
  const output = new Output(process.stdout)
  const isWatched = process.stderr.isTTY && !process.stdout.isTTY
  using progress = new Progress('received', isWatched ? process.stderr : undefined)
  // Closing ends the wait for a message, too.
  const stop = () => void consumer.close()
  interrupt.signal.addEventListener('abort', stop)
  process.stdout.once('error', stop)
  const print: Print = (message) => {
    output.write(format(message))
    progress.add((message.key?.length ?? 0) + (message.value?.length ?? 0))
  }
  await printMessages(consumer, options.count ?? Infinity, print, output)
  await output.finish()
}

function formatOf({ format, raw = false }: ConsumeCommandOptions): Format {
  const isShown = process.stdout.isTTY && !raw
  if (format === undefined) return isShown ? visibleValueLine : valueLine
  return compileFormat(format, isShown ? visible : undefined)
}

type Print = (message: Parameters<typeof valueLine>[0]) => void

/** Resolves at the end: of the log, of the count, or when the consumer was closed by a signal. */
async function printMessages(
  consumer: SimpleConsumer,
  count: number,
  print: Print,
  output: Output,
): Promise<void> {
  let printed = 0
  try {
    for await (const message of consumer) {
      print(message)
      printed++
      if (printed >= count || output.error !== undefined) return
      if (output.isFull) await output.drained()
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error
  }
}
