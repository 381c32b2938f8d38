import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient } from '../../../src/index.ts'
import { builtCommand } from '../../support/built.ts'
import { samsa } from '../../support/run-command.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

describe('the command that administers a cluster', () => {
  let kafka: EmbeddedCluster
  let folder: TemporaryFolder

  beforeAll(async () => {
    builtCommand()
    folder = new TemporaryFolder()
    kafka = await EmbeddedCluster.start({
      brokers: 3,
      authorizer: { superUsers: ['User:ANONYMOUS'] },
    })
  })
  afterAll(async () => {
    await kafka[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  async function run(line: string) {
    const { exitCode, stdout, stderr } = await samsa(line.split(' '), {
      env: { SAMSA_BROKERS: kafka.hosts, XDG_CONFIG_HOME: folder.path },
    })
    return { exitCode, stdout: stdout.toString(), stderr }
  }

  async function json(line: string): Promise<unknown> {
    const { exitCode, stdout, stderr } = await run(`${line} --json`)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    return JSON.parse(stdout)
  }

  it('creates, lists and deletes access control entries', async () => {
    await json('acl create --principal User:alice --operation read,describe --topic orders --yes')
    expect(await json('acls --topic orders')).toMatchObject([
      { principal: 'User:alice', operation: 'describe', host: '*', permission: 'allow' },
      { principal: 'User:alice', operation: 'read' },
    ])
    const plan = await run('acl delete --principal User:alice --dry-run')
    expect(plan.stderr).toContain('delete: allow User:alice read on topic orders from *')
    await json('acl delete --principal User:alice --yes')
    expect(await json('acls')).toEqual([])
    expect(await run('acl delete')).toMatchObject({ exitCode: 2 })
  })

  it('sets, lists and deletes users without printing their password', async () => {
    const file = join(folder.path, 'password.txt')
    writeFileSync(file, 'correct horse\n')
    const set = await run(`user set bob --scram SCRAM-SHA-256 --new-password-file ${file}`)
    expect(set).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect((await run('users --plain')).stdout).toBe('bob\tSCRAM-SHA-256\t4096\n')
    await json('user delete bob --scram SCRAM-SHA-256 --yes')
    expect(await json('users')).toEqual([])
  })

  it('sets, lists and removes quotas', async () => {
    await json('quota set producer_byte_rate=1000000 --for-user carol --yes')
    expect(await json('quotas')).toEqual([
      { entity: { user: 'carol' }, quotas: { producer_byte_rate: 1_000_000 } },
    ])
    await json('quota unset producer_byte_rate --for-user carol --yes')
    expect(await json('quotas')).toEqual([])
    expect((await run('quota set producer_byte_rate=fast --for-user carol')).exitCode).toBe(2)
  })

  it('plans a move, executes it, and elects the preferred leaders', async () => {
    await json('topic create moving -p 3 -r 1')
    const plan = await json('reassign run moving --replication-factor 2 --dry-run')
    expect(plan).toMatchObject({ kind: 'reassignment', moves: { length: 3 } })
    await run('reassign run moving --replication-factor 2 --wait --yes')
    expect(await json('reassign status')).toEqual([])
    const described = (await json('topic describe moving')) as {
      partitions: { replicas: number[] }[]
    }[]
    expect(described[0]!.partitions.map(({ replicas }) => replicas.length)).toEqual([2, 2, 2])
    const elected = await run('elect moving --yes')
    expect(elected.exitCode).toBe(0)
  })

  it('shows log directories and transactions', async () => {
    await using client = new KafkaClient({ hosts: kafka.hosts })
    await using producer = await client.getTransactionalProducer({ transactionalId: 'billing' })
    await producer.transaction((tx) => {
      void tx.produce('moving', { value: 'a' })
      return Promise.resolve()
    })
    expect(await json('logdirs')).toMatchObject([{ broker: 1 }, { broker: 2 }, { broker: 3 }])
    expect(await json('transactions')).toMatchObject({
      transactions: [{ transactionalId: 'billing', state: 'CompleteCommit' }],
    })
    expect(await json('transactions --hanging')).toMatchObject({ transactions: [] })
  })
})
