/**
 * Makes the committed vectors: `npx tsx test/vectors/generate.ts`. Deterministic, and written
 * without a line of `key/`, from docs/key-format.md alone, so that the two check each other.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { badKeys } from './bad-keys.ts'
import { EXAMPLE, linksOf, NOW, SECOND, type SigningKey } from './chain.ts'
import { goodKeys } from './good-keys.ts'
import { requests } from './requests.ts'

const described = ({ kid, secret }: SigningKey) => ({
  kid,
  secret: secret.toString('hex'),
  text: `vk1sk.${kid}.${secret.toString('base64url')}`,
})

const SIGNING_KEYS = [EXAMPLE, SECOND].map(described)

const keysFile = () => ({
  about: 'Good keys, format vk1. Every stage is pinned: see README.md.',
  now: NOW,
  signingKeys: SIGNING_KEYS,
  keys: goodKeys().map(({ name, signingKey, blocks }) => {
    const { derived, links, key } = linksOf(signingKey, blocks)
    return {
      name,
      kid: signingKey.kid,
      secret: signingKey.secret.toString('hex'),
      derived,
      blocks: blocks.map((json, index) => ({
        json,
        claims: JSON.parse(json) as unknown,
        text: Buffer.from(json).toString('base64url'),
        link: links[index],
      })),
      key,
    }
  }),
})

const requestsFile = () => ({
  about:
    'What the keys of keys.json allow. "code" is the refusal, null where the request is allowed.',
  requests: requests(),
})

const badKeysFile = () => ({
  about: 'Keys that must be refused when they are verified, with the code of the refusal.',
  now: NOW,
  signingKeys: SIGNING_KEYS,
  keys: badKeys(),
})

/** The text of every file, by its name. */
export const generate = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries({
      'keys.json': keysFile(),
      'requests.json': requestsFile(),
      'bad-keys.json': badKeysFile(),
    }).map(([name, content]) => [name, `${JSON.stringify(content, undefined, 2)}\n`]),
  )

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(generate())) {
    writeFileSync(new URL(name, import.meta.url), text)
  }
}
