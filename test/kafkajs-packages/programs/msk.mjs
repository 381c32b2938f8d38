/** Logins at Amazon MSK: by its mechanism, and by the tokens of its signer. */
import { createMechanism } from '@jm18457/kafkajs-msk-iam-authentication-mechanism'
import { generateAuthTokenFromCredentialsProvider } from 'aws-msk-iam-sasl-signer-js'
import { newKafka, report } from './world.mjs'

const region = 'eu-central-1'
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }

async function topicsWith(config) {
  const admin = newKafka({ ...config, retry: { retries: 1, initialRetryTime: 50 } }).admin()
  try {
    await admin.connect()
    return await admin.listTopics()
  } catch (error) {
    return { thrown: error.name }
  } finally {
    await admin.disconnect()
  }
}

const iam = (more) => ({
  brokers: [process.env.IAM_BROKER],
  sasl: createMechanism({ region, credentials, ...more }),
})
const bearer = {
  brokers: [process.env.BEARER_BROKER],
  sasl: {
    mechanism: 'oauthbearer',
    oauthBearerProvider: async () => {
      const { token } = await generateAuthTokenFromCredentialsProvider({
        region,
        awsCredentialsProvider: async () => credentials,
      })
      return { value: token }
    },
  },
}
report({
  iam: await topicsWith(iam({})),
  refused: await topicsWith(iam({ userAgent: 'refuse me' })),
  bearer: await topicsWith(bearer),
})
