import { isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { SocketFactory } from '../../index.ts'
import type { ISocketFactory, KafkaConfig } from '../types/common.ts'

const KEEP_ALIVE_MS = 60_000

/**
 * samsa's socket factory for the options `ssl` and `socketFactory`; undefined without them. As in kafkajs, `ssl` may have
 * any option of Node's `tls.connect`.
 */
export function socketFactoryFrom({ ssl, socketFactory }: KafkaConfig): SocketFactory | undefined {
  const tls = ssl === true ? {} : ssl === false ? undefined : (ssl ?? undefined)
  if (socketFactory === undefined && tls === undefined) return undefined
  const open = socketFactory ?? openTls
  return ({ host, port }) =>
    new Promise<Socket>((resolve, reject) => {
      const onConnect = (): void => {
        socket.off('error', reject).off('close', onClose)
        resolve(socket)
      }
      const onClose = (): void => reject(new Error('the socket was closed before it was connected'))
      // kafkajs declares `ssl` as required, but passes undefined without TLS.
      const socket = open({ host, port, ssl: tls as ConnectionOptions, onConnect })
      socket.on('error', reject).on('close', onClose)
    })
}

const openTls: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const servername = isIP(host) === 0 ? { servername: host } : {}
  const socket = connectTls({ host, port, ...servername, ...ssl }, onConnect)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  return socket
}
