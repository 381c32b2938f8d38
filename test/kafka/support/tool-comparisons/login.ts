import { expect } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseHosts } from '../../../../src/network/address.ts'
import { RawZooKeeper } from '../../../support/kafka/raw-zookeeper.ts'
import { scramUser, USER, zookeeperCredential } from '../../../support/kafka/secure.ts'
import type { ToolComparison } from './tool-comparison.ts'

export const login: ToolComparison = {
  name: 'TLS, SCRAM and the authorizer: logs in and is refused exactly as the tools',
  run: async ({ samsa, tools, kafka, folder, authority, isNew }) => {
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
  },
}
