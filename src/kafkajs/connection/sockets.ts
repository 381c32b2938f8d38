import { isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { SocketFactory } from '../../index.ts'
import type { ISocketFactory, KafkaConfig } from '../types/common.ts'

const KEEP_ALIVE_MS = 60_000

/**
 * How samsa opens sockets for `ssl` and `socketFactory`; undefined where it does it best by itself. `ssl` takes any
 * option of Node's `tls.connect`, as in kafkajs.
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
      // kafkajs declares `ssl` as always there, and leaves it out without TLS.
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
