/** What a run does. */
export const MODES = ['produce', 'iterate', 'batches', 'run', 'runBatches'] as const
export type Mode = (typeof MODES)[number]

/**
 * What listens: nothing; metrics to Prometheus, OpenTelemetry and brokers, each once a second; all of it: these, all
 * plain channels, and spans for batches; or with a span for each message.
 */
export type Listeners = 'none' | 'metrics' | 'all' | 'messages'
