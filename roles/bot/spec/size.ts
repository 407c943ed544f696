/** The MiB of a size like `160m` or `1g`. */
export function megabytes(size: string): number {
  return Number.parseInt(size, 10) * (size.endsWith('g') ? 1024 : 1)
}
