/** Requests and answers of ZooKeeper's protocol, written down apart from those of the embedded server. */
import { ByteWriter } from '../kafka/bytes.ts'

export type Field = 'path' | 'data' | 'stat' | 'acl' | 'names' | 'count' | 'results' | 'clients'

export interface RawRequest {
  /** For messages. */
  readonly what: string
  readonly type: number
  readonly body: Buffer
  /** What the answer is made of. */
  readonly answer: readonly Field[]
  /** Where it isn't the next number. */
  readonly xid?: number
}

export interface RawAcl {
  readonly permissions: number
  readonly scheme: string
  readonly id: string
}

export const WORLD: readonly RawAcl[] = [{ permissions: 31, scheme: 'world', id: 'anyone' }]
const EVERY_VERSION = -1

function writer(): ByteWriter {
  return new ByteWriter()
}

function nullable(to: ByteWriter, data: string | null): ByteWriter {
  return data === null ? to.int32(-1) : to.bytes(data)
}

function acls(to: ByteWriter, all: readonly RawAcl[]): ByteWriter {
  return to.array(all, ({ permissions, scheme, id }) =>
    to.int32(permissions).bytes(scheme).bytes(id),
  )
}

function paths(to: ByteWriter, all: readonly string[]): ByteWriter {
  return to.array(all, (path) => to.bytes(path))
}

function request(
  what: string,
  type: number,
  body: ByteWriter,
  ...answer: readonly Field[]
): RawRequest {
  return { what, type, body: body.toBuffer(), answer }
}

export interface CreateFields {
  readonly data?: string | null
  readonly acl?: readonly RawAcl[]
  readonly flags?: number
}

function createBody(path: string, { data = '', acl = WORLD, flags = 0 }: CreateFields): ByteWriter {
  return acls(nullable(writer().bytes(path), data), acl).int32(flags)
}

export function create(path: string, fields: CreateFields = {}): RawRequest {
  return request(`create ${path}`, 1, createBody(path, fields), 'path')
}

export function create2(path: string, fields: CreateFields = {}): RawRequest {
  return request(`create2 ${path}`, 15, createBody(path, fields), 'path', 'stat')
}

export function createContainer(path: string): RawRequest {
  return request(`createContainer ${path}`, 19, createBody(path, { flags: 4 }), 'path', 'stat')
}

export function createTtl(path: string): RawRequest {
  const body = createBody(path, { flags: 5 }).int64(1_000n)
  return request(`createTTL ${path}`, 21, body, 'path', 'stat')
}

export function remove(path: string, version = EVERY_VERSION): RawRequest {
  return request(`delete ${path}`, 2, writer().bytes(path).int32(version))
}

function watching(what: string, type: number, path: string, watch: boolean, ...answer: Field[]) {
  const body = writer()
    .bytes(path)
    .int8(watch ? 1 : 0)
  return request(`${what} ${path}`, type, body, ...answer)
}

export function exists(path: string, watch = false): RawRequest {
  return watching('exists', 3, path, watch, 'stat')
}

export function getData(path: string, watch = false): RawRequest {
  return watching('getData', 4, path, watch, 'data', 'stat')
}

export function getChildren(path: string, watch = false): RawRequest {
  return watching('getChildren', 8, path, watch, 'names')
}

export function getChildren2(path: string, watch = false): RawRequest {
  return watching('getChildren2', 12, path, watch, 'names', 'stat')
}

export function setData(path: string, data: string | null, version = EVERY_VERSION): RawRequest {
  const body = nullable(writer().bytes(path), data).int32(version)
  return request(`setData ${path}`, 5, body, 'stat')
}

export function getAcl(path: string): RawRequest {
  return request(`getACL ${path}`, 6, writer().bytes(path), 'acl', 'stat')
}

export function setAcl(path: string, acl: readonly RawAcl[], version = EVERY_VERSION): RawRequest {
  return request(`setACL ${path}`, 7, acls(writer().bytes(path), acl).int32(version), 'stat')
}

export function sync(path: string): RawRequest {
  return request(`sync ${path}`, 9, writer().bytes(path), 'path')
}

export function ping(): RawRequest {
  return { ...request('ping', 11, writer()), xid: -2 }
}

export function check(path: string, version: number): RawRequest {
  return request(`check ${path}`, 13, writer().bytes(path).int32(version))
}

export function closeSession(): RawRequest {
  return request('closeSession', -11, writer())
}

export function auth(scheme: string, secret: string): RawRequest {
  return {
    ...request(`auth ${scheme}`, 100, writer().int32(0).bytes(scheme).bytes(secret)),
    xid: -4,
  }
}

function bundle(parts: readonly RawRequest[]): ByteWriter {
  const body = writer()
  for (const part of parts) body.int32(part.type).int8(0).int32(-1).raw(part.body)
  return body.int32(-1).int8(1).int32(-1)
}

export function multi(...parts: readonly RawRequest[]): RawRequest {
  return request(
    `multi (${parts.map(({ what }) => what).join('; ')})`,
    14,
    bundle(parts),
    'results',
  )
}

export function multiRead(...parts: readonly RawRequest[]): RawRequest {
  const what = `multiRead (${parts.map((part) => part.what).join('; ')})`
  return request(what, 22, bundle(parts), 'results')
}

export interface RawWatches {
  readonly data?: readonly string[]
  readonly exist?: readonly string[]
  readonly children?: readonly string[]
}

export function setWatches(zxid: bigint, watches: RawWatches): RawRequest {
  const body = paths(writer().int64(zxid), watches.data ?? [])
  paths(paths(body, watches.exist ?? []), watches.children ?? [])
  return { ...request('setWatches', 101, body), xid: -8 }
}

export function setWatches2(
  zxid: bigint,
  persistent: readonly string[],
  recursive: readonly string[],
): RawRequest {
  const body = writer().int64(zxid)
  for (const list of [[], [], [], persistent, recursive]) paths(body, list)
  return { ...request('setWatches2', 105, body), xid: -8 }
}

export function addWatch(path: string, mode: number): RawRequest {
  return request(`addWatch ${path}`, 106, writer().bytes(path).int32(mode), 'count')
}

export function removeWatches(path: string, type: number): RawRequest {
  return request(`removeWatches ${path}`, 18, writer().bytes(path).int32(type))
}

export function checkWatches(path: string, type: number): RawRequest {
  return request(`checkWatches ${path}`, 17, writer().bytes(path).int32(type))
}

export function getEphemerals(prefix: string): RawRequest {
  return request(`getEphemerals ${prefix}`, 103, writer().bytes(prefix), 'names')
}

export function getAllChildrenNumber(path: string): RawRequest {
  return request(`getAllChildrenNumber ${path}`, 104, writer().bytes(path), 'count')
}

export function whoAmI(): RawRequest {
  return request('whoAmI', 107, writer(), 'clients')
}

export function reconfig(): RawRequest {
  return request('reconfig', 16, writer().bytes('').bytes('').bytes('').int64(-1n), 'data', 'stat')
}

/** A request of this type with these bytes, whatever they mean. */
export function odd(what: string, type: number, body: Buffer): RawRequest {
  return { what, type, body, answer: [] }
}
