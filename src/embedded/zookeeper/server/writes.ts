/** Requests that change the tree: each by itself, or several in a multi. */
import { KeeperCode, KeeperError } from '../error-codes.ts'
import type { JuteReader, JuteWriter } from '../jute.ts'
import { OPERATIONS, operationOf, type Operation } from '../operations.ts'
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

const parseReconfig: Parse = () => () => {
  throw new KeeperError('RECONFIG_DISABLED')
}

interface PartOfMulti {
  readonly parse: Parse
  /** What its result is called in the answer. */
  readonly resultType: number
}

/** What a multi may be made of. */
const IN_MULTI: Partial<Record<Operation, PartOfMulti>> = {
  create: { parse: parseCreate, resultType: OPERATIONS.create },
  create2: { parse: parseCreateWithStat, resultType: OPERATIONS.create2 },
  createContainer: { parse: parseCreateWithStat, resultType: OPERATIONS.create2 },
  createTTL: { parse: parseCreateTtl, resultType: OPERATIONS.create2 },
  delete: { parse: parseDelete, resultType: OPERATIONS.delete },
  setData: { parse: parseSetData, resultType: OPERATIONS.setData },
  check: { parse: parseCheck, resultType: OPERATIONS.check },
}

export const WRITES: Partial<Record<Operation, Parse>> = {
  create: parseCreate,
  create2: parseCreateWithStat,
  createContainer: parseCreateWithStat,
  createTTL: parseCreateTtl,
  delete: parseDelete,
  setData: parseSetData,
  check: parseCheck,
  setACL: parseSetAcl,
  reconfig: parseReconfig,
}

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
  readonly resultType: number
  readonly write: Write
}

/** All is read before anything is done. */
function parseMulti(reader: JuteReader): readonly MultiPart[] {
  const parts: MultiPart[] = []
  for (;;) {
    const { type, isDone } = readMultiHeader(reader)
    if (isDone) return parts
    const part = IN_MULTI[operationOf(type) ?? 'multi']
    if (part === undefined) throw new ProtocolError(`a multi can't hold ${type}`, reader.offset)
    parts.push({ resultType: part.resultType, write: part.parse(reader) })
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
      for (const { resultType, write: change } of parts) {
        results.push({ type: resultType, result: change(transaction) })
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
