/** samsa by the API of kafkajs, from the build in dist. */
import { readFileSync } from 'node:fs'
import * as kafkajs from 'samsa/kafkajs'
import { driveKafkajs } from './driver/kafkajs.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

await driveKafkajs(kafkajs, version)
