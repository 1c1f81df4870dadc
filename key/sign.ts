/**
 * Mint, narrow, verify. Verifying asks one thing only, whether the bytes are ours; whether they
 * allow a request is asked afterwards, by `clear.ts`. The chain of MACs is built in one place,
 * which minting, narrowing and verifying all call.
 *
 *     K = HMAC(secret, "vk1");  t0 = HMAC(K, block0);  ti = HMAC(t(i-1), block_i)
 */
import { type Block, type FirstBlock, isId, parseFirstBlock, parseLaterBlock } from './claims.ts'
import {
  decodeBlock,
  encodeBlock,
  formatKey,
  type KeyText,
  MAX_BLOCKS,
  MAX_KEY_LENGTH,
  parseKey,
} from './format.ts'
import { Refusal } from './refusal.ts'
import { derivedKey, kindOfKid, type Mac, type Signer, type SigningKey } from './signer.ts'
import { formatTime, type UnixSeconds } from './units.ts'

declare const verified: unique symbol

/** What a credential of ours allows; made by verifying, in this room only. */
export interface Grant {
  readonly [verified]: true
  /** the signing key's id */
  readonly kid: string
  /** the key's own id: that of block 0 */
  readonly id: string
  /**
   * The id of what was handed out: the key's own, or that of the S3 credential, whatever was signed
   * with it. Whoever narrows a key, or signs with a credential, has no say in it.
   */
  readonly grantedId: string
  /** whom it was handed out to, as whoever did says; no later block has a say in it either */
  readonly grantedTo: string | undefined
  /** every id stated, {@link grantedId} first: revoking one revokes this grant */
  readonly ids: readonly string[]
  /** every subject stated, also by those who narrowed it */
  readonly subjects: readonly string[]
  /** minted at; a key that does not say counts as the oldest */
  readonly issuedAt: UnixSeconds
  /** the earliest expiry stated */
  readonly expires: UnixSeconds
  /** names of the stored policies that have to admit a request as well */
  readonly policies: readonly PolicyName[]
  /** of a grant to which its policies were added: what the key itself states */
  readonly stated?: Grant
  /** of such a grant: when the last of its policies was changed */
  readonly changedAt?: UnixSeconds
  /** the signer's ceiling first, where it has one; every one of them must admit a request */
  readonly blocks: readonly Block[]
}

/** A stored policy that a block names. */
export interface PolicyName {
  readonly name: string
  /** it bears the id of the block: it is kept for this key alone */
  readonly own: boolean
  /** which block: an index into those of the grant */
  readonly at: number
}

/**
 * The grant as it is while these policies are in force: every one of them must admit a request.
 * @param policies as `atBlock` of `clear.ts` makes them
 */
export function withPolicies(
  grant: Grant,
  policies: readonly Block[],
  changedAt: UnixSeconds,
): Grant {
  const blocks = [...grant.blocks, ...policies]
  return { ...grant, blocks, expires: earliest(blocks), stated: grant, changedAt }
}

/** Continues the chain from a link over further blocks. */
const chain = (link: Uint8Array, blocks: readonly string[], mac: Mac): Uint8Array =>
  blocks.reduce((previous, block) => mac(previous, block), link)

/** How a signing key begins a chain, its key derived once. */
export function beginWith(secret: Uint8Array, mac: Mac): Signer['begin'] {
  const key = derivedKey(secret, mac)
  return (block0) => mac(key, block0)
}

/**
 * A new key: block 0 under a signing key.
 * @throws Refusal key_malformed for claims that the format does not have
 */
export function mintKey(claims: Omit<FirstBlock, 'kid'>, signingKey: SigningKey, mac: Mac): string {
  const block = encodeBlock(parseFirstBlock({ ...claims, kid: signingKey.kid }))
  const signature = beginWith(signingKey.secret, mac)(block)
  return checkedLength({ blocks: [block], signature })
}

/**
 * The key with one more block: it can do less, never more. Needs no secret.
 * @throws Refusal key_malformed
 */
