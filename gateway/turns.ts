/**
 * Requests of one connection, one after the other. Node hands over pipelined requests as it parses
 * them; those that wait for their turn when the connection ends would never hear of it, and hold
 * what they took for ever.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

interface Connection {
  /** of the request that came last */
  latest: ServerResponse
  /** requests whose turn has not come */
  waiting: number
}

/** A client that sends more ahead of its responses is cut: each request holds memory. */
const MAX_WAITING = 100

const connections = new WeakMap<Socket, Connection>()

/**
 * Calls `start` when every request before this one was answered, and never if the connection has
 * ended by then. RFC 9112 §9.6: a server that sends "close" "MUST NOT process any further requests
 * received on that connection".
 */
export function inTurn(
  { socket }: IncomingMessage,
  outgoing: ServerResponse,
  start: () => void,
): void {
  const connection = connections.get(socket)
  if (connection === undefined) {
    connections.set(socket, { latest: outgoing, waiting: 0 })
    start()
    return
  }
  const before = connection.latest
  connection.latest = outgoing
  if (before.closed) {
    if (before.shouldKeepAlive) start()
    return
  }
  connection.waiting += 1
  if (connection.waiting > MAX_WAITING) socket.destroy()
  before.once('close', () => {
    connection.waiting -= 1
    if (before.shouldKeepAlive && !socket.destroyed) start()
  })
}

/** Whether the connection may be given a response apart from those of its requests. */
export function isSilent(socket: Socket): boolean {
  const connection = connections.get(socket)
  if (connection === undefined || connection.latest.closed) return true
  return connection.waiting === 0 && !connection.latest.headersSent
}
