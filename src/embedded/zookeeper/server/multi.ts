/**
 * Several changes in one request, executed all or none; and the headers, which a multi of reads
 * also has.
 */
import { ProtocolError } from '../../../../protocol/protocol-error.ts'
import { KeeperCode, type KeeperError } from '../error-codes.ts'
import type { JuteReader, JuteWriter } from '../jute.ts'
import { refusalOf } from '../keeper.ts'
import { OPERATIONS, operationOf, type Operation } from '../operations.ts'
import { writeResult, WRITES, type Parse, type Write, type WriteResult } from './writes.ts'

interface PartOfMulti {
  readonly parse: Parse
  /** The type of its result in the response. */
  readonly resultType: number
}

/** The operations that a multi may contain. */
const IN_MULTI: Partial<Record<Operation, PartOfMulti>> = {
  create: { parse: WRITES.create, resultType: OPERATIONS.create },
  create2: { parse: WRITES.create2, resultType: OPERATIONS.create2 },
  createContainer: { parse: WRITES.createContainer, resultType: OPERATIONS.create2 },
  createTTL: { parse: WRITES.createTTL, resultType: OPERATIONS.create2 },
  delete: { parse: WRITES.delete, resultType: OPERATIONS.delete },
  setData: { parse: WRITES.setData, resultType: OPERATIONS.setData },
  check: { parse: WRITES.check, resultType: OPERATIONS.check },
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

/** The whole request is read before anything is executed. */
function parseMulti(reader: JuteReader): readonly MultiPart[] {
  const parts: MultiPart[] = []
  for (;;) {
    const { type, isDone } = readMultiHeader(reader)
    if (isDone) return parts
    const part = IN_MULTI[operationOf(type) ?? 'multi']
    if (part === undefined) throw new ProtocolError(`a multi cannot contain ${type}`, reader.offset)
    parts.push({ resultType: part.resultType, write: part.parse(reader) })
  }
}

/** Executes all operations or none, and writes the results or the errors. */
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

/** The operations before the failed one succeeded; those after it were not executed. */
function errorAt(index: number, failed: number, refusal: KeeperError): number {
  if (index < failed) return KeeperCode.OK
  return index === failed ? refusal.errorCode : KeeperCode.RUNTIME_INCONSISTENCY
}