export function narrowKey(key: string, claims: Block, mac: Mac): string {
  const { blocks, signature } = parseKey(key)
  const block = encodeBlock(parseLaterBlock(claims, `block ${blocks.length}`))
  if (blocks.length === MAX_BLOCKS) {
    throw new Refusal(
      'key_malformed',
      `a key has at most ${MAX_BLOCKS} blocks: this one can not be narrowed further`,
    )
  }
  return checkedLength({ blocks: [...blocks, block], signature: chain(signature, [block], mac) })
}

/** A key that names a signing key; nothing is known yet of whether that one signed it. */
export interface NamedKey extends KeyText {
  readonly kid: string
  /** what block 0 holds; no claim of it but the kid is looked at before the signature */
  readonly first: object
}

/** @throws Refusal key_malformed */
export function readKey(text: string): NamedKey {
  const { blocks, signature } = parseKey(text)
  const first = decodeBlock(blocks[0] ?? '')
  const { kid } = first
  if (!isId(kid)) throw new Refusal('key_malformed', 'block 0: claim "kid" names the signing key')
  return { blocks, signature, kid, first }
}

/** The claims of every block, unverified. @throws Refusal key_malformed */
export function readBlocks({ blocks, first }: NamedKey): readonly [FirstBlock, ...Block[]] {
  const later = blocks.slice(1)
  return [
    parseFirstBlock(first),
    ...later.map((block, index) => parseLaterBlock(decodeBlock(block), `block ${index + 1}`)),
  ]
}

/**
 * Whether the bytes are ours. Nothing else about the key is said before the signature is good.
 * @param signer the signing key that the key names, undefined where we have none of that id
 * @throws Refusal signature_invalid, then key_malformed
 */
export function verifyKey(key: NamedKey, signer: Signer | undefined, mac: Mac): Grant {
  const blocks = verifiedBlocks(key, signer, mac)
  if (blocks[0].aud === undefined && signer !== undefined) return grantOf(signer, blocks)
  throw new Refusal(
    'key_malformed',
    'this is the session token of a temporary S3 credential: it goes into X-Amz-Security-Token, beside a signature',
  )
}

/** The claims of a key whose signature is good. */
function verifiedBlocks(
  key: NamedKey,
  signer: Signer | undefined,
  mac: Mac,
): readonly [FirstBlock, ...Block[]] {
  const [first = '', ...later] = key.blocks
  const signature = signer && chain(signer.begin(first), later, mac)
  if (signer === undefined || signature === undefined || !equalBytes(signature, key.signature)) {
    throw new Refusal(
      'signature_invalid',
      'the key was not signed by a signing key of this gateway, or was altered',
    )
  }
  return readBlocks(key)
}

/**
 * Like {@link verifyKey}, for the session token of a temporary S3 credential, and nothing else.
 * @throws Refusal signature_invalid, then key_malformed
 */
export function verifySessionToken(token: NamedKey, signer: Signer, mac: Mac): Grant {
  const blocks = verifiedBlocks(token, signer, mac)
  if (blocks[0].aud === 'sigv4') return grantOf(signer, blocks)
  throw new Refusal('key_malformed', 'this key is no session token: its claim "aud" is not "sigv4"')
}

/** What a foreign credential is known by. */
export interface ForeignIds {
  readonly id: string
  /** every id by which it can be revoked */
  readonly ids: readonly string[]
  readonly issuedAt: UnixSeconds
}

/**
 * The grant of a foreign credential whose signature was found good: the signer's ceiling, and what
 * the credential itself says, which states at least `exp`.
 */
export function grantOfForeign(signer: Signer, own: Block, stated: ForeignIds): Grant {
  const blocks = signer.ceiling === undefined ? [own] : [signer.ceiling, own]
  const granted = { grantedId: signer.kid, grantedTo: signer.ceiling?.sub }
  return factsOf(signer.kid, blocks, { ...stated, ...granted }, stated.ids) as Grant
}

