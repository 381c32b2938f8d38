import { failureOf, settled } from '../settled.ts'
import { RawSession } from './raw-session.ts'
import { ZooKeeperTestSession } from './session.ts'

/** What node-zookeeper-client sees of a ZooKeeper: a line for each result. */
export async function nodeClientScript(hosts: string): Promise<readonly string[]> {
  const lines: string[] = []
  using session = await ZooKeeperTestSession.open(hosts)
  using other = await ZooKeeperTestSession.open(hosts)
  const attempt = async (what: string, promise: Promise<unknown>) => {
    const { value, error } = await settled(promise)
    lines.push(`${what}: ${error === undefined ? String(value) : error.name}`)
  }

  await attempt('create', session.create('/js', 'one'))
  await attempt('again', session.create('/js', 'one'))
  await attempt('below nothing', session.create('/none/a'))
  await attempt('sequence', session.create('/js/s-', '', 'lastingSequential'))
  await attempt('ephemeral', session.create('/js/e', '', 'ephemeral'))
  await attempt('ephemeral sequence', session.create('/js/s-', '', 'ephemeralSequential'))
  await attempt('get', session.getData('/js'))
  await attempt('set', session.setData('/js', 'two'))
  await attempt('get', other.getData('/js'))
  await attempt('get none', session.getData('/none'))
  await attempt('exists', session.exists('/js'))
  await attempt('exists not', session.exists('/none'))
  await attempt('children', session.getChildren('/js'))
  await attempt('remove full', session.remove('/js'))
  await attempt('remove wrong version', session.remove('/js/s-0000000000', 7))
  await attempt('remove', session.remove('/js/s-0000000000', 0))

  await other.getData('/js', true)
  await other.getChildren('/js', true)
  await other.exists('/js/later', true)
  await session.setData('/js', 'three')
  await session.create('/js/later')
  lines.push(...(await other.untilEvents(3)))
  // Its connection is gone, its session and its watches are not.
  await other.getData('/js', true)
  await other.getChildren('/js', true)
  await takeOver(hosts, other)
  await other.untilState('SYNC_CONNECTED', 2)
  await session.remove('/js/later')
  lines.push(...(await other.untilEvents(4)).slice(3))

  const { client } = session
  const commit = (transaction: ReturnType<typeof client.transaction>) =>
    new Promise<unknown[]>((resolve, reject) => {
      transaction.commit((error, results: unknown[]) => {
        if (error === null) resolve(results)
        else reject(Object.assign(new Error(String(error)), { name: error.name }))
      })
    })
  const good = client
    .transaction()
    .create('/js/t')
    .setData('/js', Buffer.from('4'))
    .check('/js/t', 0)
  lines.push(`transaction: ${(await commit(good)).length} results`)
  const bad = client.transaction().create('/js/t2').remove('/js/t', 9)
  lines.push(`failed transaction: ${(await failureOf(commit(bad))).name}`)
  await attempt('undone', session.getChildren('/js'))
  for (const name of await session.getChildren('/js')) await session.remove(`/js/${name}`)
  await attempt('at last', session.remove('/js'))
  return lines
}

/** Another connection with its session: the server closes the one before, and the client comes back. */
async function takeOver(hosts: string, { client }: ZooKeeperTestSession): Promise<void> {
  using taker = await RawSession.open(Number(hosts.split(':')[1]))
  taker.connect({
    sessionId: client.getSessionId().readBigInt64BE(),
    password: client.getSessionPassword(),
  })
  await taker.nextFrame()
}
