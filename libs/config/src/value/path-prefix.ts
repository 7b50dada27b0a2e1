/** `//a//b/` → `/a/b`: leading slash forced, no trailing slash, `.` and `..` resolved; nothing is `/`. */
export function cleanPrefix(prefix: string): string {
  const parts: string[] = []
  for (const part of prefix.trim().split('/')) {
    if (part === '..') {
      parts.pop()
    } else if (part !== '' && part !== '.') {
      parts.push(part)
    }
  }
  return `/${parts.join('/')}`
}
