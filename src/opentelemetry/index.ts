/** `samsa/opentelemetry`: spans and metrics that follow OpenTelemetry's conventions. Its peer is @opentelemetry/api. */
export { instrument, type InstrumentedClient, type InstrumentOptions } from './instrument.ts'
export { SamsaInstrumentation, type SamsaInstrumentationConfig } from './instrumentation.ts'
export type { Propagator } from './propagation.ts'
export type { ProcessedMessage } from './spans.ts'
