/** Requests that change the tree: each by itself, or several in a multi. */
import { KeeperCode, type KeeperError } from '../error-codes.ts'
import type { JuteReader, JuteWriter } from '../jute.ts'
import { operationOf, type Operation } from '../operations.ts'
import type { NodeStat } from '../tree/node.ts'
import type { Transaction } from '../tree/transaction.ts'
import { ProtocolError } from '../../../../protocol/protocol-error.ts'
import { refusalOf } from '../keeper.ts'

/** What the answer tells, where it tells anything. */
export interface WriteResult {
  readonly path?: string
  readonly stat?: NodeStat
}

/** A request that has been read. */
export type Write = (transaction: Transaction) => WriteResult

/** Reads a request's body; throws ProtocolError. */
type Parse = (reader: JuteReader) => Write

function parseCreate(reader: JuteReader): Write {
  const request = {
    path: reader.string(),
    data: reader.bufferOrNull(),
    acl: reader.acl(),
    flags: reader.int32(),
  }
  return (transaction) => ({ path: transaction.create(request).path })
}

function parseCreateWithStat(reader: JuteReader): Write {
  const request = {
    path: reader.string(),
    data: reader.bufferOrNull(),
    acl: reader.acl(),
    flags: reader.int32(),
  }
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

/** What a multi may be made of. */
const IN_MULTI: Partial<Record<Operation, Parse>> = {
  create: parseCreate,
  create2: parseCreateWithStat,
  createContainer: parseCreateWithStat,
  createTTL: parseCreateTtl,
  delete: parseDelete,
  setData: parseSetData,
  check: parseCheck,
}

export const WRITES: Partial<Record<Operation, Parse>> = { ...IN_MULTI, setACL: parseSetAcl }

export function writeResult(writer: JuteWriter, { path, stat }: WriteResult): void {
  if (path !== undefined) writer.string(path)
  if (stat !== undefined) writer.stat(stat)
}

const ERROR_TYPE = -1

/** The header before each request, and each result, of a multi. */
export interface MultiHeader {
  readonly type: number
  readonly isDone: boolean
}

export function readMultiHeader(reader: JuteReader): MultiHeader {
  const header = { type: reader.int32(), isDone: reader.bool() }
  reader.int32()
  return header
}

export function writeMultiHeader(writer: JuteWriter, type: number, error: number): void {
  writer.int32(type)
  writer.bool(false)
  writer.int32(error)
}

export function writeMultiEnd(writer: JuteWriter): void {
  writer.int32(ERROR_TYPE)
  writer.bool(true)
  writer.int32(-1)
}

export function writeMultiError(writer: JuteWriter, error: number): void {
  writeMultiHeader(writer, ERROR_TYPE, error)
  writer.int32(error)
}

interface MultiPart {
  readonly type: number
  readonly write: Write
}

/** All is read before anything is done. */
function parseMulti(reader: JuteReader): readonly MultiPart[] {
  const parts: MultiPart[] = []
  for (;;) {
    const { type, isDone } = readMultiHeader(reader)
    if (isDone) return parts
    const parse = IN_MULTI[operationOf(type) ?? 'multi']
    if (parse === undefined) throw new ProtocolError(`a multi can't hold ${type}`, reader.offset)
    parts.push({ type, write: parse(reader) })
  }
}

/** Does all parts or none, and writes the results, or what was wrong with which part. */
export function runMulti(
  reader: JuteReader,
  writer: JuteWriter,
  write: (change: Write) => WriteResult,
): void {
  let parts: readonly MultiPart[] = []
  const results: { readonly type: number; readonly result: WriteResult }[] = []
  const refusal = refusalOf(() =>
    write((transaction) => {
      parts = parseMulti(reader)
      for (const { type, write: change } of parts) {
        results.push({ type, result: change(transaction) })
      }
      return {}
    }),
  )
  if (refusal === undefined) {
    for (const { type, result } of results) {
      writeMultiHeader(writer, type, KeeperCode.OK)
      writeResult(writer, result)
    }
  } else {
    parts.forEach((_, index) => writeMultiError(writer, errorAt(index, results.length, refusal)))
  }
  writeMultiEnd(writer)
}

/** The parts before the one that failed were fine; those behind it were not tried. */
function errorAt(index: number, failed: number, refusal: KeeperError): number {
  if (index < failed) return KeeperCode.OK
  return index === failed ? refusal.errorCode : KeeperCode.RUNTIME_INCONSISTENCY
}
