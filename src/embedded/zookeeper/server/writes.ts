/** Requests that change the tree. */
import { KeeperError } from '../error-codes.ts'
import type { JuteReader, JuteWriter } from '../jute.ts'
import type { Operation } from '../operations.ts'
import type { NodeStat } from '../tree/node.ts'
import type { NewNodeRequest, TreeTransaction } from '../tree/transaction.ts'

/** The content of the response, if it has any. */
export interface WriteResult {
  readonly path?: string
  readonly stat?: NodeStat
}

/** A decoded request. */
export type Write = (transaction: TreeTransaction) => WriteResult

/** Reads a request's body; throws ProtocolError. */
export type Parse = (reader: JuteReader) => Write

function createRequest(reader: JuteReader): NewNodeRequest {
  return {
    path: reader.string(),
    data: reader.bufferOrNull(),
    acl: reader.acl(),
    flags: reader.int32(),
  }
}

function parseCreate(reader: JuteReader): Write {
  const request = createRequest(reader)
  return (transaction) => ({ path: transaction.create(request).path })
}

function parseCreateWithStat(reader: JuteReader): Write {
  const request = createRequest(reader)
  return (transaction) => transaction.create(request)
}

function parseCreateTtl(reader: JuteReader): Write {
  const create = parseCreateWithStat(reader)
  reader.int64()
  return create
}

function parseDelete(reader: JuteReader): Write {
  const [path, version] = [reader.string(), reader.int32()]
  return (transaction) => {
    transaction.delete(path, version)
    return {}
  }
}

function parseSetData(reader: JuteReader): Write {
  const [path, data, version] = [reader.string(), reader.bufferOrNull(), reader.int32()]
  return (transaction) => ({ stat: transaction.setData(path, data, version) })
}

function parseSetAcl(reader: JuteReader): Write {
  const [path, acl, version] = [reader.string(), reader.acl(), reader.int32()]
  return (transaction) => ({ stat: transaction.setAcl(path, acl, version) })
}

function parseCheck(reader: JuteReader): Write {
  const [path, version] = [reader.string(), reader.int32()]
  return (transaction) => {
    transaction.check(path, version)
    return {}
  }
}

const parseReconfig: Parse = () => () => {
  throw new KeeperError('RECONFIG_DISABLED')
}

export const WRITES = {
  create: parseCreate,
  create2: parseCreateWithStat,
  createContainer: parseCreateWithStat,
  createTTL: parseCreateTtl,
  delete: parseDelete,
  setData: parseSetData,
  check: parseCheck,
  setACL: parseSetAcl,
  reconfig: parseReconfig,
} satisfies Partial<Record<Operation, Parse>>

export function writeResult(writer: JuteWriter, { path, stat }: WriteResult): void {
  if (path !== undefined) writer.string(path)
  if (stat !== undefined) writer.stat(stat)
}
