module.exports = require('samsa/kafkajs')
