/** What a run does. */
export const MODES = ['produce', 'iterate', 'batches', 'run', 'runBatches'] as const
export type Mode = (typeof MODES)[number]

/**
 * What is switched on and off in turns: nothing; the counting itself; metrics to Prometheus, OpenTelemetry and brokers,
 * with one export each in every part; all of it: these, all plain channels, and spans for batches; or with a span for
 * each message.
 */
export const SWITCHED = ['nothing', 'counting', 'metrics', 'all', 'messages'] as const
export type Switched = (typeof SWITCHED)[number]
