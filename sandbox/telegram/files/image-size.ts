/** Pixels of a picture in PNG, JPEG, GIF or WebP; undefined where it is none of these. */
export function imageSize(content: Buffer): { width: number; height: number } | undefined {
  try {
    if (content.subarray(1, 4).equals(Buffer.from('PNG')))
      return { width: content.readUInt32BE(16), height: content.readUInt32BE(20) }
    if (/^GIF8[79]a$/.test(content.toString('latin1', 0, 6)))
      return { width: content.readUInt16LE(6), height: content.readUInt16LE(8) }
    if (content.toString('latin1', 0, 4) === 'RIFF' && content.toString('latin1', 8, 12) === 'WEBP')
      return webp(content)
    return content.readUInt16BE(0) === 0xff_d8 ? jpeg(content) : undefined
  } catch {
    // Shorter than it should be.
    return undefined
  }
}

function webp(content: Buffer): { width: number; height: number } | undefined {
  const kind = content.toString('latin1', 12, 16)
  if (kind === 'VP8X') return { width: content.readUIntLE(24, 3) + 1, height: content.readUIntLE(27, 3) + 1 }
  if (kind === 'VP8 ') return { width: content.readUInt16LE(26) & 0x3f_ff, height: content.readUInt16LE(28) & 0x3f_ff }
  if (kind !== 'VP8L') return undefined
  const bits = content.readUInt32LE(21)
  return { width: (bits & 0x3f_ff) + 1, height: ((bits >> 14) & 0x3f_ff) + 1 }
}

/** The size is in the first frame header; the segments before it are skipped. */
function jpeg(content: Buffer): { width: number; height: number } {
  for (let at = 2; ; at += 2 + content.readUInt16BE(at + 2)) {
    const marker = content.readUInt16BE(at)
    if (marker >= 0xff_c0 && marker <= 0xff_cf && ![0xff_c4, 0xff_c8, 0xff_cc].includes(marker))
      return { width: content.readUInt16BE(at + 7), height: content.readUInt16BE(at + 5) }
  }
}
