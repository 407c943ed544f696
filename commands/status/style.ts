/** The style of the page: dark and light as the reader's system has it, and cards in place of a table on a phone. */
export const style = `:root { --back: #ffffff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --card: #f6f8fa; --red: #b3261e; --yellow: #7a5200; --green: #1a6e35; }
@media (prefers-color-scheme: dark) {
  :root { --back: #0f1419; --text: #e6edf3; --soft: #9aa4af; --line: #30363d; --card: #171d24; --red: #ff8a80; --yellow: #e8b949; --green: #6bd48a; }
}
* { box-sizing: border-box; }
body { overflow-wrap: anywhere; margin: 0 auto; max-width: 78rem; padding: 1rem; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline; }
h1 { font-size: 1.3rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
header p, dt, .more { color: var(--soft); margin: 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem; margin-top: 1rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .4rem 1rem; margin: 0 0 .8rem; }
dt { font-size: .8rem; }
dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .5rem .3rem 0; border-top: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 500; border-top: 0; }
.process th { font-weight: 400; padding-left: 1rem; }
ul { margin: 0; padding: 0; list-style: none; }
.findings li { padding: .4rem 0 .4rem .7rem; border-left: 3px solid var(--line); margin-bottom: .5rem; overflow-wrap: anywhere; }
.error, .error .level { color: var(--red); }
.findings .error { border-color: var(--red); color: inherit; } .findings .warning { border-color: var(--yellow); }
.warning .level { color: var(--yellow); } .note .level { color: var(--soft); } .good { color: var(--green); margin: 0; }
code { display: block; margin-top: .2rem; font: .85rem ui-monospace, monospace; color: var(--soft); }
.more { margin-top: .6rem; font-size: .9rem; }
@media (max-width: 48rem) {
  thead { display: none; }
  table, tbody, tr, th, td { display: block; border: 0; padding: 0; }
  tr { border-top: 1px solid var(--line); padding: .5rem 0; }
  td:empty { display: none; }
  td { display: flex; justify-content: space-between; gap: 1rem; overflow-wrap: anywhere; }
  td::before { content: attr(data-column); color: var(--soft); }
}
`
