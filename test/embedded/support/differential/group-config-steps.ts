import * as apis from '../../../../protocol/apis/index.ts'
import { configsOf } from './config-requests.ts'
import { step, type Step } from './step.ts'

const GROUP = { type: 32, name: 'configured' }
const SET = 0
const DELETE = 1
const APPEND = 2

/** All but `share.assignment.interval.ms`, whose default the test sets for the real broker. */
const NAMES = [
  'consumer.assignment.interval.ms',
  'consumer.heartbeat.interval.ms',
  'consumer.session.timeout.ms',
  'errors.deadletterqueue.copy.record.enable',
  'errors.deadletterqueue.topic.name',
  'share.auto.offset.reset',
  'share.delivery.count.limit',
  'share.heartbeat.interval.ms',
  'share.isolation.level',
  'share.partition.max.record.locks',
  'share.record.lock.duration.ms',
  'share.renew.acknowledge.enable',
  'share.session.timeout.ms',
  'streams.assignment.interval.ms',
  'streams.assignor.name',
  'streams.heartbeat.interval.ms',
  'streams.initial.rebalance.delay.ms',
  'streams.num.standby.replicas',
  'streams.rack.aware.assignment.tags',
  'streams.session.timeout.ms',
]

type Change = readonly [
  name: string,
  value: string | null,
  operation?: number,
  validateOnly?: boolean,
]

function altered(
  [name, value, configOperation = SET, validateOnly = false]: Change,
  resourceName = GROUP.name,
): Step {
  const what = `${name} becomes ${value} by operation ${configOperation} in '${resourceName}'`
  return step(what, apis.incrementalAlterConfigs, 1, {
    resources: [
      { resourceType: GROUP.type, resourceName, configs: [{ name, configOperation, value }] },
    ],
    validateOnly,
  })
}

function replaced(name: string, value: string): Step {
  return step(`all become ${name} = ${value}`, apis.alterConfigs, 2, {
    resources: [{ resourceType: GROUP.type, resourceName: GROUP.name, configs: [{ name, value }] }],
    validateOnly: false,
  })
}

const listed = (what: string) =>
  step(`groups with configs, ${what}`, apis.listConfigResources, 1, { resourceTypes: [GROUP.type] })

/** Each value that is refused, and some that are not. */
const CHANGES: readonly Change[] = [
  ['share.auto.offset.reset', 'earliest'],
  ['share.auto.offset.reset', 'none'],
  ['share.auto.offset.reset', 'by_duration:PT1H'],
  ['share.auto.offset.reset', 'by_duration:P1DT2H3M4.5S'],
  ['share.auto.offset.reset', 'by_duration:1 hour'],
  ['share.auto.offset.reset', 'EARLIEST'],
  ['share.auto.offset.reset', ''],
  ['share.auto.offset.reset', null],
  ['share.auto.offset.reset', 'latest', APPEND],
  ['share.isolation.level', 'read_committed'],
  ['share.isolation.level', 'read_everything'],
  ['share.record.lock.duration.ms', '14999'],
  ['share.record.lock.duration.ms', '60001'],
  ['share.record.lock.duration.ms', '999'],
  ['share.record.lock.duration.ms', 'long'],
  ['share.record.lock.duration.ms', '99999999999'],
  ['share.record.lock.duration.ms', ' 20000 '],
  ['share.record.lock.duration.ms', '30000', SET, true],
  ['share.delivery.count.limit', '1'],
  ['share.delivery.count.limit', '11'],
  ['share.delivery.count.limit', '3'],
  ['share.partition.max.record.locks', '99'],
  ['share.partition.max.record.locks', '4001'],
  ['share.partition.max.record.locks', '200'],
  ['share.session.timeout.ms', '44999'],
  ['share.session.timeout.ms', '50000'],
  ['share.heartbeat.interval.ms', '4999'],
  ['share.heartbeat.interval.ms', '6000'],
  ['share.renew.acknowledge.enable', 'maybe'],
  ['share.renew.acknowledge.enable', 'false'],
  ['consumer.session.timeout.ms', '60001'],
  ['consumer.session.timeout.ms', '50000'],
  ['consumer.heartbeat.interval.ms', '15001'],
  ['consumer.heartbeat.interval.ms', '6000'],
  ['consumer.assignment.interval.ms', '-1'],
  ['consumer.assignment.interval.ms', '20000'],
  ['errors.deadletterqueue.topic.name', '__letters'],
  ['errors.deadletterqueue.topic.name', 'letters'],
  ['errors.deadletterqueue.copy.record.enable', 'true'],
  ['streams.num.standby.replicas', '3'],
  ['streams.num.standby.replicas', '1'],
  ['no.such.config', '1'],
  ['no.such.config', null, DELETE],
]

/** The configs of groups. */
export const GROUP_CONFIG_STEPS: readonly Step[] = [
  configsOf('a group without any', GROUP, NAMES),
  configsOf('a group without a name', { ...GROUP, name: '' }, NAMES),
  listed('none'),
  ...CHANGES.map((change) => altered(change)),
  altered(['share.delivery.count.limit', '3'], ''),
  configsOf('the group', GROUP, NAMES),
  listed('one'),
  altered(['share.delivery.count.limit', null, DELETE]),
  replaced('share.isolation.level', 'read_uncommitted'),
  configsOf('the group after all were replaced', GROUP, NAMES),
]
