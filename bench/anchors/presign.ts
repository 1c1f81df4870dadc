/** AWS Signature Version 4 in the query, as the S3 engines beside us want it. */
import { createHash, createHmac } from 'node:crypto'

export interface Credentials {
  readonly id: string
  readonly secret: string
  readonly region: string
}

const LIFE = 7 * 86_400

const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()

/** @param path `/bucket/key`, of characters that need no encoding; @param date `20130524T000000Z` */
export function presign(
  method: 'GET' | 'PUT',
  origin: string,
  path: string,
  { id, secret, region }: Credentials,
  date = new Date().toISOString().replace(/[-:]|\.\d+/g, ''),
  life = LIFE,
): string {
  const day = date.slice(0, 8)
  const scope = `${day}/${region}/s3/aws4_request`
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`${id}/${scope}`)}`,
    `X-Amz-Date=${date}`,
    `X-Amz-Expires=${life}`,
    'X-Amz-SignedHeaders=host',
  ].join('&')
  const { host } = new URL(origin)
  const request = [method, path, query, `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n')
  const hash = createHash('sha256').update(request).digest('hex')
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`)
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash}`).toString('hex')
  return `${origin}${path}?${query}&X-Amz-Signature=${signature}`
}
