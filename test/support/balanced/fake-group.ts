/** A fake broker that coordinates a group of the consumer protocol, and says what the test says. */
import { consumerGroupHeartbeat } from '../../../protocol/apis/consumer-group-heartbeat.ts'
import { describeConfigs } from '../../../protocol/apis/describe-configs.ts'
import type { Encodable } from '../../../protocol/schema/fields.ts'
import { FakeBroker } from '../fake-broker.ts'
import { layoutOf, tellCoordinator, tellLayout } from '../fake-cluster.ts'

type Assignment = { readonly topicId: string; readonly partitions: number[] }[]

export interface FakeGroup extends AsyncDisposable {
  readonly broker: FakeBroker
  /** What the next heartbeats are answered with. */
  assignment: Assignment
}

export async function fakeGroup(assignment: Assignment = []): Promise<FakeGroup> {
  const broker = await FakeBroker.start()
  tellLayout(layoutOf([broker]), broker)
  tellCoordinator(broker)
  tellSessionTimeout(broker, { timeoutMs: 6_000 })
  const group: FakeGroup = {
    broker,
    assignment,
    [Symbol.asyncDispose]: () => broker.stop(),
  }
  broker.handle(consumerGroupHeartbeat, ({ memberId }) => ({
    throttleTimeMs: 0,
    errorCode: 0,
    memberId,
    memberEpoch: 2,
    heartbeatIntervalMs: 50,
    assignment: { topicPartitions: group.assignment },
  }))
  return group
}

/** Lets a broker answer DescribeConfigs of a group with its session timeout or an error. */
export function tellSessionTimeout(
  broker: FakeBroker,
  said: { readonly timeoutMs?: number; readonly errorCode?: number },
): void {
  broker.handle(describeConfigs, ({ resources }) => ({
    throttleTimeMs: 0,
    results: resources.map(({ resourceType, resourceName }): ConfigResult => ({
      resourceType,
      resourceName,
      errorCode: said.errorCode ?? 0,
      errorMessage: null,
      configs:
        said.timeoutMs === undefined
          ? []
          : [
              {
                name: 'consumer.session.timeout.ms',
                value: String(said.timeoutMs),
                readOnly: false,
                isSensitive: false,
              },
            ],
    })),
  }))
}

type ConfigResult = Encodable<typeof describeConfigs.response.fields>['results'][number]
