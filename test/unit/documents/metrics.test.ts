import { expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { METRICS, type MetricDeclaration } from '../../../src/observe/metrics/catalog.ts'

it('docs/metrics.md contains the table generated from the catalog: npm run docs:metrics', () => {
  // prettier loads its parsers by import(), which Jest does not have.
  const changed = execFileSync(
    process.execPath,
    ['--import', 'tsx', 'build/metrics-reference.ts', '--check'],
    { encoding: 'utf8' },
  )
  expect(changed).toBe('')
})

it('the names of metrics follow the naming rules of Prometheus', () => {
  for (const [name, { kind, unit }] of Object.entries<MetricDeclaration>(METRICS)) {
    expect(name).toMatch(/^samsa(_[a-z]+)+$/)
    expect({ name, isTotal: name.endsWith('_total') }).toEqual({
      name,
      isTotal: kind === 'counter',
    })
    if (unit !== 'seconds' && unit !== 'bytes') continue
    expect(name.replace(/_total$/, '')).toMatch(new RegExp(`_${unit}$`))
  }
})
