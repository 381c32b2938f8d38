import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allCommands, fullProgram } from '../../../src/cli/program.ts'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { builtCommand } from '../../support/built.ts'
import { CommandLine } from '../../support/cli-cluster.ts'
import { documentedShapes, problemsOf } from '../../support/documents/json-shapes.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

const LOGIN = '--user alice --mechanism SCRAM-SHA-256'

describe('the JSON of the command', () => {
  const shapes = documentedShapes('docs/cli.md')
  let kafka: EmbeddedCluster
  let secure: EmbeddedCluster
  let folder: TemporaryFolder
  let samsa: CommandLine
  let login: string

  beforeAll(async () => {
    builtCommand()
    folder = new TemporaryFolder()
    kafka = await EmbeddedCluster.start({
      brokers: 3,
      authorizer: { superUsers: ['User:ANONYMOUS'] },
      topics: { t: { partitions: 2 }, u: { partitions: 1 } },
    })
    secure = await EmbeddedCluster.start({
      sasl: { users: { alice: 'alice-secret' } },
      delegationTokenSecretKey: 'a key of the test',
    })
    samsa = new CommandLine(kafka.hosts, folder.path)
    const password = join(folder.path, 'password')
    writeFileSync(password, 'alice-secret\n')
    login = `${LOGIN} --password-file ${password} --brokers ${secure.hosts}`
    await samsa.output('produce t -K : -H a=1', { input: 'a:1\nb:2\n' })
    await samsa.output('produce t --transaction tx-1', { input: 'x\n' })
    await samsa.output('consume t -g workers --from-beginning -n 1')
  })
  afterAll(async () => {
    await kafka[Symbol.asyncDispose]()
    await secure[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  /** Checks one run: standard output is one value of JSON, as docs/cli.md has it for this command. */
  async function check(line: string, name: string, exitCode = 0): Promise<unknown> {
    const result = await samsa.run([...line.split(' '), '--json'])
    expect({
      line,
      exitCode: result.exitCode,
      stderr: exitCode === 0 ? '' : result.stderr,
    }).toEqual({
      line,
      exitCode,
      stderr: exitCode === 0 ? result.stderr.replaceAll(/^samsa: [^\n]*\n/gm, '') : result.stderr,
    })
    const value = JSON.parse(result.stdout) as unknown
    expect({ line, problems: problemsOf(shapes, name, value) }).toEqual({ line, problems: [] })
    return value
  }

  // In this order: what one makes, the next ones show.
  const runs: readonly (readonly [line: string, name: string, exitCode?: number])[] = [
    ['topics', 'topics'],
    ['topics --sizes', 'topics'],
    ['topic describe t', 'topic describe'],
    ['topic describe t --with-configs', 'topic describe'],
    ['topic describe missing', 'topic describe', 1],
    ['topic create made', 'topic create'],
    ['topic create made', 'topic create', 1],
    ['topic create made --if-not-exists', 'topic create'],
    ['topic alter made -p 3 --yes', 'topic alter'],
    ['topic trim t --partitions 0 --yes', 'topic trim'],
    ['topic clone t cloned', 'topic clone'],
    ['topic delete cloned --yes', 'topic delete'],
    ['groups', 'groups'],
    ['group describe workers', 'group describe'],
    ['group clone workers copy --yes', 'group clone'],
    ['group delete copy --yes', 'group delete'],
    ['group remove-members workers --yes', 'group remove-members'],
    ['lag', 'lag'],
    ['lag workers --seconds --partitions', 'lag'],
    ['offsets list t', 'offsets list'],
    ['offsets list t --at -1h', 'offsets list'],
    ['offsets reset workers --to earliest --dry-run', 'offsets reset'],
    ['offsets reset workers --to earliest --yes', 'offsets reset'],
    ['configs t broker:1 --all', 'configs'],
    ['config get t retention.ms', 'config get'],
    ['config set t retention.ms=5000 --yes', 'config set'],
    ['config diff t u', 'config diff', 3],
    ['config unset t retention.ms --yes', 'config unset'],
    ['cluster describe', 'cluster describe'],
    ['cluster features', 'cluster features'],
    ['cluster quorum', 'cluster quorum'],
    ['cluster api-versions', 'cluster api-versions'],
    ['acl create --principal User:a --operation read --topic t --yes', 'acl create'],
    ['acls', 'acls'],
    ['acl delete --principal User:a --yes', 'acl delete'],
    ['user set bob --new-password-file PASSWORD', 'user set'],
    ['users', 'users'],
    ['user delete bob --yes', 'user delete'],
    ['quota set producer_byte_rate=10 --for-user c --yes', 'quota set'],
    ['quotas', 'quotas'],
    ['quota unset producer_byte_rate --for-user c --yes', 'quota unset'],
    ['reassign plan u --replication-factor 2', 'reassign plan'],
    ['reassign run u --replication-factor 2 --yes', 'reassign run'],
    ['reassign status', 'reassign status'],
    ['reassign cancel --yes', 'reassign cancel'],
    ['elect --yes', 'elect'],
    ['logdirs', 'logdirs'],
    ['transactions', 'transactions'],
    ['transactions --hanging', 'transactions --hanging'],
    ['transaction describe tx-1', 'transaction describe'],
    ['transaction abort tx-1 --yes', 'transaction abort'],
    ['ping --topic u', 'ping'],
    ['bench produce u -n 10', 'bench produce'],
    ['bench consume u', 'bench consume'],
    ['mirror t --rename c-%', 'mirror'],
    ['errors 3', 'errors'],
    ['profile list', 'profile list'],
    ['profile show mine', 'profile show'],
  ]

  it('matches docs/cli.md, for each command', async () => {
    await samsa.output('profile set mine bootstrap.servers=127.0.0.1:9092')
    for (const [line, name, exitCode] of runs) {
      await check(line.replace('PASSWORD', join(folder.path, 'password')), name, exitCode)
    }
  })

  it('matches docs/cli.md, for tokens', async () => {
    const { tokenId } = (await check(`token create ${login}`, 'token create')) as {
      tokenId: string
    }
    await check(`tokens ${login}`, 'tokens')
    await check(`token renew ${tokenId} ${login}`, 'token renew')
    await check(`token expire ${tokenId} --yes ${login}`, 'token expire')
  })

  it('is documented and checked for each command that has --json', async () => {
    const commands = allCommands(await fullProgram())
      .filter(({ options }) =>
        options.some(
          ({ long, helpGroupHeading }) => long === '--json' && helpGroupHeading === 'Output:',
        ),
      )
      .map((command) =>
        command.parent?.parent == null
          ? command.name()
          : `${command.parent.name()} ${command.name()}`,
      )
    const documented = [...shapes.commands.keys()]
    // top shows a table that changes, and nothing else.
    const wanted = commands.filter((name) => name !== 'top')
    expect(documented.filter((name) => wanted.includes(name)).sort()).toEqual(wanted.sort())
    const checked = [
      ...runs.map(([, name]) => name),
      'tokens',
      'token create',
      'token renew',
      'token expire',
    ]
    expect(wanted.filter((name) => !checked.includes(name))).toEqual([])
  })

  it('is one line for each message, as docs/cli.md states', async () => {
    await samsa.output('topic create lines')
    await samsa.output(['produce', 'lines', '-K', ':', '-H', 'a=1'], {
      input: Buffer.from([0x61, 0x3a, 0xff, 0x0a, 0x62, 0x3a, 0x63, 0x0a, 0x64, 0x0a]),
    })
    const messages = await samsa.events('consume lines --from-beginning --exit --json')
    expect(messages).toHaveLength(3)
    for (const message of messages) {
      expect(problemsOf(shapes, 'consume, each line', message)).toEqual([])
    }
  })

  it('is an error for a command that fails, and a plan for a dry run', async () => {
    const fails = 'a command that fails before it has a result'
    await check('topics --brokers 127.0.0.1:1 --timeout 1s', fails, 1)
    await check('topic delete missing --yes', fails, 1)
    await check('topic delete t', fails, 2)
    const plans = '--dry-run of a command that has no plan below'
    for (const line of [
      'topic delete t',
      'topic alter t -p 9',
      'topic trim u',
      'group delete workers',
      'group clone workers other',
      'config set t retention.ms=1',
      'config unset t retention.ms',
      'acl create --principal User:b --operation read --topic t',
      'user delete bob',
      'quota set producer_byte_rate=10 --for-user c',
      'transaction abort tx-1',
      'mirror t --rename d-%',
    ]) {
      const { plan } = (await check(`${line} --dry-run`, plans)) as { plan: string[] }
      expect({ line, count: plan.length > 0 }).toEqual({ line, count: true })
    }
    expect(await samsa.output('topics t --plain')).toContain('t\t2')
  })

  it('is compared with the documentation field by field', () => {
    const wrong = problemsOf(shapes, 'groups', {
      groups: [{ group: 'g', protocolType: 1, coordinator: 1, extra: true }],
    })
    expect(wrong).toEqual([
      'groups[0].protocolType is a number, not string',
      'groups[0].extra is not documented',
      'incomplete is missing',
    ])
  })
})
