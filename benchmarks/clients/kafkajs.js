/** kafkajs from npm. */
import { driveKafkajs } from './driver/kafkajs.js'
import { peer, versionOf } from './driver/peer.js'

await driveKafkajs(peer('kafkajs'), versionOf('kafkajs'))
