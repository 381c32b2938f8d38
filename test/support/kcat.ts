import { outputOf, runCommand } from './run-command.ts'

/**
 * What librdkafka remarks comes by chance, such as how long a busy broker took to answer. What goes wrong permanently is
 * in kcat's own words and its exit code.
 */
export const NO_REMARKS: readonly string[] = ['-X', 'log_level=2']

/** Brokers before 0.10 can't be asked for their versions: librdkafka has to be told. */
function brokerArguments(version: string, hosts: string): string[] {
  const isOld = version.startsWith('0.8') || version.startsWith('0.9')
  const fallback = version.startsWith('0.8') ? '0.8.2' : '0.9.0'
  return [
    ...NO_REMARKS,
    '-b',
    hosts,
    ...(isOld
      ? ['-X', `broker.version.fallback=${fallback}`, '-X', 'api.version.request=false']
      : []),
  ]
}

export interface KcatPlace {
  readonly version: string
  readonly hosts: string
}

/** All messages of a topic as kcat prints them, values a line each unless there is a format. */
export function kcatRead(
  { version, hosts }: KcatPlace,
  topic: string,
  format = '%s\n',
  more: readonly string[] = [],
): Promise<Buffer> {
  const args = [...more, '-C', '-q', '-e', '-o', 'beginning', '-t', topic, '-f', format]
  return outputOf(runCommand('kcat', [...brokerArguments(version, hosts), ...args]))
}

/** Sends each line; kcat leaves empty ones out. */
export async function kcatWrite(
  { version, hosts }: KcatPlace,
  topic: string,
  lines: Buffer | string,
  args: readonly string[] = [],
): Promise<void> {
  await outputOf(
    runCommand('kcat', [...brokerArguments(version, hosts), '-P', '-t', topic, ...args], {
      input: lines,
    }),
  )
}
