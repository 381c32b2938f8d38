export * from 'samsa/kafkajs'
