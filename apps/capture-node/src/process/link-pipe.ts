import type { Child } from '@neko-edge/process'

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`

/**
 * A command that also opens the links which are written to its descriptor `fd`, a line each, by `opener` with the link as its last
 * argument. It runs where the command runs, so whatever opens links finds the browser that is open there.
 */
export function listeningForLinks(command: readonly string[], { opener, fd }: { opener: readonly string[]; fd: number }): string[] {
  if (opener.length === 0) {
    return [...command]
  }
  const open = `${opener.map(quoted).join(' ')} "$link" </dev/null >/dev/null 2>&1 ${fd}<&- &`
  return ['/bin/sh', '-c', `( while IFS= read -r link; do ${open} done ) <&${fd} & exec "$@" ${fd}<&-`, 'sh', ...command]
}

/** Hands a link to a child that listens for them; `false` where it does not run, or this is no web address. */
export function sendLink(child: Child | undefined, url: string): boolean {
  const pipe = child?.pipes.at(-1)
  if (!child?.isRunning || !pipe || !/^https?:\/\/\S+$/.test(url)) {
    return false
  }
  pipe.write(`${url}\n`)
  return true
}
