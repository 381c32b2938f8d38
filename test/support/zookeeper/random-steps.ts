import { Random } from '../../wire/support/random.ts'
import type { Chapter } from './steps.ts'
import {
  addWatch,
  check,
  create,
  create2,
  exists,
  getAcl,
  getAllChildrenNumber,
  getChildren2,
  getData,
  multi,
  remove,
  removeWatches,
  setAcl,
  setData,
  WORLD,
  type RawRequest,
} from './wire.ts'

/** Few, so that requests meet each other's nodes. */
const PATHS = ['/x', '/x/a', '/x/b', '/x/a/c', '/x/b/c', '/y', '/y/a']
const ACLS = [
  WORLD,
  [{ permissions: 29, scheme: 'world', id: 'anyone' }],
  [{ permissions: 31, scheme: 'ip', id: '127.0.0.1' }],
]
const CLIENTS = ['one', 'two', 'three']

/** This many requests of three clients, by chance. The same seed gives the same. */
export function randomChapter(seed: number, steps: number): Chapter {
  return {
    name: `${steps} requests by chance, seed ${seed}`,
    tell: async (side) => {
      const random = new Random(seed)
      const path = () => random.pick(PATHS)
      const version = () => random.pick([-1, -1, 0, 1])
      const fields = () => ({
        flags: random.pick([0, 0, 0, 1, 2, 3]),
        acl: random.pick(ACLS),
        data: random.pick(['', 'x']),
      })
      const watch = () => !random.chance(3)
      const changes: readonly (() => RawRequest)[] = [
        () => create(path(), fields()),
        () => create2(path(), fields()),
        () => setData(path(), random.pick(['a', 'bc', null]), version()),
        () => remove(path(), version()),
      ]
      const inMulti: readonly (() => RawRequest)[] = [...changes, () => check(path(), version())]
      const requests: readonly (() => RawRequest)[] = [
        ...changes,
        ...changes,
        () => multi(...Array.from({ length: 1 + random.below(4) }, () => random.pick(inMulti)())),
        () => setAcl(path(), random.pick(ACLS), version()),
        () => exists(path(), watch()),
        () => getData(path(), watch()),
        () => getChildren2(path(), watch()),
        () => getAcl(path()),
        () => getAllChildrenNumber(path()),
        () => addWatch(path(), random.below(2)),
        () => removeWatches(path(), 1 + random.below(3)),
      ]
      const open = new Map<string, string>()
      for (let step = 0; step < steps; step++) {
        const client = random.pick(CLIENTS)
        const name = open.get(client)
        const connected = `${client} ${step}`
        if (name === undefined) {
          await side.connect(connected)
          open.set(client, connected)
        } else if (random.chance(50)) {
          await side.close(name)
          open.delete(client)
        } else {
          await side.ask(name, random.pick(requests)())
        }
      }
      for (const name of open.values()) await side.close(name)
    },
  }
}
