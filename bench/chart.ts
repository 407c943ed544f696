import { type Case, median } from './rounds.ts'

const [left, width, barHeight, gap, groupGap] = [190, 720, 20, 6, 30]

/** Bars of what each program takes with a kept connection, a group for each distance, as an SVG for light and dark pages. */
export function chart(cases: readonly Case[]): string {
  const warm = cases.filter(({ cold }) => !cold)
  const groups = [...new Set(warm.map(({ away }) => away))].map((away) => warm.filter((each) => each.away === away))
  const longest = Math.max(...warm.map(({ seconds }) => median(seconds)))
  const lines: string[] = []
  let y = 34
  for (const group of groups) {
    lines.push(text(0, y + 4, `${group[0]?.away} ms away`, 'title'))
    y += 18
    for (const { program, seconds } of group) {
      const taken = median(seconds)
      const length = Math.max(1, (taken / longest) * (width - left - 80))
      const kind = program.startsWith('ansible') ? 'rival' : program === 'the floor' ? 'floor' : 'own'
      lines.push(
        text(left - 10, y + 15, program, 'name'),
        `<rect class="${kind}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="3"/>`,
        text(left + length + 8, y + 15, `${taken.toFixed(taken < 10 ? 2 : 0)} s`, 'value'),
      )
      y += barHeight + gap
    }
    y += groupGap
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y - groupGap + 10}" role="img" aria-label="Seconds of a run with nothing to change">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title, .heading { font-weight: 600 }
.name { text-anchor: end }
.own { fill: #1a7f37 } .floor { fill: #8c959f } .rival { fill: #bc4c00 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .own { fill: #3fb950 } .floor { fill: #6e7681 } .rival { fill: #db6d28 } }
</style>
${[text(0, 14, 'A host with one bot and nothing to change', 'heading'), ...lines].join('\n')}
</svg>
`
}

function text(x: number, y: number, content: string, kind: string): string {
  return `<text class="${kind}" x="${x.toFixed(1)}" y="${y}">${content}</text>`
}
