import { inflateRawSync } from 'node:zlib'

const LOCAL_HEADER = 0x04034b50
const HEADER_BYTES = 30

/** The files of a jar by path, in its order. */
export function unzip(jar: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (let at = 0; jar.readUInt32LE(at) === LOCAL_HEADER;) {
    const deflated = jar.readUInt32LE(at + 18)
    const nameAt = at + HEADER_BYTES
    const dataAt = nameAt + jar.readUInt16LE(at + 26) + jar.readUInt16LE(at + 28)
    const name = jar.toString('utf8', nameAt, nameAt + jar.readUInt16LE(at + 26))
    at = dataAt + deflated
    files.set(name, inflateRawSync(jar.subarray(dataAt, at)))
  }
  return files
}
