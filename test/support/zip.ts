/** Zips as other programs read them: by their central directory, every checksum checked. */
import { crc32 } from 'node:zlib'
import { type Entry, fromBuffer, type ZipFile } from 'yauzl'

export interface Unzipped {
  readonly content: Buffer
  readonly entry: Entry
}

/** By name, in the order of the directory. Rejects where anything of it is not as it should be. */
export async function unzip(zip: Buffer): Promise<ReadonlyMap<string, Unzipped>> {
  const file = await new Promise<ZipFile>((resolve, reject) =>
    fromBuffer(zip, { lazyEntries: true, strictFileNames: true }, (error, opened) =>
      error ? reject(error) : resolve(opened),
    ),
  )
  const found = new Map<string, Unzipped>()
  return new Promise((resolve, reject) => {
    file.on('error', reject)
    file.on('end', () => resolve(found))
    file.on('entry', (entry) => {
      contentOf(file, entry).then((content) => {
        if (found.has(entry.fileName)) reject(new Error(`${entry.fileName} is there twice`))
        if (crc32(content) !== entry.crc32) reject(new Error(`${entry.fileName} is damaged`))
        found.set(entry.fileName, { content, entry })
        file.readEntry()
      }, reject)
    })
    file.readEntry()
  })
}

const contentOf = (file: ZipFile, entry: Entry): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    file.openReadStream(entry, async (error, stream) => {
      if (error) return reject(error)
      const chunks: Buffer[] = []
      try {
        for await (const chunk of stream) chunks.push(chunk as Buffer)
        resolve(Buffer.concat(chunks))
      } catch (broken) {
        reject(broken)
      }
    }),
  )
