/** How files of some types begin; enough of each for anybody who looks. */
const padded = (...parts: readonly (string | readonly number[])[]): Buffer =>
  Buffer.concat([
    ...parts.map((part) =>
      typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part),
    ),
    Buffer.alloc(64),
  ])

export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
export const JPEG = padded([0xff, 0xd8, 0xff, 0xe0, 0, 0x10], 'JFIF\0', [1, 1, 0, 0, 1, 0, 1, 0, 0])
export const GIF = padded('GIF89a', [1, 0, 1, 0, 0x80, 0, 0])
export const WEBP = padded('RIFF', [0x40, 0, 0, 0], 'WEBPVP8 ')
export const PDF = padded('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n')
export const ZIP = padded(
  'PK\x03\x04',
  [20, 0, 0, 0, 0, 0],
  [0, 0, 0, 0],
  [0, 0, 0, 0],
  [0, 0, 0, 0],
  [0, 0, 0, 0],
  [5, 0, 0, 0],
  'a.txt',
)
export const MP4 = padded([0, 0, 0, 0x20], 'ftypisom', [0, 0, 2, 0], 'isomiso2avc1mp41')
export const WEBM = padded(
  [
    0x1a, 0x45, 0xdf, 0xa3, 0x9f, 0x42, 0x86, 0x81, 1, 0x42, 0xf7, 0x81, 1, 0x42, 0xf2, 0x81, 4,
    0x42, 0xf3, 0x81, 8, 0x42, 0x82, 0x84,
  ],
  'webm',
)
export const GZIP = padded([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
export const ELF = padded('\x7fELF', [2, 1, 1, 0])
export const HTML = Buffer.from(
  '<!DOCTYPE html><html><body><script>alert(1)</script></body></html>',
)
export const SVG = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
)
export const XML = Buffer.from('<?xml version="1.0"?><note/>')
export const SHELL = Buffer.from('#!/bin/sh\nrm -rf /\n')
export const PHP = Buffer.from('<?php system($_GET["c"]);')
export const TEXT = Buffer.from('just words, nothing else\n')
export const JSON_TEXT = Buffer.from('{"a":[1,2,3]}')
export const BINARY = Buffer.from(Array.from({ length: 256 }, (_, at) => (at * 7 + 1) % 256))
