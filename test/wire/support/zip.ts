import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

const END_OF_DIRECTORY = 0x06054b50
const END_OF_DIRECTORY_BYTES = 22
const DIRECTORY_ENTRY_BYTES = 46
const LOCAL_HEADER_BYTES = 30
const STORED = 0

/**
 * The files in a zip (a jar is one) whose names pass, as text. No zip64: jars of libraries are
 * small.
 */
export function readZip(file: string, wanted: (name: string) => boolean): Map<string, string> {
  const zip = readFileSync(file)
  const end = findEndOfDirectory(zip)
  const found = new Map<string, string>()
  let entry = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(entry + 28)
    const nameStart = entry + DIRECTORY_ENTRY_BYTES
    const name = zip.toString('utf8', nameStart, nameStart + nameLength)
    if (wanted(name)) found.set(name, readEntry(zip, entry).toString('utf8'))
    entry = nameStart + nameLength + zip.readUInt16LE(entry + 30) + zip.readUInt16LE(entry + 32)
  }
  return found
}

function readEntry(zip: Buffer, entry: number): Buffer {
  const method = zip.readUInt16LE(entry + 10)
  const compressedBytes = zip.readUInt32LE(entry + 20)
  const local = zip.readUInt32LE(entry + 42)
  const start =
    local + LOCAL_HEADER_BYTES + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
  const data = zip.subarray(start, start + compressedBytes)
  return method === STORED ? data : inflateRawSync(data)
}

/** It lies at the very end, before a comment of any length. */
function findEndOfDirectory(zip: Buffer): number {
  for (let at = zip.length - END_OF_DIRECTORY_BYTES; at >= 0; at--) {
    if (zip.readUInt32LE(at) === END_OF_DIRECTORY) return at
  }
  throw new Error('not a zip file')
}
