/** What both servers are asked, a chapter after the other: all of the protocol that the embedded one has. */
import { ByteWriter } from '../kafka/bytes.ts'
import type { Side } from './side.ts'
import {
  addWatch,
  auth,
  check,
  checkWatches,
  closeSession,
  create,
  create2,
  createContainer,
  createTtl,
  exists,
  getAcl,
  getAllChildrenNumber,
  getChildren,
  getChildren2,
  getData,
  getEphemerals,
  multi,
  multiRead,
  odd,
  ping,
  reconfig,
  remove,
  removeWatches,
  setAcl,
  setData,
  setWatches,
  setWatches2,
  sync,
  whoAmI,
  WORLD,
} from './wire.ts'

export interface Chapter {
  readonly name: string
  readonly tell: (side: Side) => Promise<void>
}

const FLAGS = { ephemeral: 1, sequential: 2, ephemeralSequential: 3 } as const
const FOREIGN_ACL = [{ permissions: 31, scheme: 'digest', id: 'x:y' }]
const KINDS = { children: 1, data: 2, any: 3 } as const
const MODES = { persistent: 0, recursive: 1 } as const
/** What `alice:secret` hashes to. */
const ALICE = { scheme: 'digest', id: 'alice:BzEzvbfy24oVNiEqUDEtb/dohZ8=' }

