/**
 * How long tests wait for what must happen. It ends what hangs and measures nothing: a machine that is busy with other
 * things takes many times as long as a quiet one. Less than the limit of a test (jest.config.js), so that the error
 * says what was waited for.
 */
export const PATIENCE_MS = 300_000
