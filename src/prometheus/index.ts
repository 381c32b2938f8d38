/** `samsa/prometheus`: the metrics of clients for Prometheus, with prom-client or without. */
export { collect, type MetricRegistry } from './collect.ts'
export type { MetricsReader, PrometheusOptions } from './families.ts'
export { METRICS_CONTENT_TYPE, metricsText } from './text.ts'