/** The grant with one more block, made under it; it has this id as well. */
export function withBlock(grant: Grant, own: Block, id: string): Grant {
  const { kid, issuedAt, grantedId, grantedTo } = grant
  const facts = { id, issuedAt, grantedId, grantedTo }
  return factsOf(kid, [...grant.blocks, own], facts, [...grant.ids, id]) as Grant
}

/**
 * Whether the signing key still speaks for us.
 * @throws Refusal key_revoked
 */
export function checkSigner(signer: Signer, now: UnixSeconds): void {
  if (signer.status === 'revoked') {
    throw new Refusal('key_revoked', `its signing key "${signer.kid}" has been revoked`)
  }
  if (signer.status === 'retiring' && signer.graceEnds !== undefined && now >= signer.graceEnds) {
    throw new Refusal(
      'key_revoked',
      `its signing key "${signer.kid}" was retired and its grace ended at ${formatTime(signer.graceEnds)}`,
    )
  }
}

function grantOf(signer: Signer, stated: readonly [FirstBlock, ...Block[]]): Grant {
  const blocks: readonly Block[] =
    signer.ceiling === undefined ? stated : [signer.ceiling, ...stated]
  const [{ jti: id, iat, sub }] = stated
  const { kid, ceiling } = signer
  // temporary credentials made of an S3 credential are the doing of its holder
  const isOfHolder = kindOfKid(kid) === 's3'
  const facts = {
    id,
    issuedAt: (iat ?? 0) as UnixSeconds,
    grantedId: isOfHolder ? kid : id,
    grantedTo: ceiling?.sub ?? (isOfHolder ? undefined : sub),
  }
  return factsOf(kid, blocks, facts) as Grant
}

const factsOf = (
  kid: string,
  blocks: readonly Block[],
  stated: Pick<Grant, 'id' | 'issuedAt' | 'grantedId' | 'grantedTo'>,
  ids: readonly string[] = [],
): Omit<Grant, typeof verified> => ({
  kid,
  id: stated.id,
  grantedId: stated.grantedId,
  grantedTo: stated.grantedTo,
  ids: distinct(blocks, 'jti', [stated.grantedId, ...ids]),
  subjects: distinct(blocks, 'sub'),
  issuedAt: stated.issuedAt,
  expires: earliest(blocks),
  policies: policiesOf(blocks),
  blocks,
})

const NO_POLICIES: readonly PolicyName[] = []

function policiesOf(blocks: readonly Block[]): readonly PolicyName[] {
  if (blocks.every(({ policy }) => policy === undefined)) return NO_POLICIES
  return blocks.flatMap(({ jti, policy }, at) =>
    policy === undefined ? [] : [{ name: policy, own: policy === jti, at }],
  )
}

/** What the blocks state of a claim, each once. Plain loops: they run for every key verified. */
function distinct(
  blocks: readonly Block[],
  claim: 'jti' | 'sub',
  first: readonly string[] = [],
): readonly string[] {
  const found = first.filter((id, index) => first.indexOf(id) === index)
  for (const { [claim]: value } of blocks) {
    if (value !== undefined && !found.includes(value)) found.push(value)
  }
  return found
}

function earliest(blocks: readonly Block[]): UnixSeconds {
  let earliest = Number.POSITIVE_INFINITY
  for (const { exp = earliest } of blocks) earliest = Math.min(earliest, exp)
  return earliest as UnixSeconds
}

function checkedLength(key: KeyText): string {
  const text = formatKey(key)
  if (text.length <= MAX_KEY_LENGTH) return text
  throw new Refusal(
    'key_malformed',
    `a key is at most ${MAX_KEY_LENGTH} characters long, this one would have ${text.length}: state fewer or shorter claims`,
  )
}

/** In time that depends on the lengths only. */
function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let index = 0; index < a.length; index += 1) {
    difference |= (a[index] ?? 0) ^ (b[index] ?? 0)
  }
  return difference === 0
}
