/** What no test can make a machine be: on a network file system, with files of several users. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileSystem, permissions } from '../../../cli/doctor/system.ts'
import { tempFolder } from '../../support/temp-folder.ts'

let temp: ReturnType<typeof tempFolder>
beforeEach(() => {
  temp = tempFolder()
})
afterEach(() => temp.remove())

describe('doctor', () => {
  // as Linux's magic.h has them; Node hands some over as negative numbers
  it.each([
    ['ext4', 0xef53, 'ok'],
    ['xfs', 0x58465342, 'ok'],
    ['zfs', 0x2fc12fc1, 'ok'],
    ['btrfs', 0x9123683e, 'ok'],
    ['NFS', 0x6969, 'fail'],
    ['CIFS', 0xff534d42 | 0, 'fail'],
    ['SMB2', 0xfe534d42 | 0, 'fail'],
    ['SMB', 0x517b, 'fail'],
    ['9p', 0x01021997, 'fail'],
    ['AFS', 0x5346414f, 'fail'],
    ['NCP', 0x564c, 'fail'],
    ['Ceph', 0x00c36400, 'fail'],
    ['Lustre', 0x0bd00bd0, 'fail'],
    ['FUSE', 0x65735546, 'warn'],
  ])('knows what %s is', (name, type, status) => {
    const finding = fileSystem(type)
    expect(finding.status).toBe(status)
    if (status !== 'ok') expect(finding.detail).toContain(name)
  })

  it('finds what somebody else has left in the data folder', () => {
    const audit = join(temp.path, 'audit')
    mkdirSync(audit, { mode: 0o700 })
    writeFileSync(join(audit, '2026-01-01.0.0.jsonl'), '', { mode: 0o600 })
    mkdirSync(join(temp.path, 'lost+found'))
    mkdirSync(join(temp.path, 'store'), { mode: 0o700 })
    writeFileSync(join(temp.path, 'store/.index.db.made'), '')
    expect(permissions(temp.path).status).toBe('ok')
    const found = (foreign: string) =>
      permissions(temp.path, (file) => (file.endsWith(foreign) ? 0 : 1000))
    expect(found('lost+found').status).toBe('ok')
    expect(found('.made').status).toBe('ok')
    expect(found('.jsonl')).toEqual({
      check: 'permissions',
      status: 'fail',
      detail: `${audit}/2026-01-01.0.0.jsonl is not of the user whom the data folder is of (uid 1000)`,
      advice: `chown -R 1000: ${temp.path}, and run commands as that user`,
    })
  })
})
