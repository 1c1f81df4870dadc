/** Takes rows out of the index, and finds the blobs that nothing names any more. */
import type { Database } from '../../../database/open.ts'

/**
 * Each removes one thing and returns the names of the blobs that became garbage by it; `owner` is
 * the instance that unlinks their files.
 */
export type Removal = ReturnType<typeof prepareRemoval>

export function prepareRemoval(db: Database) {
  const discard = prepareDiscarding(db)
  const pinContent = preparePinning(db)

  const removing = (blobs: string, removal: string) => {
    const blobsOf = db.prepare<[number], number>(blobs).pluck()
    const remove = db.prepare<[number]>(removal)
    return (id: number, owner: string): readonly string[] => {
      const named = blobsOf.all(id)
      remove.run(id)
      return discard(named, owner)
    }
  }
  const removeObject = removing(
    'SELECT DISTINCT blob FROM pieces WHERE oid = ?',
    'DELETE FROM objects WHERE oid = ?',
  )

  return {
    object(oid: number, owner: string): readonly string[] {
      pinContent(oid)
      return removeObject(oid, owner)
    },
    /** With all of its parts. */
    upload: removing(
      `SELECT DISTINCT blob FROM parts JOIN part_pieces ON part_pieces.part = parts.id
       WHERE upload = ?`,
      'DELETE FROM uploads WHERE id = ?',
    ),
    part: removing(
      'SELECT DISTINCT blob FROM part_pieces WHERE part = ?',
      'DELETE FROM parts WHERE id = ?',
    ),
    pin: removing('SELECT blob FROM pinned WHERE pin = ?', 'DELETE FROM pins WHERE id = ?'),
  }
}

function prepareDiscarding(db: Database) {
  const isNamed = db.prepare<{ blob: number }>(
    `SELECT 1 FROM pieces WHERE blob = @blob
     UNION ALL SELECT 1 FROM part_pieces WHERE blob = @blob
     UNION ALL SELECT 1 FROM pinned WHERE blob = @blob
     LIMIT 1`,
  )
  const removeBlob = db
    .prepare<[number], string>('DELETE FROM blobs WHERE id = ? RETURNING name')
    .pluck()
  const addGarbage = db.prepare<[string, string]>('INSERT INTO garbage (name, owner) VALUES (?, ?)')
  return (blobs: readonly number[], owner: string): readonly string[] => {
    const unnamed = blobs.filter((blob) => isNamed.get({ blob }) === undefined)
    const names = unnamed.flatMap((blob) => removeBlob.get(blob) ?? [])
    for (const name of names) addGarbage.run(name, owner)
    return names
  }
}

/** What somebody is reading stays, though its object goes. */
function preparePinning(db: Database): (oid: number) => void {
  const keep = db.prepare<[number]>(
    `INSERT INTO pinned (pin, blob)
     SELECT DISTINCT pins.id, pieces.blob FROM pins JOIN pieces USING (oid) WHERE pins.oid = ?`,
  )
  // the number may be another object's from now on
  const detach = db.prepare<[number]>('UPDATE pins SET oid = NULL WHERE oid = ?')
  return (oid) => {
    keep.run(oid)
    detach.run(oid)
  }
}
