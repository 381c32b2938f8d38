import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseHosts } from '../../src/network/address.ts'
import { TestAuthority } from '../support/certificates.ts'
import { KafkaClient } from '../../src/index.ts'
import { builtCommand } from '../support/built.ts'
import { CommandLine } from '../support/cli-cluster.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { RawZooKeeper } from '../support/kafka/raw-zookeeper.ts'
import {
  authorizerConfig,
  scramUser,
  secureSettings,
  tokenConfig,
  USER,
  zookeeperCredential,
} from '../support/kafka/secure.ts'
import { KafkaToolRunner, toolsOf, type KafkaTools } from '../support/kafka/tools.ts'
import { describeWithBrokers, isAtLeast } from '../support/real-brokers.ts'
import { RunningCommand } from '../support/running-command.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'

const TEST_TIMEOUT_MS = 240_000
// Those that the command is accepted on; npm test has the newest only.
const versions = process.env['SAMSA_BROKERS'] === 'all' ? ['1.1.1', '4.4.0'] : ['4.4.0']

/** The commands beside Kafka's own tools: what one has done or prints, the other sees the same. */
describeWithBrokers("the command compared with Kafka's own tools", ['java'], () => {
  describe.each(versions)('on Kafka %s', (version) => {
    const isNew = isAtLeast(version, '4.0')
    const authority = new TestAuthority()
    const folder = new TemporaryFolder()
    let kafka: KafkaCluster
    let runner: KafkaToolRunner
    let tools: KafkaTools
    let samsa: CommandLine

    beforeAll(async () => {
      const listeners = ['SASL_SSL'] as const
      const mechanisms = ['SCRAM-SHA-256'] as const
      const settings = secureSettings({ version, listeners, authority, mechanisms })
      const config = { ...settings.config, ...authorizerConfig(version), ...tokenConfig(version) }
      ;[kafka, runner] = await Promise.all([
        startKafka({ version, brokers: 2, ...settings, config }),
        KafkaToolRunner.start(version),
      ])
      tools = toolsOf(runner, kafka)
      samsa = new CommandLine(kafka.hosts, folder.path)
    }, TEST_TIMEOUT_MS)
    afterAll(async () => {
      await runner[Symbol.asyncDispose]()
      await kafka.stop()
      authority[Symbol.dispose]()
      folder[Symbol.dispose]()
    })

    const test = (name: string, run: () => Promise<void>) => it(name, run, TEST_TIMEOUT_MS)

    test('topics: lists, describes, configures, grows and deletes as the tools do', async () => {
      await samsa.output('topic create orders -p 2 -r 2 -c retention.ms=3600000')
      await tools.run('topics', [
        '--create',
        '--topic',
        'by-tool',
        '--partitions',
        '1',
        '--replication-factor',
        '1',
      ])
      const listed = (await samsa.json('topics')) as { topic: string }[]
      const byTool = await tools.lines('topics', ['--list'])
      expect(listed.map(({ topic }) => topic)).toEqual(
        byTool.filter((name) => !name.startsWith('__')).sort(),
      )

      const [described] = (await samsa.json('topic describe orders')) as {
        partitions: { partition: number; leader: number; replicas: number[]; isr: number[] }[]
      }[]
      const rows = (await tools.lines('topics', ['--describe', '--topic', 'orders'])).flatMap(
        (line) => {
          const match =
            /Partition: (\d+)\s+Leader: (\d+)\s+Replicas: ([\d,]+)\s+Isr: ([\d,]+)/.exec(line)
          if (match === null) return []
          const numbers = (text: string) => text.split(',').map(Number)
          const [, partition, leader, replicas, isr] = match
          return [
            {
              partition: Number(partition),
              leader: Number(leader),
              replicas: numbers(replicas!),
              isr: numbers(isr!),
            },
          ]
        },
      )
      const ours = described!.partitions.map(({ partition, leader, replicas, isr }) => ({
        partition,
        leader,
        replicas,
        isr,
      }))
      expect(ours).toEqual(rows)

      expect(await tools.config('topics', 'orders')).toContain('retention.ms=3600000')
      await samsa.output('config set orders retention.ms=7200000 --yes --json')
      expect(await tools.config('topics', 'orders')).toContain('retention.ms=7200000')
      expect(await samsa.output('config get orders retention.ms --plain')).toBe('7200000\n')
      await samsa.output('config unset orders retention.ms --yes --json')
      expect(await tools.config('topics', 'orders')).not.toContain('retention.ms')

      await samsa.output('topic alter orders -p 3 --yes --json')
      const grown = await tools.lines('topics', ['--describe', '--topic', 'orders'])
      expect(grown.filter((line) => /Partition: \d/.test(line))).toHaveLength(3)
      await samsa.output('topic delete by-tool --yes --json')
      expect(await tools.lines('topics', ['--list'])).not.toContain('by-tool')
    })

    test('messages: each reads what the other writes, and offsets agree', async () => {
      await samsa.output('topic create messages -p 1 -r 1')
      await samsa.output('produce messages -K :', { input: 'a:1\nb:2\n' })
      await tools.run(
        'produce',
        [
          '--topic',
          'messages',
          ...tools.producerProperty('parse.key=true'),
          ...tools.producerProperty('key.separator=:'),
        ],
        'c:3\nd:4\n',
      )
      const all = ['--from-beginning', '--max-messages', '4', '--topic', 'messages']
      const property = isNew ? '--formatter-property' : '--property'
      const keyed = [property, 'print.key=true', property, 'key.separator=:']
      const byTool = await tools.lines('consume', [...all, ...keyed])
      expect(byTool).toEqual(['a:1', 'b:2', 'c:3', 'd:4'])
      const byUs = await samsa.output('consume messages --from-beginning --exit -K :')
      expect(byUs.trimEnd().split('\n')).toEqual(byTool)

      expect(await tools.lines('offsets', ['--topic', 'messages', '--time', '-1'])).toEqual([
        'messages:0:4',
      ])
      expect(await samsa.json('offsets list messages')).toEqual([
        { topic: 'messages', partition: 0, start: 0, end: 4 },
      ])
      await samsa.output('topic trim messages --before 1 --yes --json')
      expect(await tools.lines('offsets', ['--topic', 'messages', '--time', '-2'])).toEqual([
        'messages:0:1',
      ])

      await samsa.output('mirror messages --rename copy-of-% --json')
      expect(
        await tools.lines('consume', [
          '--topic',
          'copy-of-messages',
          '--from-beginning',
          '--max-messages',
          '3',
          ...keyed,
        ]),
      ).toEqual(['b:2', 'c:3', 'd:4'])
      await samsa.output('topic create measured -p 1 -r 1')
      expect(await samsa.json('bench produce measured -n 1000 --size 10')).toMatchObject({
        messages: 1000,
      })
      expect(await tools.lines('offsets', ['--topic', 'measured', '--time', '-1'])).toEqual([
        'measured:0:1000',
      ])
      expect(await samsa.json('bench consume measured')).toMatchObject({ messages: 1000 })
    })

    test('groups: shows the same members, lag and resets as the tool', async () => {
      await samsa.output('topic create work -p 2 -r 1')
      await samsa.output('produce work -p 0', { input: 'a\nb\nc\n' })
      await samsa.output('consume work -g workers --from-beginning -n 3')
      await samsa.output('produce work -p 0', { input: 'd\ne\n' })
      expect(await tools.lines('groups', ['--list'])).toContain('workers')
      const listed = (await samsa.json('groups')) as { groups: { group: string }[] }
      expect(listed.groups.map(({ group }) => group)).toContain('workers')
      const [lag] = (await samsa.json('lag workers')) as {
        lag: number
        partitions: { partition: number; offset?: number; endOffset: number; lag: number }[]
      }[]
      const described = await tools.run('groups', ['--describe', '--group', 'workers'])
      const rows = described.stdout.split('\n').flatMap((line) => {
        const match = /work\s+(\d+)\s+(\d+|-)\s+(\d+)\s+(\d+|-)/.exec(line)
        return match === null || match[2] === '-' ? [] : [match.slice(1, 5).map(Number)]
      })
      const committed = lag!.partitions.filter(({ offset }) => offset !== undefined)
      expect(committed.map((one) => [one.partition, one.offset, one.endOffset, one.lag])).toEqual(
        rows.sort((a, b) => a[0]! - b[0]!),
      )
      expect(lag!.lag).toBe(2)

      const ofTool = await tools.run('groups', [
        '--reset-offsets',
        '--group',
        'workers',
        '--topic',
        'work:0',
        '--to-earliest',
        '--dry-run',
      ])
      const planned = /work\s+0\s+(\d+)/.exec(ofTool.stdout)
      const ours = await samsa.json(
        'offsets reset workers --to earliest --topic work --partitions 0 --dry-run',
      )
      expect(ours).toEqual([{ topic: 'work', partition: 0, offset: Number(planned![1]) }])
      await samsa.output('offsets reset workers --to 2 --topic work --partitions 0 --yes --json')
      expect((await tools.run('groups', ['--describe', '--group', 'workers'])).stdout).toMatch(
        /work\s+0\s+2\s+5\s+3/,
      )
      await samsa.output('group delete workers --yes --json')
      expect(await tools.lines('groups', ['--list'])).not.toContain('workers')
    })

    test('access: sets entries, users and quotas that the tools show', async () => {
      await samsa.output(
        'acl create --principal User:bob --operation read --topic orders --yes --json',
      )
      const shown = (await tools.run('acls', ['--list', '--topic', 'orders'])).stdout
      expect(shown).toContain('User:bob')
      expect(shown).toMatch(/READ|Read/)
      await samsa.output('acl delete --principal User:bob --yes --json')
      expect((await tools.run('acls', ['--list', '--topic', 'orders'])).stdout).not.toContain(
        'User:bob',
      )

      const file = join(folder.path, 'secret')
      writeFileSync(file, 'correct horse\n')
      const setUser = await samsa.run(
        `user set carol --scram SCRAM-SHA-256 --new-password-file ${file}`,
      )
      const setQuota = await samsa.run(
        'quota set producer_byte_rate=1000000 --for-user carol --yes',
      )
      if (isNew) {
        expect([setUser.exitCode, setQuota.exitCode]).toEqual([0, 0])
        expect(await tools.config('users', 'carol')).toMatch(/producer_byte_rate=1000000(?:\.0)?/)
        expect(await tools.config('users', 'carol')).toContain('SCRAM-SHA-256=iterations=4096')
      } else {
        // These requests came with 2.7 and 2.6.
        for (const { exitCode, stderr } of [setUser, setQuota]) {
          expect(exitCode).toBe(1)
          expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^samsa: .*from 2\.[67] on$/)
        }
      }
    })

    test('the cluster: shows versions, disks, features and quorum, moves partitions and elects leaders as the tools do', async () => {
      const { brokers } = (await samsa.json('cluster describe')) as {
        brokers: { broker: number }[]
      }
      expect(brokers.map(({ broker }) => broker)).toEqual([1, 2])
      const ranges = (await samsa.json('cluster api-versions --broker 1')) as {
        key: number
        minVersion: number
        maxVersion: number
      }[]
      const byTool = (await tools.run('versions', [])).stdout
      const first = byTool.slice(byTool.indexOf('(id: 1'))
      // Of both brokers; versions are the same.
      const found = [
        ...first
          .slice(0, first.indexOf('\n)'))
          .matchAll(/\w+\((\d+)\): (?:(\d+) to (\d+)|(\d+))(?= )/g),
      ]
      expect(found.length).toBeGreaterThan(30)
      for (const [, key, min, max, only] of found) {
        const ours = ranges.find((one) => one.key === Number(key))
        expect(ours).toMatchObject({
          minVersion: Number(min ?? only),
          maxVersion: Number(max ?? only),
        })
      }

      await samsa.output('topic create moving -p 1 -r 1')
      await samsa.output('produce moving', { input: 'x\n' })
      const [dirs] = (await samsa.json('logdirs --broker 1')) as { logDirs: { logDir: string }[] }[]
      expect((await tools.run('logdirs', ['--describe', '--broker-list', '1'])).stdout).toContain(
        dirs!.logDirs[0]!.logDir,
      )

      if (!isNew) {
        expect((await samsa.run('reassign status')).stderr).toContain('from 2.4 on')
        expect((await samsa.run('transactions')).stderr).toContain('from 3.0 on')
        return
      }
      const features = (await samsa.json('cluster features')) as {
        feature: string
        finalizedVersion?: number
      }[]
      const ofTool = (await tools.run('features', ['describe'])).stdout
      for (const { feature } of features) expect(ofTool).toContain(`Feature: ${feature}`)
      const quorum = (await samsa.json('cluster quorum')) as { leader: number }
      expect((await tools.run('quorum', ['describe', '--status'])).stdout).toMatch(
        new RegExp(`LeaderId:\\s+${quorum.leader}\\b`),
      )

      const move = await samsa.run('reassign run moving --replication-factor 2 --wait --yes --json')
      expect(move.exitCode).toBe(0)
      const moved = await tools.lines('topics', ['--describe', '--topic', 'moving'])
      expect(moved.find((line) => line.includes('Partition: 0'))).toMatch(/Replicas: (?:1,2|2,1)/)
      expect((await tools.run('reassign', ['--list'])).stdout).toContain(
        'No partition reassignments',
      )
      await samsa.run('elect moving --yes')
      const [one] = (await samsa.json('topic describe moving')) as {
        partitions: { leader: number; replicas: number[] }[]
      }[]
      expect(one!.partitions[0]!.leader).toBe(one!.partitions[0]!.replicas[0])
    })

    test('groups and settings: shows the same copies, members, exports and differences as the tools', async () => {
      await samsa.output('topic create kinds -p 1 -r 1 -c retention.ms=3600000')
      await samsa.output('produce kinds', { input: 'a\nb\nc\n' })
      await samsa.output('consume kinds -g source --from-beginning -n 2')
      await samsa.output('group clone source target --yes --json')
      const describe = async (group: string, ...more: readonly string[]) =>
        (await tools.run('groups', ['--describe', '--group', group, ...more])).stdout
      expect(await describe('target')).toMatch(/kinds\s+0\s+2\s+3\s+1/)

      const csv = join(folder.path, 'target.csv')
      writeFileSync(csv, await samsa.output('offsets export target'))
      const reset = ['--reset-offsets', '--group', 'target', '--from-file', csv, '--dry-run']
      const imported = await tools.run('groups', reset)
      // Kafka 1.1 prints the CSV, later ones a table.
      expect(imported.stdout).toMatch(/kinds[\s,]+0[\s,]+2/)

      const running = [builtCommand(), 'consume', 'kinds', '-g', 'live', '-b', kafka.hosts]
      await using member = new RunningCommand(process.execPath, running)
      type Described = { state: string; members: { memberId: string; clientHost: string }[] }[]
      let described: Described = []
      await tools.until(async () => {
        const { stdout } = await samsa.run('group describe live --json')
        described = stdout.startsWith('[') ? (JSON.parse(stdout) as Described) : []
        return described[0]?.state === 'Stable' && described[0].members.length === 1
      })
      const [{ memberId, clientHost }] = described[0]!.members as [Described[0]['members'][0]]
      const members = await describe('live', '--members')
      expect(members).toContain(memberId)
      expect(members).toContain(clientHost)
      const removal = await samsa.run('group remove-members live --yes --json')
      if (isNew) {
        const removed = JSON.parse(removal.stdout) as unknown[]
        expect(removed).toEqual([
          expect.not.objectContaining({ error: expect.anything() as unknown }),
        ])
        // It runs on and joins again, under another id.
        await tools.until(async () => {
          // In between the group is empty, which the command says on standard error.
          const { stdout } = await samsa.run('group describe live --json')
          const [now] = JSON.parse(stdout) as Described
          return now!.state === 'Stable' && now!.members.every((one) => one.memberId !== memberId)
        })
        expect(await describe('live', '--members')).not.toContain(memberId)
      } else {
        expect(removal.stderr).toContain('needs Kafka 2.4 or newer')
      }
      member.kill('SIGINT')
      const { exitCode: ended } = await member.ended
      expect({ ended, stderr: member.stderr }).toEqual({ ended: 0, stderr: '' })

      await samsa.output('topic clone kinds same')
      expect(await tools.config('topics', 'same')).toContain('retention.ms=3600000')
      expect(await samsa.json('config diff kinds same')).toEqual([])
      await samsa.output('config set same retention.ms=1000 --yes --json')
      const { exitCode, stdout } = await samsa.run('config diff kinds same --json')
      expect([exitCode, JSON.parse(stdout)]).toEqual([
        3,
        [{ name: 'retention.ms', left: '3600000', right: '1000' }],
      ])
      expect(await tools.config('topics', 'same')).toContain('retention.ms=1000')

      const { groups } = JSON.parse(await samsa.output('raw ListGroups')) as {
        groups: { groupId: string }[]
      }
      // Of one broker: the other coordinates the rest.
      const all = await tools.lines('groups', ['--list'])
      expect(all).toEqual(expect.arrayContaining(groups.map(({ groupId }) => groupId)))
      const [end] = (await samsa.json('ping')) as { broker: string }[]
      expect(kafka.hosts).toContain(end!.broker)
      const few = ['--describe', '--under-replicated-partitions']
      expect(await samsa.json('topics --under-replicated')).toEqual([])
      expect(await tools.lines('topics', few)).toEqual([])
    })

    if (isNew) {
      test('access and transactions: removes what the tools then no longer show', async () => {
        const file = join(folder.path, 'dave')
        writeFileSync(file, 'correct horse\n')
        await samsa.output(`user set dave --scram SCRAM-SHA-256 --new-password-file ${file}`)
        await samsa.output('quota set consumer_byte_rate=5000 --for-user dave --yes')
        expect(await tools.config('users', 'dave')).toMatch(
          /consumer_byte_rate=5000.*SCRAM-SHA-256/s,
        )
        await samsa.output('quota unset consumer_byte_rate --for-user dave --yes')
        expect(await tools.config('users', 'dave')).not.toContain('consumer_byte_rate')
        await samsa.output('user delete dave --scram SCRAM-SHA-256 --yes --json')
        expect(await tools.config('users', 'dave')).not.toContain('SCRAM-SHA-256')

        await samsa.output('topic create torn -p 1 -r 1')
        const client = new KafkaClient({ hosts: kafka.hosts })
        const state = async () =>
          (await tools.run('transactions', ['describe', '--transactional-id', 'torn-1'])).stdout
        try {
          const producer = await client.getTransactionalProducer({ transactionalId: 'torn-1' })
          const transaction = await producer.begin()
          await transaction.produce('torn', { value: 'x' })
          expect(await state()).toContain('Ongoing')
          expect(await samsa.json('transaction abort torn-1 --yes')).toEqual([
            { transactionalId: 'torn-1' },
          ])
        } finally {
          // It is fenced, and its transaction gone.
          await client.close().catch(() => undefined)
        }
        // Aborted, and then taken over by the producer id that fences the old one.
        const isOver = /CompleteAbort|Empty/
        await tools.until(async () => {
          const [found] = (await samsa.json('transaction describe torn-1')) as { state: string }[]
          return isOver.test(found!.state)
        })
        expect(await state()).toMatch(isOver)
        expect(await samsa.output('consume torn --read-committed --count-only')).toBe('0\n')
      })

      test('a throttled move: the tool lists the move that the command starts, and the command cancels it', async () => {
        await samsa.output('topic create heavy --replica-assignment 1')
        const input = `${'x'.repeat(9_999)}\n`.repeat(800)
        await samsa.output('produce heavy', { input })
        const list = async () => (await tools.run('reassign', ['--list'])).stdout
        const line = 'reassign run heavy --to-brokers 2 --throttle 1k --wait --yes'
        await using moving = new RunningCommand(process.execPath, [
          builtCommand(),
          ...line.split(' '),
          '-b',
          kafka.hosts,
        ])
        await tools.until(
          async () => ((await samsa.json('reassign status')) as unknown[]).length > 0,
        )
        expect(await list()).toMatch(/heavy-0: replicas: (?:1,2|2,1)/)
        expect(await tools.config('topics', 'heavy')).toContain('replication.throttled.replicas')
        expect(await samsa.json('reassign cancel --yes')).toEqual([
          { topic: 'heavy', partition: 0 },
        ])
        expect(await list()).toContain('No partition reassignments')
        await moving.ended
        expect(await tools.config('topics', 'heavy')).not.toContain('throttled.replicas')
        const described = await tools.lines('topics', ['--describe', '--topic', 'heavy'])
        expect(described.find((one) => one.includes('Partition: 0'))).toMatch(/Replicas: 1\s/)
      })
    }

    if (isNew) {
      test('transactions and verifiable programs: behave as the Java ones', async () => {
        await samsa.output('topic create whole -p 1 -r 1')
        await samsa.output('produce whole --transaction nightly', { input: 'a\nb\n' })
        expect((await tools.run('transactions', ['list'])).stdout).toMatch(
          /nightly\s+\d+\s+\d+\s+CompleteCommit/,
        )
        expect(await samsa.json('transactions')).toMatchObject({
          // Another test leaves one of its own.
          transactions: expect.arrayContaining([
            expect.objectContaining({ transactionalId: 'nightly', state: 'CompleteCommit' }),
          ]),
        })
        const described = (
          await tools.run('transactions', ['describe', '--transactional-id', 'nightly'])
        ).stdout
        const [ours] = (await samsa.json('transaction describe nightly')) as {
          producerId: number
        }[]
        expect(described).toMatch(new RegExp(`\\s${ours!.producerId}\\s`))
        const readCommitted = [
          '--topic',
          'whole',
          '--from-beginning',
          '--max-messages',
          '2',
          '--isolation-level',
          'read_committed',
        ]
        expect(await tools.lines('consume', readCommitted)).toEqual(['a', 'b'])

        const args = [
          '--topic',
          'whole',
          '--max-messages',
          '2',
          '--value-prefix',
          '7',
          '--repeating-keys',
          '2',
        ]
        const shape = (text: string) =>
          text
            .trimEnd()
            .split('\n')
            .filter((line) => line.startsWith('{'))
            .map((line) => {
              const event = JSON.parse(line) as Record<string, unknown>
              const types = Object.entries(event).map(([key, value]) => [
                key,
                value === null ? 'null' : typeof value,
              ])
              return { name: event['name'], types: Object.fromEntries(types) as unknown }
            })
        const sent = shape(await samsa.output(['verifiable-producer', ...args]))
        expect(sent).toEqual(shape(await tools.separately('verifiable-producer', args)))
        const reading = ['--topic', 'whole', '--max-messages', '2', '--verbose', '--group-id']
        const read = shape(await samsa.output(['verifiable-consumer', ...reading, 'ours']))
        const byJava = shape(await tools.separately('verifiable-consumer', [...reading, 'theirs']))
        // Java's, from 4.3 on, prints shutdown_requested when its JVM ends, whatever for: ours on a signal.
        const byName = (events: typeof read) =>
          new Map(events.map(({ name, types }) => [name, types]))
        const expected = byName(byJava.filter(({ name }) => name !== 'shutdown_requested'))
        expect(byName(read)).toEqual(expected)
      })
    }

    test('TLS, SCRAM and the authorizer: logs in and is refused exactly as the tools', async () => {
      if (isNew) {
        const file = join(folder.path, 'alice')
        writeFileSync(file, USER.password)
        await samsa.output(
          `user set ${USER.username} --scram SCRAM-SHA-256 --new-password-file ${file}`,
        )
      } else {
        const hosts = kafka.zookeeperHosts!
        await using keeper = await RawZooKeeper.open(parseHosts(hosts.replace(/\/.*/, ''))[0]!.port)
        const chroot = /\/.*$/.exec(hosts)?.[0] ?? ''
        const credential = zookeeperCredential(scramUser('SCRAM-SHA-256'))
        const config = { version: 1, config: { 'SCRAM-SHA-256': credential } }
        await keeper.create(`${chroot}/config/users/${USER.username}`, JSON.stringify(config))
        const change = { version: 2, entity_path: `users/${USER.username}` }
        await keeper.create(
          // Behind those of the settings that were changed above.
          `${chroot}/config/changes/config_change_0000001000`,
          JSON.stringify(change),
        )
      }
      await samsa.output('topic create secret -p 1 -r 1')
      await samsa.output('produce secret', { input: 'x\n' })
      const secure = kafka.secureHosts('SASL_SSL').replaceAll('127.0.0.1', 'localhost')
      const [ca, password] = [authority.certFile, join(folder.path, 'password')]
      writeFileSync(password, USER.password)
      const login = `--brokers ${secure} --ca ${ca} --mechanism SCRAM-SHA-256 --user ${USER.username} --password-file ${password}`
      const config = tools.clientConfig(folder.path, [
        'security.protocol=SASL_SSL',
        'sasl.mechanism=SCRAM-SHA-256',
        `sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="${USER.username}" password="${USER.password}";`,
        `ssl.truststore.location=${join(authority.folder, 'trust.p12')}`,
        'ssl.truststore.password=changeit',
        'ssl.truststore.type=PKCS12',
      ])
      // Nothing is allowed yet: the user sees no topic, and may not read one.
      expect(await samsa.json(`topics ${login}`)).toEqual([])
      const refused = await samsa.run(`consume secret --from-beginning --exit ${login}`)
      expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
      expect(refused.stderr).toMatch(/^samsa: [^\n]*\n$/)
      await samsa.output(
        `acl create --principal User:${USER.username} --operation read,describe --topic secret --yes --json`,
      )
      await samsa.output(
        `acl create --principal User:${USER.username} --operation read --group * --yes --json`,
      )
      await tools.until(async () => {
        const listed = (await samsa.json(`topics ${login}`)) as { topic: string }[]
        return listed.some(({ topic }) => topic === 'secret')
      })
      expect(await samsa.output(`consume secret --from-beginning --exit ${login}`)).toBe('x\n')
      // The file of the Java tool works for the command, too, but for its trust store.
      const byTool = await tools.lines(
        'consume',
        [
          '--topic',
          'secret',
          '--from-beginning',
          '--max-messages',
          '1',
          isNew ? '--command-config' : '--consumer.config',
          config,
        ],
        secure,
      )
      expect(byTool).toEqual(['x'])
      const ping = (await samsa.json(`ping ${login}`)) as { step: string; error?: string }[]
      expect(ping.slice(0, 6).map(({ step }) => step)).toEqual([
        'DNS',
        'TCP',
        'TLS',
        'versions',
        'login',
        'metadata',
      ])
      expect(ping.filter(({ error }) => error !== undefined)).toEqual([])
      writeFileSync(password, 'wrong')
      expect((await samsa.run(`topics ${login}`)).stderr).toMatch(
        /^samsa: .*(?:authentication|password|credentials)/i,
      )
      writeFileSync(password, USER.password)
      const token = (await samsa.json(`token create --lifetime 1h ${login}`)) as { tokenId: string }
      const tokens = (await samsa.json(`tokens ${login}`)) as { tokenId: string }[]
      expect(tokens.map(({ tokenId }) => tokenId)).toContain(token.tokenId)
      const ofTool = await tools.run(
        'tokens',
        ['--describe', '--owner-principal', `User:${USER.username}`, '--command-config', config],
        '',
        secure,
      )
      expect(ofTool.stdout).toContain(token.tokenId)
    })
  })
})
