/**
 * The closed table of refusals. A code without a status does not compile; each protocol renders
 * refusals in one place. `title` is what everybody may read; `detail` is written where the refusal
 * is made and may tell the holder of a good signature about their own key, never about others.
 */
export const REFUSALS = {
  // the request itself
  request_malformed: { status: 400, title: 'The request can not be understood' },
  path_malformed: { status: 400, title: 'The path is not one that an object can have' },
  method_not_allowed: { status: 405, title: 'This method is not served here' },
  uri_too_long: { status: 414, title: 'The request target is too long' },
  headers_too_large: { status: 431, title: 'The request has too many header fields' },
  // who is asking
  key_missing: { status: 401, title: 'A key is needed' },
  token_invalid: { status: 401, title: 'The admin token is not the right one' },
  key_malformed: { status: 400, title: 'The key can not be read' },
  key_ambiguous: { status: 400, title: 'More than one key was sent' },
  signature_invalid: { status: 403, title: 'The signature is not ours' },
  // what the key allows
  key_not_yet_valid: { status: 403, title: 'The key is not valid yet' },
  key_expired: { status: 403, title: 'The key has expired' },
  key_revoked: { status: 403, title: 'The key has been revoked' },
  method_not_granted: { status: 403, title: 'The key does not grant this method' },
  path_not_granted: { status: 403, title: 'The key does not cover this path' },
  address_not_granted: { status: 403, title: 'The key is not for this address' },
  header_not_granted: {
    status: 403,
    title: 'A header that the key requires is missing or differs',
  },
  pin_required: { status: 401, title: 'A PIN is needed' },
  pin_wrong: { status: 403, title: 'The PIN is not the right one' },
  tls_required: { status: 403, title: 'The key works over TLS only' },
  origin_not_granted: { status: 403, title: 'The key is not for pages of this origin' },
  uses_exhausted: { status: 403, title: 'The key has been used up' },
  bytes_exhausted: { status: 403, title: 'The key has moved all the bytes it may' },
  files_exhausted: { status: 403, title: 'The key has created all the files it may' },
  key_paused: { status: 403, title: 'The key is paused' },
  policy_not_found: { status: 403, title: 'The policy or plan of the key is not there' },
  rate_limited: { status: 429, title: 'Too much at once' },
  claim_not_granted: { status: 403, title: 'A narrowed key can not be widened' },
  // what is asked of the object
  object_not_found: { status: 404, title: 'There is no such object' },
  resource_not_found: { status: 404, title: 'There is no such resource' },
  object_exists: { status: 412, title: 'The object exists and the key may only create' },
  precondition_failed: { status: 412, title: 'A precondition of the request does not hold' },
  range_unsatisfiable: { status: 416, title: 'The object has no bytes in this range' },
  conflict: { status: 409, title: 'This is in conflict with what is there' },
  // what is sent
  too_large: { status: 413, title: 'The upload is larger than allowed' },
  too_small: { status: 400, title: 'The upload is smaller than required' },
  type_not_granted: { status: 415, title: 'The key does not grant this media type' },
  type_mismatch: { status: 415, title: 'The content is not of the declared media type' },
  content_refused: { status: 422, title: 'The content did not pass the check of uploads' },
  digest_mismatch: { status: 400, title: 'The content does not have the stated digest' },
  incomplete_body: { status: 400, title: 'The upload ended before it was whole' },
  too_slow: { status: 408, title: 'The transfer was too slow' },
  // us
  internal: { status: 500, title: 'Something went wrong here' },
  unavailable: { status: 503, title: 'This can not be served now' },
  storage_full: { status: 507, title: 'There is no room left' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>

export type RefusalCode = keyof typeof REFUSALS

/** Why a request is not done: one code of the table and a sentence on this very case. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  /** One sentence: what was wrong, what was expected, what to do. Holds no secret. */
  readonly detail: string

  constructor(code: RefusalCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options)
    this.code = code
    this.detail = detail
  }

  get status(): number {
    return REFUSALS[this.code].status
  }

  get title(): string {
    return REFUSALS[this.code].title
  }
}
