/** How long the browser may take to begin saving, in milliseconds. */
const graceMs = 60_000

/** Saves a blob as a file, under the browser's own rules for names. */
export function save(blob: Blob, name: string): void {
  const href = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = href
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(href), graceMs)
}
