const open: (() => unknown)[] = []

/** Has it closed when the test is over, also where it fails: what stays open would keep the whole run from ending. */
export function afterwards(close: () => unknown): void {
  open.push(close)
}

/** For `test.after.each`: the last opened first. */
export async function cleanUp(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close()
}
