/** Requests that do not change the tree, except for watches. */
import { ProtocolError } from '../../../../protocol/protocol-error.ts'
import { KeeperCode, KeeperError } from '../error-codes.ts'
import { JuteWriter, type JuteReader } from '../jute.ts'
import { refusalOf, type Client, type Keeper } from '../keeper.ts'
import { operationOf, type Operation } from '../operations.ts'
import { checkAllowed, isAllowed, ZNODE_PERMISSION, userName, withoutSecrets } from '../tree/acl.ts'
import { statOf, type TreeNode } from '../tree/node.ts'
import type { WatchesToSet, WatchKind, WatchMode } from '../watches.ts'
import { readMultiHeader, writeMultiEnd, writeMultiError, writeMultiHeader } from './multi.ts'

/** Reads the request's body and writes the response's. Throws KeeperError, ProtocolError. */
type Read = (keeper: Keeper, client: Client, reader: JuteReader, writer: JuteWriter) => void

/** The node, if the client may read it. */
function readable(keeper: Keeper, client: Client, path: string): TreeNode {
  const node = keeper.tree.get(path)
  checkAllowed(node.acl, ZNODE_PERMISSION.read, client.identities, path)
  return node
}

const exists: Read = (keeper, client, reader, writer) => {
  const [path, watch] = [reader.string(), reader.bool()]
  if (path.includes('\0')) throw new KeeperError('BAD_ARGUMENTS', path)
  const node = keeper.tree.find(path)
  if (node !== undefined) checkAllowed(node.acl, ZNODE_PERMISSION.read, client.identities, path)
  // The watch also applies to a node that does not exist yet.
  if (watch) keeper.watches.add('data', path, client)
  writer.stat(statOf(keeper.tree.get(path)))
}

const getData: Read = (keeper, client, reader, writer) => {
  const [path, watch] = [reader.string(), reader.bool()]
  const node = readable(keeper, client, path)
  if (watch) keeper.watches.add('data', path, client)
  writer.buffer(node.data)
  writer.stat(statOf(node))
}

const getAcl: Read = (keeper, client, reader, writer) => {
  const path = reader.string()
  const node = keeper.tree.get(path)
  const { acl } = node
  checkAllowed(acl, ZNODE_PERMISSION.read | ZNODE_PERMISSION.admin, client.identities, path)
  const maySeeAll = isAllowed(acl, ZNODE_PERMISSION.admin, client.identities)
  writer.acl(maySeeAll ? acl : withoutSecrets(acl))
  writer.stat(statOf(node))
}

const getChildren: Read = (keeper, client, reader, writer) => {
  const [path, watch] = [reader.string(), reader.bool()]
  const node = readable(keeper, client, path)
  if (watch) keeper.watches.add('children', path, client)
  writer.strings(node.children)
}

const getChildren2: Read = (keeper, client, reader, writer) => {
  const [path, watch] = [reader.string(), reader.bool()]
  const node = readable(keeper, client, path)
  if (watch) keeper.watches.add('children', path, client)
  writer.strings(node.children)
  writer.stat(statOf(node))
}

const getAllChildrenNumber: Read = (keeper, client, reader, writer) => {
  const path = reader.string()
  readable(keeper, client, path)
  writer.int32(keeper.tree.countBelow(path))
}

const getEphemerals: Read = (keeper, client, reader, writer) => {
  const prefix = reader.stringOrNull() ?? '/'
  const own = [...keeper.tree.ephemeralsOf(client.session.id)]
  writer.strings(own.filter((path) => path.startsWith(prefix)))
}

const whoAmI: Read = (_keeper, client, _reader, writer) => {
  writer.int32(client.identities.length)
  for (const identity of client.identities) {
    writer.string(identity.scheme)
    writer.string(userName(identity))
  }
}

/** The server executes requests in order: all earlier ones are complete. */
const sync: Read = (_keeper, _client, reader, writer) => writer.string(reader.string())

const ping: Read = () => undefined

/** One request can read the same large node very often, which would fill the memory. */
const MOST_ANSWER_BYTES = 16 * 1024 * 1024

const MULTI_READS: Partial<Record<Operation, Read>> = { getData, getChildren }

const multiRead: Read = (keeper, client, reader, writer) => {
  for (;;) {
    const { type, isDone } = readMultiHeader(reader)
    if (isDone) break
    const read = MULTI_READS[operationOf(type) ?? 'multi']
    if (read === undefined)
      throw new ProtocolError(`a multi read cannot contain ${type}`, reader.offset)
    if (writer.length > MOST_ANSWER_BYTES) {
      throw new RangeError(`a multi read requests more than ${MOST_ANSWER_BYTES} bytes`)
    }
    const part = new JuteWriter()
    const refusal = refusalOf(() => read(keeper, client, reader, part))
    if (refusal === undefined) {
      writeMultiHeader(writer, type, KeeperCode.OK)
      writer.append(part)
    } else {
      writeMultiError(writer, refusal.errorCode)
    }
  }
  writeMultiEnd(writer)
}

const setWatches: Read = (keeper, client, reader) => {
  keeper.watches.setAgain({ ...readWatches(reader), persistent: [], recursive: [] }, client)
}

const setWatches2: Read = (keeper, client, reader) => {
  const watches = {
    ...readWatches(reader),
    persistent: reader.strings(),
    recursive: reader.strings(),
  }
  keeper.watches.setAgain(watches, client)
}

function readWatches(reader: JuteReader): Omit<WatchesToSet, 'persistent' | 'recursive'> {
  return {
    relativeZxid: reader.int64(),
    data: reader.strings(),
    exist: reader.strings(),
    children: reader.strings(),
  }
}

const ADD_WATCH_MODES: readonly WatchMode[] = ['persistent', 'recursive']

const addWatch: Read = (keeper, client, reader, writer) => {
  const [path, number] = [reader.string(), reader.int32()]
  const mode = ADD_WATCH_MODES[number]
  if (mode === undefined) throw new ProtocolError(`the watch mode ${number} does not exist`, 0)
  keeper.watches.addBoth(path, client, mode)
  writer.int32(KeeperCode.OK)
}

/** Watcher.WatcherType. */
const WATCHER_TYPES: Readonly<Record<number, readonly WatchKind[]>> = {
  1: ['children'],
  2: ['data'],
  3: ['children', 'data'],
}

const checkWatches: Read = (keeper, client, reader) => {
  const [path, kinds] = [reader.string(), watchKinds(reader)]
  if (kinds.some((kind) => keeper.watches.has(kind, path, client))) return
  throw new KeeperError('NO_WATCHER', path)
}

const removeWatches: Read = (keeper, client, reader) => {
  const [path, kinds] = [reader.string(), watchKinds(reader)]
  const removed = kinds.filter((kind) => keeper.watches.remove(kind, path, client))
  if (removed.length === 0) throw new KeeperError('NO_WATCHER', path)
}

function watchKinds(reader: JuteReader): readonly WatchKind[] {
  const number = reader.int32()
  const kinds = WATCHER_TYPES[number]
  if (kinds === undefined) throw new ProtocolError(`the watcher type ${number} does not exist`, 0)
  return kinds
}

export const READS: Partial<Record<Operation, Read>> = {
  addWatch,
  checkWatches,
  exists,
  getACL: getAcl,
  getAllChildrenNumber,
  getChildren,
  getChildren2,
  getData,
  getEphemerals,
  multiRead,
  ping,
  removeWatches,
  setWatches,
  setWatches2,
  sync,
  whoAmI,
}
