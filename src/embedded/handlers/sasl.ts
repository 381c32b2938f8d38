import { saslAuthenticate } from '../../../protocol/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../../protocol/apis/sasl-handshake.ts'
import { handler } from '../api/handler.ts'

export const saslHandshakeHandler = handler(saslHandshake, {
  handle: ({ mechanism }, { login, version }) => login.handshake(mechanism, version),
  refuse: (errorCode) => ({ errorCode, mechanisms: [] }),
})

export const saslAuthenticateHandler = handler(saslAuthenticate, {
  handle: ({ authBytes }, { login }) => login.authenticate(Buffer.from(authBytes)),
  refuse: (errorCode) => ({ errorCode, errorMessage: null, authBytes: Buffer.alloc(0) }),
})
