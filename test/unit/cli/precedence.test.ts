import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Session, type CommonOptions } from '../../../src/cli/session.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

/** The sources of settings, from the weakest to the strongest, each with how it sets the same three settings. */
const SOURCES = ['file', 'profile', 'variables', '-X', 'options'] as const

type Source = (typeof SOURCES)[number]

describe('the precedence of settings', () => {
  const before = { ...process.env }
  let folder: TemporaryFolder

  beforeEach(() => {
    folder = new TemporaryFolder()
    const others = Object.entries(before).filter(([name]) => !name.startsWith('SAMSA_'))
    process.env = Object.fromEntries(others)
    process.env['XDG_CONFIG_HOME'] = folder.path
  })
  afterEach(() => {
    process.env = { ...before }
    folder[Symbol.dispose]()
  })

  const linesOf = (source: Source) =>
    `bootstrap.servers=${source}:9092\nsasl.username=${source}\nsasl.mechanism=${source}\n`

  /** Sets up a source, and returns the options of the command line that it takes. */
  function given(source: Source): CommonOptions {
    switch (source) {
      case 'file': {
        const path = join(folder.path, 'client.properties')
        writeFileSync(path, linesOf(source))
        return { config: path }
      }
      case 'profile': {
        const path = join(folder.path, 'samsa', 'profiles')
        mkdirSync(path, { recursive: true })
        writeFileSync(join(path, 'mine.properties'), linesOf(source))
        return { profile: 'mine' }
      }
      case 'variables':
        process.env['SAMSA_BROKERS'] = 'variables:9092'
        process.env['SAMSA_SASL_USERNAME'] = 'variables'
        process.env['SAMSA_SASL_MECHANISM'] = 'variables'
        return {}
      case '-X':
        return { property: linesOf(source).trim().split('\n') }
      case 'options':
        return { brokers: 'options:9092', user: 'options', mechanism: 'options' }
    }
  }

  async function settingsOf(options: CommonOptions): Promise<Record<string, string>> {
    await using session = new Session(options)
    return Object.fromEntries(session.properties())
  }

  const setBy = (source: Source) => ({
    'bootstrap.servers': `${source}:9092`,
    'sasl.username': source,
    'sasl.mechanism': source,
  })

  it.each(SOURCES.map((source, index) => [source, SOURCES.slice(0, index)] as const))(
    'puts %s before all weaker sources, each alone and together',
    async (source, weaker) => {
      const alone = given(source)
      expect(await settingsOf(alone)).toEqual(setBy(source))
      let all: CommonOptions = alone
      for (const other of weaker) {
        all = { ...all, ...given(other) }
        expect(await settingsOf(all)).toEqual(setBy(source))
      }
    },
  )

  it('has the order that docs/cli.md documents', () => {
    const [, list] = /the first in this list wins:\n\n((?:\d\. .*\n)+)/.exec(
      readFileSync('docs/cli.md', 'utf8'),
    )!
    const order = list!.trim().split('\n')
    const marks = {
      options: '--brokers',
      '-X': '-X',
      variables: 'variables',
      profile: '--profile',
      file: '--config',
    }
    const documented = order.slice(0, -1)
    expect(documented).toHaveLength(SOURCES.length)
    for (const [index, source] of SOURCES.toReversed().entries()) {
      expect(documented[index]).toContain(marks[source])
    }
    expect(order.at(-1)).toContain('defaults')
  })

  it('merges settings of different sources that do not conflict', async () => {
    const path = join(folder.path, 'client.properties')
    writeFileSync(path, 'ssl.ca.location=ca.pem\nsasl.username=file\n')
    process.env['SAMSA_SASL_USERNAME'] = 'variable'
    expect(
      await settingsOf({ config: path, property: ['client.id=x'], brokers: 'kafka:1' }),
    ).toEqual({
      'ssl.ca.location': 'ca.pem',
      'sasl.username': 'variable',
      'client.id': 'x',
      'bootstrap.servers': 'kafka:1',
    })
  })

  it('lets a setting override one of another name for the same', async () => {
    const path = join(folder.path, 'kcat.conf')
    writeFileSync(path, 'metadata.broker.list=weak:1\nsasl.mechanisms=PLAIN\n')
    expect(await settingsOf({ config: path, property: ['bootstrap.servers=strong:1'] })).toEqual({
      'bootstrap.servers': 'strong:1',
      'sasl.mechanism': 'PLAIN',
    })
  })

  it('uses the current profile only if neither a profile nor a file is named', async () => {
    given('profile')
    writeFileSync(join(folder.path, 'samsa', 'profiles', 'current'), 'mine\n')
    expect(await settingsOf({})).toEqual(setBy('profile'))
    expect(await settingsOf(given('file'))).toEqual(setBy('file'))
    process.env['SAMSA_PROFILE'] = 'other'
    await expect(settingsOf({})).rejects.toThrow(
      "profile 'other' does not exist: existing profiles: mine",
    )
    expect(await settingsOf({ profile: 'mine' })).toEqual(setBy('profile'))
  })

  it('uses the file of SAMSA_CONFIG if none is named', async () => {
    const { config } = given('file')
    process.env['SAMSA_CONFIG'] = config
    expect(await settingsOf({})).toEqual(setBy('file'))
    const other = join(folder.path, 'other.properties')
    writeFileSync(other, 'client.id=other\n')
    expect(await settingsOf({ config: other })).toEqual({ 'client.id': 'other' })
  })
})
