import type { Keeper } from '../keeper.ts'

/** The version that the server reports: the ZooKeeper that it was compared with. */
const VERSION = '3.8.4-embedded'

export interface ServerState {
  readonly keeper: Keeper
  readonly connections: number
}

/** ZooKeeper's commands of four letters, which are sent instead of a frame. */
const WORDS: Readonly<Record<string, (state: ServerState) => string>> = {
  ruok: () => 'imok',
  srvr,
  stat: srvr,
  envi: () => `Environment:\nzookeeper.version=${VERSION}\nhost.name=localhost\n`,
}

/** The response to these four bytes; undefined if they are not a command. */
export function fourLetterAnswer(bytes: string, state: ServerState): string | undefined {
  return Object.hasOwn(WORDS, bytes) ? WORDS[bytes]?.(state) : undefined
}

function srvr({ keeper, connections }: ServerState): string {
  return [
    `Zookeeper version: ${VERSION}`,
    `Connections: ${connections}`,
    'Outstanding: 0',
    `Zxid: 0x${keeper.zxid.toString(16)}`,
    'Mode: standalone',
    `Node count: ${keeper.tree.size}`,
    '',
  ].join('\n')
}
