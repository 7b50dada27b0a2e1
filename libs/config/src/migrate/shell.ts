/** Shell commands that start neko: `docker run -e NEKO_… m1k1o/neko:…`, `NEKO_…=… neko serve --…`, `export NEKO_…=…`. */
import { takeDockerEnvFile } from './env-file.ts'
import { emptyFound, type Found, isNekoImage, takeArguments, takeImage, takeVariable } from './found.ts'
import { interpolate } from './interpolate.ts'

export function isShell(text: string): boolean {
  return /^#!|(^|[\s;&|/])((docker|podman)\s+(container\s+)?(run|create)|neko(\s+serve)?\s+-)|(^|\n)\s*([A-Z_]+=\S*\s+)*(\S*\/)?neko\s+serve\b|(^|\n)\s*export\s+NEKO_/.test(
    text,
  )
}

/** What the commands of a script say; `readFile` is for `--env-file`. */
export function foundInShell(title: string, text: string, readFile: (path: string) => string | undefined): Found {
  const found = emptyFound(title)
  const variables = new Map<string, string>()
  for (const words of splitCommands(text)) {
    const [head = '', ...rest] = takeAssignments(found, words, variables)
    if (head === 'export') {
      takeAssignments(found, rest, variables)
    } else if (/(^|\/)(docker|podman)$/.test(head)) {
      takeContainer(found, rest, { variables, readFile })
    } else if (/(^|\/)neko$/.test(head)) {
      takeArguments(found, rest[0] === 'serve' ? rest.slice(1) : rest, variables)
    }
  }
  return found
}

/** Takes `NAME=value` at the start of a command and gives the rest; a leading sudo or env is skipped. */
function takeAssignments(found: Found, words: readonly string[], variables: Map<string, string>): readonly string[] {
  let index = 0
  for (; index < words.length; index++) {
    const word = words[index] ?? ''
    const match = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(word)
    if (match !== null) {
      const pair = [match[1] ?? '', match[2] ?? ''] as const
      takeVariable(found, pair, variables)
      variables.set(pair[0], interpolate(pair[1], variables).text)
    } else if (!/^(sudo|env|exec)$/.test(word)) {
      break
    }
  }
  return words.slice(index)
}

interface Reach {
  readonly variables: ReadonlyMap<string, string>
  readonly readFile: (path: string) => string | undefined
}

function takeContainer(found: Found, words: readonly string[], { variables, readFile }: Reach): void {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (isNekoImage(word)) {
      const command = words.slice(index + 1)
      const flags = command.findIndex((each) => each.startsWith('-'))
      takeArguments(found, flags < 0 ? [] : command.slice(flags), variables)
      takeImage(found, word)
      return
    }
    if (/:\/etc\/neko\/neko\.\w+(:|$)|(target|dst|destination)=\/etc\/neko\/neko\.\w+(,|$)/.test(word)) {
      found.mounts.push(word)
    }
    const option = /^(-e|--env|--env-file)(?:=([\s\S]*))?$/.exec(word) ?? /^(-e)(NEKO_[\s\S]*)$/.exec(word)
    if (option !== null) {
      const value = option[2] ?? words[index + 1] ?? ''
      index += option[2] === undefined ? 1 : 0
      takeEnvOption(found, { isFile: option[1] === '--env-file', value }, { variables, readFile })
    }
  }
}

function takeEnvOption(found: Found, { isFile, value }: { isFile: boolean; value: string }, { variables, readFile }: Reach): void {
  if (isFile) {
    const text = readFile(value)
    if (text === undefined) {
      found.lost.push(`--env-file ${value} can not be read: give it to migrate-config as well`)
    } else {
      takeDockerEnvFile(found, text)
    }
    return
  }
  const equals = value.indexOf('=')
  const known = variables.get(value)
  if (equals >= 0) {
    takeVariable(found, [value.slice(0, equals), value.slice(equals + 1)], variables)
  } else if (known !== undefined) {
    takeVariable(found, [value, known], variables)
  } else if (value.startsWith('NEKO_')) {
    found.lost.push(`${value}: its value comes from the shell, which is not known here: set it by hand`)
  }
}

// As a function, since `$$` stands for one dollar in a replacement.
const dollarInQuotes = (): string => '$$'

/** Splits a script into commands and words as a POSIX shell does, without expanding: a quoted dollar comes out as `$$`. */
export function splitCommands(script: string): string[][] {
  const commands: string[][] = [[]]
  let word: string | undefined
  const endWord = (): void => {
    if (word !== undefined) {
      commands.at(-1)?.push(word)
      word = undefined
    }
  }
  const token = /\\\r?\n|\\([\s\S])|'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|(#[^\n]*)|([;&|\n(){}]+)|([ \t\r]+)|(\$\{[^}]*\})|([\s\S])/gy
  for (const [whole, escaped, single, double, comment, operator, blank, braced, other] of script.matchAll(token)) {
    if (comment !== undefined && word === undefined) {
      endWord()
    } else if (operator !== undefined) {
      endWord()
      commands.push([])
    } else if (blank !== undefined) {
      endWord()
    } else if (!/^\\\r?\n$/.test(whole)) {
      const part =
        escaped ??
        single?.replaceAll('$', dollarInQuotes) ??
        double?.replaceAll(/\\([$`"\\])|\\\n/g, (_, char: string | undefined) => (char === '$' ? dollarInQuotes() : (char ?? '')))
      word = (word ?? '') + (part === '$' && escaped !== undefined ? dollarInQuotes() : (part ?? comment ?? braced ?? other ?? ''))
    }
  }
  endWord()
  return commands.filter((words) => words.length > 0)
}
