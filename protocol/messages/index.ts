export * from './consumer-protocol.ts'
export * from './control-records.ts'
