import { keysOf } from '../../options.ts'
/** ZooDefs.OpCode: the type of a request. */
export const OPERATIONS = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getACL: 6,
  setACL: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  createTTL: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  closeSession: -11,
} as const

/** The name of an operation, as in ZooKeeper. */
export type Operation = keyof typeof OPERATIONS

/** Requests that do not begin with a path. */
const WITHOUT_PATH: readonly Operation[] = [
  'ping',
  'multi',
  'multiRead',
  'reconfig',
  'auth',
  'setWatches',
  'setWatches2',
  'whoAmI',
  'closeSession',
]

export function hasPath(operation: Operation): boolean {
  return !WITHOUT_PATH.includes(operation)
}

const NAMES: ReadonlyMap<number, Operation> = new Map(
  keysOf(OPERATIONS).map((name) => [OPERATIONS[name], name]),
)

export function operationOf(code: number): Operation | undefined {
  return NAMES.get(code)
}
