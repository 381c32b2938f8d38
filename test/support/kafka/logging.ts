import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KafkaVersion } from './versions.ts'

/** Without this a broker is silent; what it says goes to its output, which is its log file. */
export async function loggingArguments(
  logging: KafkaVersion['logging'],
  folder: string,
): Promise<string[]> {
  // The listings of every setting are most of what a broker says; the oldest also report every
  // connection that is closed, such as those that ask whether it is ready.
  const quiet = [
    'org.apache.zookeeper',
    'org.apache.kafka.common.config',
    'kafka.server.KafkaConfig',
    'kafka.network.Processor',
  ]
  if (logging === 'slf4j-simple') {
    const setting = (name: string, value: string) => `-Dorg.slf4j.simpleLogger.${name}=${value}`
    return [
      setting('defaultLogLevel', 'info'),
      setting('showDateTime', 'true'),
      setting('dateTimeFormat', 'HH:mm:ss.SSS'),
      ...quiet.map((name) => setting(`log.${name}`, 'warn')),
    ]
  }
  const file = join(folder, 'log4j.properties')
  await writeFile(
    file,
    `log4j.rootLogger=INFO, output
log4j.appender.output=org.apache.log4j.ConsoleAppender
log4j.appender.output.layout=org.apache.log4j.PatternLayout
log4j.appender.output.layout.ConversionPattern=%d{HH:mm:ss.SSS} %p %c %m%n
${quiet.map((name) => `log4j.logger.${name}=WARN`).join('\n')}
`,
  )
  return [`-Dlog4j.configuration=file:${file}`]
}

const ADDRESS_IN_USE = /Address already in use|BindException|Socket server failed to bind/

export function saysPortTaken(log: string): boolean {
  return ADDRESS_IN_USE.test(log)
}

/** A broker's or a controller's last words before it serves, in the wording of every version. */
const STARTED = /\[Kafka ?(?:Raft)?Server [^\]]*\],? (?:Kafka Server )?started/

export function saysStarted(log: string): boolean {
  return STARTED.test(log)
}
