import type { Command } from 'commander'
import { text } from 'node:stream/consumers'
import type { Target } from '../../index.ts'
import type { Encodable, Fields } from '../../../protocol/index.ts'
import { declare, option, wholeNumber } from '../command.ts'
import { messageOf, UsageError } from '../failure.ts'
import type { Session } from '../session.ts'

interface RawOptions {
  readonly to: string
  readonly version?: number
}

/** Adds `samsa raw`. */
export function rawCommand(samsa: Command): void {
  declare<RawOptions>(samsa, {
    name: 'raw <api> [body]',
    summary: "send a request of Kafka's protocol and print the response as JSON",
    arguments: {
      api: 'name of the API, name of the API, such as Metadata or describeCluster',
      body: 'JSON with the fields of the request; -: from standard input; default: {}',
    },
    options: [
      option(
        '--to <target>',
        'any, controller, a broker id, leader:TOPIC:PARTITION, group:ID, transaction:ID, share:KEY',
      ).default('any'),
      option('--version <number>', 'highest version of the API to use').argParser(wholeNumber),
    ],
    has: ['connection'],
    notes:
      'In the body, "12n" is a 64-bit number and {"base64":"…"} is bytes. Bytes in the response are in base64.',
    examples: [
      "samsa raw DescribeCluster '{}'",
      'samsa raw ListGroups --to 0',
      `samsa raw DescribeGroups '{"groups":["billing"]}' --to group:billing`,
    ],
    run: sendRaw,
  })
}

async function sendRaw(
  session: Session,
  [name, given = '{}']: readonly string[],
  { to, version }: RawOptions,
): Promise<void> {
  const protocol = await import('../../../protocol/index.ts')
  const wanted = name!.toLowerCase()
  const apis = Array.from({ length: KEYS }, (_, key) => protocol.apiOf(key)).filter(
    (one) => one !== undefined,
  )
  const api = apis.find((one) => one.name.toLowerCase() === wanted)
  if (api === undefined) {
    const near = apis.map((one) => one.name).filter((one) => one.toLowerCase().includes(wanted))
    const hint =
      near.length > 0
        ? near.join(', ')
        : apis
            .map((one) => one.name)
            .sort()
            .join(', ')
    throw new UsageError(`there is no API '${name}': ${hint}`)
  }
  const source = given === '-' ? await text(process.stdin) : given
  let body: Encodable<Fields>
  try {
    // The declaration of the API checks the fields when it encodes them.
    body = JSON.parse(source, revived) as Encodable<Fields>
  } catch (error) {
    throw new UsageError(`the body is not JSON: ${messageOf(error)}`)
  }
  const client = await session.client()
  const response: unknown = await client.request(api, body, {
    ...session.call,
    to: targetOf(to),
    ...(version === undefined ? {} : { maxVersion: version }),
  })
  session.write(`${JSON.stringify(response, printable, 2)}\n`)
}

/** Higher than the key of any API that clients use. */
const KEYS = 200

/**
 * Values that JSON cannot represent: `"12n"` is a 64-bit number, `{ "base64": "…" }` contains
 * bytes.
 */
function revived(_key: string, value: unknown): unknown {
  if (typeof value === 'string' && /^-?\d{1,19}n$/.test(value)) return BigInt(value.slice(0, -1))
  const isBytes = typeof value === 'object' && value !== null && 'base64' in value
  return isBytes && typeof value.base64 === 'string' ? Buffer.from(value.base64, 'base64') : value
}

function printable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  // JSON.stringify calls Buffer's toJSON before this function.
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && 'data' in value
  if (isBuffer && value.type === 'Buffer' && Array.isArray(value.data)) {
    // `toJSON` of a Buffer lists its bytes.
    return Buffer.from(value.data as number[]).toString('base64')
  }
  return value
}

export function targetOf(text: string): Target {
  if (text === 'any' || text === 'controller') return text
  if (/^\d{1,10}$/.test(text)) return { broker: Number(text) }
  const leader = /^leader:(.+):(\d{1,10})$/.exec(text)
  if (leader !== null) return { leader: { topic: leader[1]!, partition: Number(leader[2]) } }
  const coordinator = /^(group|transaction|share):(.+)$/s.exec(text)
  const kind = coordinator?.[1]
  if (kind === 'group' || kind === 'transaction' || kind === 'share') {
    return { coordinator: kind, key: coordinator![2]! }
  }
  throw new UsageError(
    `'${text}' is not a target: use any, controller, a broker id, leader:TOPIC:PARTITION, group:ID, transaction:ID or share:KEY`,
  )
}
