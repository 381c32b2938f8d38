import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

/** Listens and then does nothing forever: its event loop stands still. */
const LISTENER = `
  const { parentPort, workerData } = require('node:worker_threads')
  require('node:net').createServer().listen({ ...workerData, backlog: 1 }, () => {
    parentPort.postMessage('listening')
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  })
`

/**
 * Runs something while an address swallows the packets of clients that connect: a server listens and
 * accepts no connection, and its queue is full.
 */
export async function whileSwallowing<T>(
  host: string,
  port: number,
  run: () => Promise<T>,
): Promise<T> {
  const worker = new Worker(LISTENER, { eval: true, workerData: { host, port } })
  await once(worker, 'message')
  const waiting: Socket[] = []
  // The system's queue has a place or two more than it is asked for.
  for (let isFull = false; !isFull;) {
    const socket = connect({ host, port })
    socket.on('error', () => undefined)
    waiting.push(socket)
    isFull = !(await isConnected(socket))
  }
  try {
    return await run()
  } finally {
    for (const socket of waiting) socket.destroy()
    await worker.terminate()
  }
}

/** Whether the system has a place in the queue for it: on the loopback interface it then connects at once. */
function isConnected(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true))
    // Sockets are read between the timer and setImmediate, no matter how long this process has not run.
    setTimeout(() => setImmediate(() => resolve(false)), 100)
  })
}