export const CHAPTERS: readonly Chapter[] = [
  {
    name: 'a session',
    tell: async (side) => {
      await side.connect('a')
      await side.connect('without the flag', { sendsReadOnly: false })
      await side.connect('impatient', { timeoutMs: 1 })
      await side.connect('patient', { timeoutMs: 1_000_000 })
      await side.connect('negative', { timeoutMs: -1 })
      await side.connect('of the future', { isFuture: true })
      await side.connect('a stranger', { sessionId: 12_345n })
      await side.connect('a thief', { of: 'a', password: Buffer.alloc(16, 1) })
      await side.connect('a again', { of: 'a' })
      await side.connect('a once more', { of: 'a', timeoutMs: 20_000 })
      await side.ask('a once more', exists('/'), closeSession())
      await side.connect('a too late', { of: 'a' })
      for (const name of ['without the flag', 'impatient', 'patient', 'negative']) {
        await side.ask(name, closeSession())
      }
      await side.connect('main')
    },
  },
  {
    name: 'nodes',
    tell: async (side) => {
      await side.ask(
        'main',
        ...['/', '/zookeeper', '/zookeeper/config', '/zookeeper/quota'].flatMap((path) => [
          getData(path),
          getChildren2(path),
          getAcl(path),
        ]),
        create('/n'),
        create('/n'),
        create2('/n/a', { data: 'one' }),
        create('/n/b', { data: null }),
        create('/missing/a'),
        getData('/n/a'),
        getData('/n/b'),
        getData('/n/missing'),
        exists('/n'),
        exists('/n/missing'),
        exists('/n/a\0'),
        getChildren('/n'),
        getChildren2('/n'),
        getChildren('/n/missing'),
        setData('/n/a', 'two'),
        setData('/n/a', 'three', 0),
        setData('/n/a', 'three', 1),
        setData('/n/a', null),
        setData('/n/missing', ''),
        // One that is right is never answered by the real one, unless it is in a multi.
        check('/n/a', 2),
        check('/n/missing', 0),
        sync('/n'),
        sync('/missing'),
        ping(),
        getAllChildrenNumber('/n'),
        getAllChildrenNumber('/'),
        getAllChildrenNumber('/missing'),
        remove('/n'),
        remove('/n/a', 7),
        remove('/n/a', 3),
        remove('/n/a'),
        remove('/n/b'),
        exists('/n'),
        remove('/n'),
        getChildren2('/'),
      )
    },
  },
  {
    name: 'paths that are none',
    tell: async (side) => {
      const paths = [
        '',
        '/',
        'a',
        '/a/',
        '//',
        '/a//b',
        '/.',
        '/..',
        '/./a',
        '/...',
        '/a\0',
        '/\u0001',
      ]
      for (const path of [...paths, '/\u007f', '/\ufff5', '/é', '/\ue000', '/😀', '/ ']) {
        await side.ask('main', create(path), create(path, { flags: FLAGS.sequential }))
        await side.ask('main', setData(path, 'x'), exists(path), getData(path), getChildren(path))
        await side.ask(
          'main',
          setAcl(path, WORLD),
          getAcl(path),
          multi(check(path, -1)),
          remove(path),
        )
      }
      for (const path of ['/zookeeper', '/zookeeper/config', '/zookeeper/quota']) {
        await side.ask('main', remove(path))
      }
      await side.ask('main', create('/zookeeper/mine'), remove('/zookeeper/mine'))
    },
  },
  {
    name: 'sequences',
    tell: async (side) => {
      await side.ask(
        'main',
        create('/s'),
        create('/s/n-', { flags: FLAGS.sequential }),
        create2('/s/n-', { flags: FLAGS.ephemeralSequential }),
        create('/s/', { flags: FLAGS.sequential }),
        remove('/s/n-0000000000'),
        create('/s/other'),
        create('/s/n-', { flags: FLAGS.sequential }),
        exists('/s'),
        getChildren('/s'),
        create('/top-', { flags: FLAGS.sequential }),
        create('/s/x', { flags: 7 }),
        create('/s/x', { flags: -1 }),
        create('/s/x', { flags: 5 }),
      )
    },
  },
  {
    name: 'ephemeral nodes',
    tell: async (side) => {
      await side.connect('e')
      await side.ask(
        'e',
        create('/e'),
        create2('/e/1', { flags: FLAGS.ephemeral }),
        create('/e/1/child'),
        create('/e/1/child', { flags: FLAGS.sequential }),
        create('/e/2', { flags: FLAGS.ephemeral }),
        getEphemerals('/'),
        getEphemerals('/e/2'),
        getEphemerals('/missing'),
        exists('/e'),
      )
      await side.ask('main', getData('/e/1'), getEphemerals('/'), getChildren('/e', true))
      await side.ask('main', exists('/e/1', true), remove('/e/2'))
      await side.connect('e elsewhere', { of: 'e' })
      await side.ask('main', getChildren('/e', true))
      await side.ask('e elsewhere', exists('/e/1', true), getEphemerals('/'), closeSession())
      await side.ask('main', getChildren2('/e'), remove('/e'))
    },
  },
  {
    name: 'containers and nodes with a time to live',
    tell: async (side) => {
      await side.ask(
        'main',
        createContainer('/c'),
        exists('/c'),
        create('/c/a'),
        create('/c/e', { flags: FLAGS.ephemeral }),
        remove('/c/e'),
        remove('/c/a'),
        remove('/c'),
        create('/c', { flags: 4 }),
        remove('/c'),
        createTtl('/ttl'),
        exists('/ttl'),
      )
    },
  },
  {
    name: 'watches',
    tell: async (side) => {
      await side.connect('w')
      await side.ask('main', create('/w'), create('/w/a'))
      await side.ask('w', getData('/w', true), getChildren('/w', true), exists('/w/new', true))
      await side.ask('main', setData('/w', '1'), setData('/w', '2'))
      await side.ask('main', create('/w/new'), create('/w/newer'), remove('/w/newer'))
      await side.ask('w', getData('/w/a', true), getChildren('/w/a', true), exists('/w/a', true))
      await side.ask('w', getChildren2('/w', true), getData('/missing', true))
      await side.ask('w', getChildren('/missing', true))
      await side.ask('main', create('/missing'), remove('/missing'))
      await side.ask('main', remove('/w/a'), create('/w/a'), remove('/w/a'))
      // Its own changes, too, before the answer.
      await side.ask('w', getData('/w', true), setData('/w', '3'), getChildren('/w', true))
      await side.ask('w', exists('/w/own', true), create('/w/own', { flags: FLAGS.ephemeral }))
      await side.ask('w', getAcl('/w/own'), setAcl('/w/own', WORLD), getData('/w/own', true))
      await side.ask('w', setAcl('/w/own', WORLD), getData('/w/own', true), closeSession())
      await side.ask('main', setData('/w', '4'), remove('/w/new'), remove('/w'))
    },
  },
  {
    name: 'watches that are set again',
    tell: async (side) => {
      await side.connect('w1')
      await side.ask('main', create('/r'), create('/r/a'), create('/r/b'), create('/r/c'))
      const seen = side.lastZxid
      const watches = {
        data: ['/r/a', '/r/b', '/r/gone'],
        exist: ['/r/c', '/r/none'],
        children: ['/r', '/r/a', '/r/gone'],
      }
      await side.ask('w1', setWatches(seen, watches))
      await side.ask('main', setData('/r/b', 'x'), create('/r/none'), remove('/r/none'))
      side.drop('w1')
      await side.connect('w2', { of: 'w1' })
      await side.ask('w2', setWatches(seen, watches))
      await side.ask('main', setData('/r/a', 'x'), create('/r/none'), create('/r/a/child'))
      await side.ask('w2', setWatches(-1n, watches), setWatches(2n ** 62n, watches), closeSession())
      await side.ask(
        'main',
        ...['/r/a/child', '/r/a', '/r/b', '/r/c', '/r/none', '/r'].map((path) => remove(path)),
      )
    },
  },
  {
    name: 'watches that last',
    tell: async (side) => {
      await side.connect('p')
      await side.ask('main', create('/p'), create('/p/a'))
      await side.ask('p', addWatch('/p', MODES.persistent), addWatch('/p/a', MODES.recursive))
      await side.ask('p', addWatch('/later', MODES.recursive), addWatch('/p', 7))
      await side.ask('main', setData('/p', '1'), setData('/p', '2'), create('/p/b'), remove('/p/b'))
      await side.ask('main', create('/p/a/x'), create('/p/a/x/y'), setData('/p/a/x/y', '1'))
      await side.ask('main', remove('/p/a/x/y'), remove('/p/a/x'), setData('/p/a', '1'))
      await side.ask('main', create('/later'), create('/later/x'), remove('/later/x'))
      await side.ask('p', getData('/p', true), checkWatches('/p', KINDS.any))
      await side.ask('main', setData('/p', '3'), setData('/p', '4'), create('/p/c'))
      await side.ask('p', checkWatches('/p', KINDS.data), checkWatches('/p', KINDS.children))
      await side.ask('p', removeWatches('/p', KINDS.children), checkWatches('/p', KINDS.any))
      await side.ask('p', removeWatches('/p/a', KINDS.any), removeWatches('/p/a', KINDS.any))
      await side.ask('p', removeWatches('/later', KINDS.data), removeWatches('/later', 9))
      await side.ask('main', setData('/p/a', '2'), create('/later/y'), remove('/later/y'))
      await side.ask('p', setWatches2(0n, ['/p/c'], ['/p/a']))
      await side.ask('main', setData('/p/c', '1'), create('/p/a/z'), remove('/p/a/z'))
      await side.ask('p', closeSession())
      await side.ask('main', remove('/later'), remove('/p/a'), remove('/p/c'), remove('/p'))
    },
  },
  {
    name: 'several changes at once',
    tell: async (side) => {
      await side.connect('m')
      await side.ask('main', create('/m', { data: 'x' }), create('/m/a'))
      await side.ask('m', getChildren('/m', true), getData('/m', true), exists('/m/b', true))
      await side.ask(
        'main',
        multi(),
        multi(check('/m', 0)),
        // Undone as a whole.
        multi(create('/m/b'), setData('/m', 'y'), remove('/m/a'), check('/m', 0), create('/m/c')),
        multi(remove('/m/a'), remove('/m'), create('/m/x')),
        exists('/m'),
        getData('/m'),
        getChildren2('/m'),
        multi(
          create('/m/b'),
          create2('/m/b/c'),
          setData('/m', 'z'),
          check('/m', 1),
          remove('/m/a'),
        ),
        multi(
          create('/m/n-', { flags: FLAGS.sequential }),
          create('/m/n-', { flags: FLAGS.ephemeralSequential }),
          createContainer('/m/container'),
        ),
        multi(createTtl('/m/ttl')),
        multi(create('/m/b')),
        multi(create('m')),
        multi(create('/m/acl', { acl: [] })),
        multi(getData('/m')),
        multi(create('/m/q'), setAcl('/m', WORLD)),
        getChildren2('/m'),
        multiRead(getData('/m'), getChildren('/m'), getData('/missing'), getChildren('/missing')),
        multiRead(),
        multiRead(exists('/m')),
        multi(remove('/m/b/c'), remove('/m/b'), remove('/m/n-0000000002'), remove('/m/container')),
        getChildren2('/m'),
      )
      await side.ask('m', closeSession())
    },
  },
  {
    name: 'access',
    tell: async (side) => {
      await side.connect('alice')
      await side.ask('main', whoAmI(), create('/acl'))
      await side.ask(
        'alice',
        create('/acl/early', { acl: [{ permissions: 31, scheme: 'auth', id: '' }] }),
        auth('digest', 'alice:secret'),
        auth('digest', 'alice:secret'),
        whoAmI(),
        create('/acl/mine', { acl: [{ permissions: 31, scheme: 'auth', id: 'anything' }] }),
        getAcl('/acl/mine'),
        create('/acl/shared', {
          acl: [
            { permissions: 31, ...ALICE },
            { permissions: 1, scheme: 'world', id: 'anyone' },
            { permissions: 1, scheme: 'world', id: 'anyone' },
          ],
        }),
        create('/acl/near', { acl: [{ permissions: 31, scheme: 'ip', id: '127.0.0.0/8' }] }),
        create('/acl/far', { acl: [{ permissions: 31, scheme: 'ip', id: '10.0.0.1' }] }),
        getData('/acl/near'),
        getData('/acl/far'),
        create('/acl/mine/child'),
      )
      await side.ask(
        'main',
        getData('/acl/mine'),
        getData('/acl/mine', true),
        exists('/acl/mine', true),
        getChildren('/acl/mine'),
        getChildren2('/acl/mine'),
        getAllChildrenNumber('/acl/mine'),
        getAcl('/acl/mine'),
        setData('/acl/mine', 'x'),
        setAcl('/acl/mine', WORLD),
        create('/acl/mine/other'),
        remove('/acl/mine/child'),
        check('/acl/mine', 0),
        multi(check('/acl/mine', 0)),
        multi(setData('/acl', '1'), setData('/acl/mine', '1')),
        getData('/acl/shared'),
        getAcl('/acl/shared'),
        setData('/acl/shared', 'x'),
        sync('/acl/mine'),
      )
      // A client that may not read a node is not notified of its changes.
      await side.ask('alice', setData('/acl/mine', 'secret'), remove('/acl/mine/child'))
      await side.ask('main', addWatch('/acl', MODES.recursive))
      await side.ask('alice', setData('/acl/mine', '2'), setData('/acl/shared', '2'))
      await side.ask(
        'alice',
        setAcl('/acl/mine', WORLD, 5),
        setAcl('/acl/mine', WORLD, 0),
        setAcl('/acl/mine', []),
        setAcl('/acl/mine', [{ permissions: 31, scheme: 'nobody', id: 'x' }]),
        setAcl('/acl/mine', [{ permissions: 31, scheme: 'digest', id: 'x' }]),
        setAcl('/acl/mine', [{ permissions: 31, scheme: 'digest', id: 'x:' }]),
        setAcl('/acl/mine', [{ permissions: 31, scheme: 'digest', id: ':x' }]),
        setAcl('/acl/mine', [{ permissions: 31, scheme: 'digest', id: 'x:y:z' }]),
        setAcl('/acl/mine', [{ permissions: 31, scheme: 'ip', id: '1.2.3' }]),
        setAcl('/acl/mine', [{ permissions: 31, scheme: 'ip', id: '1.2.3.4/33' }]),
        setAcl('/acl/mine', [{ permissions: 31, scheme: 'world', id: 'x' }]),
        setAcl('/acl/mine', [{ permissions: 0, scheme: 'world', id: 'anyone' }]),
        setAcl('/acl/missing', WORLD),
        getAcl('/acl/missing'),
        getAcl('/acl/mine'),
        create('/acl/nobodys', { acl: FOREIGN_ACL }),
        exists('/acl/nobodys'),
        setData('/acl/nobodys', 'x'),
        remove('/acl/nobodys'),
        auth('ip', ''),
      )
      await side.ask('main', auth('nonsense', 'x'))
      await side.connect('main again', { of: 'main' })
      await side.ask('main again', closeSession())
      await side.ask('alice', closeSession())
    },
  },
  {
    name: 'requests that are none',
    tell: async (side) => {
      const empty = Buffer.alloc(0)
      const path = new ByteWriter().bytes('/odd')
      await side.connect('o')
      await side.ask(
        'o',
        odd('create of nothing', 1, empty),
        odd('create of half', 1, path.toBuffer()),
        odd(
          'create of a null path',
          1,
          new ByteWriter().int32(-1).int32(-1).int32(0).int32(0).toBuffer(),
        ),
        odd('getData of nothing', 4, empty),
        odd('getData with a length past the end', 4, new ByteWriter().int32(999).toBuffer()),
        odd('getData with a negative length', 4, new ByteWriter().int32(-5).toBuffer()),
        odd('multi of nothing', 14, empty),
        odd(
          'setWatches with a count past the end',
          101,
          new ByteWriter().int64(0n).int32(99).toBuffer(),
        ),
        odd(
          'create with more behind it',
          1,
          Buffer.concat([create('/odd').body, Buffer.from('more')]),
        ),
        remove('/odd'),
        reconfig(),
      )
      await side.ask('o', odd('a type that does not exist', 77, empty))
      await side.connect('o again', { of: 'o' })
      await side.ask('o again', odd('a negative type', -7, empty))
      await side.connect('o at last', { of: 'o' })
      await side.ask('o at last', closeSession())
    },
  },
]
