'use strict'
module.exports = require('samsa/kafkajs').Kafka
