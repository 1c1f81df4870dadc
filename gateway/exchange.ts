/** One request and its response, from the first byte to the line in the log. */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Refusal } from '../key/refusal.ts'
import type { Grant } from '../key/sign.ts'
import type { Client } from './client.ts'
import type { RawRequest } from './request.ts'

const PROCESS = randomBytes(6).toString('base64url')
let count = 0

/** Unique over all processes; cheap, since every request has one. */
export function nextId(): string {
  count += 1
  return `${PROCESS}-${count.toString(36)}`
}

export class Exchange {
  readonly id = nextId()
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  /** monotonic milliseconds */
  readonly began: number
  request: RawRequest | undefined
  client: Client = { address: '', tls: false }
  /** known from the moment a signature was found good */
  grant: Grant | undefined
  refusal: Refusal | undefined
  /** what went wrong on our side */
  fault: unknown
  /** whether a form speaks S3: its fields say so */
  isFormOfS3 = false
  bytesIn = 0
  bytesOut = 0
  #continued = false

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, began: number) {
    this.incoming = incoming
    this.outgoing = outgoing
    this.began = began
  }

  /** Asks for the body of a client that waits to be asked; once. */
  sendContinue(): void {
    if (this.#continued) return
    this.#continued = true
    const expected = this.request?.headers.get('expect')?.toLowerCase()
    if (expected === '100-continue') this.outgoing.writeContinue()
  }
}

/** Header fields as Node takes them fastest: name, value, name, value. */
export type FlatHeaders = string[]
