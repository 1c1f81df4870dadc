import { expect } from 'vitest'
import type { RawResponse } from './raw.ts'

/** `403 key_expired`, or the bare status of what is no refusal. A refusal must have every part of one. */
export const outcome = (response: RawResponse | undefined): string => {
  if (response === undefined) return 'nothing'
  if (response.headers.get('content-type') !== 'application/problem+json')
    return `${response.status}`
  const problem = response.json()
  expect(problem).toMatchObject({
    type: `urn:valetkey:refusal:${problem.code}`,
    title: expect.stringMatching(/./),
    status: response.status,
    detail: expect.stringMatching(/./),
    requestId: response.headers.get('x-request-id'),
  })
  expect(response.headers.get('server')).toBeUndefined()
  return `${response.status} ${problem.code}`
}
