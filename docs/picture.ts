import type { Cell } from '../test/support/terminal.ts'

const colours: Readonly<Record<number, string>> = {
  1: '#f47067',
  2: '#6bc46d',
  3: '#daaa3f',
  5: '#d189e0',
  6: '#56d4dd',
}
const [width, height, margin] = [8.4, 19, 16] as const

/** A terminal's screen as an SVG of nothing but text. */
export function pictureOf(lines: readonly (readonly Cell[])[], columns: number, title: string): string {
  const size = [columns * width + 2 * margin, lines.length * height + 2 * margin] as const
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.join(' ')}" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" rx="8" fill="#1c2128"/>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" fill="#cdd9e5" xml:space="preserve">
${lines.map((line, y) => lineOf(line, margin + (y + 0.75) * height)).join('\n')}
</g>
</svg>
`
}

/** Neighbours that look the same are one piece, stretched to its place in the grid whatever font the reader has. */
function lineOf(line: readonly Cell[], y: number): string {
  const pieces: { x: number; text: string; colour: number; dim: boolean }[] = []
  for (const [x, { text, colour, dim }] of line.entries()) {
    const last = pieces.at(-1)
    if (last?.colour === colour && last.dim === dim) last.text += text
    else pieces.push({ x, text, colour, dim })
  }
  const spans = pieces.flatMap(({ x, text, colour, dim }) => {
    const fill = colours[colour] === undefined ? '' : ` fill="${colours[colour]}"`
    // Browsers make one blank of several.
    return [...text.matchAll(/\S+(?: \S+)*/g)].map(({ 0: shown, index }) => {
      const at = x + [...text.slice(0, index)].length
      const place = `x="${(margin + at * width).toFixed(1)}" textLength="${([...shown].length * width).toFixed(1)}"`
      return `<tspan ${place}${fill}${dim ? ' opacity="0.6"' : ''}>${escaped(shown)}</tspan>`
    })
  })
  return `<text y="${y.toFixed(1)}">${spans.join('')}</text>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
