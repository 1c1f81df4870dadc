import { describe, expect, it } from 'vitest'
import { StatusLine, tallyLine } from '../../../cli/status-line.ts'
import { Sink } from './command-line.ts'

const MIB = 2 ** 20

describe('a tally', () => {
  it('says how much was done, how fast, and what is left', () => {
    expect(tallyLine('files', { count: 0, bytes: 0 }, 0)).toBe('0 files  0 B  0 B/s')
    expect(tallyLine('files', { count: 5, bytes: 20 * MIB }, 10)).toBe('5 files  20 MiB  2 MiB/s')
    const total = { count: 20, bytes: 80 * MIB }
    expect(tallyLine('files', { count: 5, bytes: 20 * MIB }, 10, total)).toBe(
      '5 of 20 files  20 MiB of 80 MiB  2 MiB/s  30s left',
    )
    expect(tallyLine('files', { count: 0, bytes: 0 }, 10, total)).toBe(
      '0 of 20 files  0 B of 80 MiB  0 B/s',
    )
  })

  it('counts small files as work, and never less than nothing as left', () => {
    const total = { count: 100, bytes: 100 }
    expect(tallyLine('files', { count: 50, bytes: 50 }, 60, total)).toMatch(/ {2}1m left$/)
    expect(tallyLine('files', { count: 110, bytes: 110 }, 60, total)).toMatch(/ {2}0s left$/)
  })
})

describe('a status line', () => {
  it('is one line that fits, drawn at once and not all the time, and taken away', () => {
    const stderr = new Sink(true)
    const line = new StatusLine({ stderr })
    line.draw(() => 'x'.repeat(200))
    expect(stderr.text).toBe(`\r\u001b[2K${'x'.repeat(79)}`)
    line.end()
    expect(stderr.text.endsWith('\r\u001b[2K')).toBe(true)
  })

  it('is nothing where no person looks', () => {
    const stderr = new Sink(false)
    const line = new StatusLine({ stderr })
    line.draw(() => {
      throw new Error('nobody asked')
    })
    line.end()
    expect(stderr.text).toBe('')
  })
})
