/**
 * What a refusal means to whoever opened a link or sent a file: what is the matter, then what to do.
 * Codes that are not here are told by `not_understood`. The other languages have the same.
 */
import type { RefusalCode } from './refusal.ts'

export const refusalWords = {
  not_understood: 'Something did not work. Try again, or ask whoever sent you the link.',
  key_missing: 'This link is not complete. Copy the whole link, up to its last character.',
  key_malformed: 'This link is damaged. Copy the whole link, up to its last character.',
  key_ambiguous: 'Another link to these files is still open in this browser. Try a private window.',
  signature_invalid:
    'This link is not valid. Copy the whole link, or ask whoever sent it for a new one.',
  key_expired: 'This link has expired. Ask whoever sent it for a new one.',
  key_revoked:
    'This link has been withdrawn by whoever sent it. Ask them for a new one if you still need it.',
  key_paused: 'This link is resting. Ask whoever sent it.',
  policy_not_found: 'This link does not work at the moment. Ask whoever sent it.',
  key_not_yet_valid: 'This link does not work yet. Open it again when its time has come.',
  address_not_granted:
    'This link works in another network only, such as that of the office. Open it there, or ask whoever sent it.',
  header_not_granted:
    'This link is made for a program and can’t be used in a browser. Ask whoever sent it for one that can.',
  origin_not_granted: 'This link can’t be used on this page. Ask whoever sent it.',
  tls_required:
    'This link works over a secure connection (https) only. Write https:// at its beginning.',
  method_not_granted: 'This link does not allow that. Ask whoever sent it for one that does.',
  path_not_granted: 'This link does not lead there. Copy the whole link, or ask whoever sent it.',
  path_malformed:
    'There is nothing at this address. Copy the whole link, up to its last character.',
  resource_not_found:
    'There is nothing at this address. Copy the whole link, up to its last character.',
  uses_exhausted:
    'This link has been used as often as it may be. Ask whoever sent it for a new one.',
  bytes_exhausted:
    'All that this link may transfer has been transferred. Ask whoever sent it for a new one.',
  files_exhausted:
    'As many files as this link allows have been sent. For more, ask whoever sent it for a new one.',
  rate_limited: 'That was a bit much at once. Wait a moment, then try again.',
  pin_required: 'This link asks for a PIN. Whoever sent it can tell you how to open it.',
  pin_wrong: 'That is not the right PIN.',
  object_not_found: 'This file is no longer there. Ask whoever sent you the link.',
  object_exists: 'There is a file of this name already.',
  too_large: 'The file is larger than this link allows.',
  too_small: 'The file is smaller than this link asks for.',
  type_not_granted: 'Files of this kind are not accepted here.',
  type_mismatch: 'The content of the file does not fit its name.',
  content_refused: 'The check of uploads did not let this file pass.',
  digest_mismatch: 'The file is not the one that this link is for.',
  incomplete_body: 'The transfer broke off before the file was whole.',
  too_slow: 'The connection was too slow.',
  unavailable: 'The server is busy or being restarted. Try again in a moment.',
  storage_full: 'The server has no room left. Tell whoever sent you the link.',
  internal: 'The server made a mistake. Try again later.',
} satisfies Partial<Record<RefusalCode | 'not_understood', string>>

export type RefusalWords = typeof refusalWords

/** What is the matter, as a heading has it, and what to do about it; the latter may be empty. */
export function parted(sentences: string): readonly [matter: string, advice: string] {
  const [, matter = sentences, advice = ''] =
    /^(.+?)[.。](?:\s+|(?<=。)|$)(.*)$/s.exec(sentences) ?? []
  return [matter, advice]
}
