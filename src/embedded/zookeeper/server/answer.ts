/** Executes a request's frame and returns the response. */
import { ProtocolError } from '../../../../protocol/protocol-error.ts'
import { KeeperCode, KeeperError } from '../error-codes.ts'
import { JuteWriter, type JuteReader } from '../jute.ts'
import type { Client, Keeper } from '../keeper.ts'
import type { Operation } from '../operations.ts'
import { runMulti } from './multi.ts'
import { READS } from './reads.ts'
import { writeResult, WRITES, type Parse } from './writes.ts'

const PARSERS: Partial<Record<Operation, Parse>> = WRITES

export interface ZooKeeperAnswer {
  readonly errorCode: number
  readonly body: JuteWriter | undefined
}

/** An invalid body is answered with MARSHALLING_ERROR: the next frame may be valid. */
export function answer(
  keeper: Keeper,
  client: Client,
  operation: Operation,
  reader: JuteReader,
): ZooKeeperAnswer {
  const body = new JuteWriter()
  try {
    run(keeper, client, operation, reader, body)
    return { errorCode: KeeperCode.OK, body }
  } catch (error) {
    return { errorCode: codeOf(error), body: undefined }
  }
}

function run(
  keeper: Keeper,
  client: Client,
  operation: Operation,
  reader: JuteReader,
  body: JuteWriter,
): void {
  const read = READS[operation]
  if (read !== undefined) {
    read(keeper, client, reader, body)
    return
  }
  const { session, identities } = client
  if (operation === 'multi') {
    runMulti(reader, body, (change) => keeper.write(session.id, identities, change))
    return
  }
  const parse = PARSERS[operation]
  if (parse === undefined) throw new KeeperError('UNIMPLEMENTED')
  // Within the transaction, because an unreadable request also uses up a number.
  const result = keeper.write(session.id, identities, (transaction) => parse(reader)(transaction))
  writeResult(body, result)
}

function codeOf(error: unknown): number {
  if (error instanceof KeeperError) return error.errorCode
  if (error instanceof ProtocolError) return KeeperCode.MARSHALLING_ERROR
  throw error
}
