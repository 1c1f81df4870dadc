/** AWS's published vectors, each stage by itself, so that a failure names the stage. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { nodeHashing } from '../../key/dialects/node-sigv4.ts'
import {
  canonicalRequest,
  signature,
  signingKeyOf,
  stringToSign,
} from '../../key/dialects/sigv4.ts'
import {
  chunkChain,
  chunkStringToSign,
  trailerStringToSign,
} from '../../key/dialects/sigv4-chunks.ts'
import { claimSigV4 } from '../../key/dialects/sigv4-claim.ts'
import { requestOf, vectorKey, vectors, verified } from '../support/sigv4.ts'

const { mac } = nodeHashing
const sha256 = (data: string) => createHash('sha256').update(data).digest('hex')

describe.each(vectors.requests)('$name', (vector) => {
  const claimed = claimSigV4(requestOf(vector))
  if (claimed === undefined) throw new Error('the vector carries no signature')
  const scope = claimed.scope

  test('canonical request', () => {
    const headers = claimed.signedHeaders.map(
      (name) => [name, claimed.headers.get(name) ?? []] as const,
    )
    const path = vector.canonicalRequest.split('\n')[1] ?? ''
    const { method, query, payloadHash = '' } = claimed
    expect(canonicalRequest({ method, path, query, headers, payloadHash })).toBe(
      vector.canonicalRequest,
    )
  })

  test('string to sign', () => {
    const text = stringToSign(claimed.dateTime, scope, vector.canonicalRequest, nodeHashing)
    expect(text).toBe(vector.stringToSign)
  })

  test('signature', () => {
    const signingKey = signingKeyOf(vectorKey, scope, mac)
    expect(signature(signingKey, vector.stringToSign, mac)).toBe(vector.signature)
    expect(claimed.signature).toBe(vector.signature)
  })

  test('verifies', () => {
    expect(verified(requestOf(vector))?.grant.kid).toBe(vectors.accessKeyId)
  })
})

describe.each(vectors.bodies)('$name', ({ seed, dateTime, scope, chunks, trailer }) => {
  const signing = { dateTime, scope, signingKey: signingKeyOf(vectorKey, scope, mac), seed }

  test('strings to sign', () => {
    let previous = seed
    for (const chunk of chunks) {
      expect(sha256('a'.repeat(chunk.size))).toBe(chunk.sha256)
      expect(chunkStringToSign(signing, previous, chunk.sha256)).toBe(chunk.stringToSign)
      previous = chunk.signature
    }
    if (trailer === undefined) return
    expect(sha256(trailer.text)).toBe(trailer.sha256)
    expect(trailerStringToSign(signing, previous, trailer.sha256)).toBe(trailer.stringToSign)
  })

  test('the chain of signatures', () => {
    const chain = chunkChain(signing, { mac })
    expect(chunks.map((chunk) => chain.chunk(chunk.sha256))).toEqual(
      chunks.map((chunk) => chunk.signature),
    )
    if (trailer !== undefined) expect(chain.trailer(trailer.sha256)).toBe(trailer.signature)
  })
})

test('POST policy: the policy as sent is what is signed', () => {
  const { post } = vectors
  expect(Buffer.from(post.policy, 'base64').toString('utf8')).toBe(post.json)
  const scope = { date: '20151229', region: 'us-east-1', service: 's3' }
  expect(signature(signingKeyOf(vectorKey, scope, mac), post.policy, mac)).toBe(post.signature)
})
