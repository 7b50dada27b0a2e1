import { v2Options } from './legacy/v2-options.ts'
import { textValue } from './print.ts'
import type { Option } from './schema/option.ts'
import { envName, groups, optionByPath } from './schema/options.ts'

export interface HelpStyle {
  /** Width of the terminal in characters. */
  readonly columns?: number
}

const shortByPath: Readonly<Record<string, string>> = { config: '-c, ', debug: '-d, ' }

/** The options part of `--help`: V3 in groups, then the V2 list; wrapped to the width of the terminal. */
export function optionsHelp({ columns = 100 }: HelpStyle = {}): string {
  const width = Math.max(40, columns)
  const parts = groups.map(({ title, paths }) => `${title}:\n${paths.map((path) => optionHelp(path, width)).join('')}`)
  const precedence = 'Every option can stand in a YAML file, in the environment, or on the command line; the later wins.'
  return `${wrap(precedence, '', width)}\n${parts.join('\n')}\n${v2Help(width)}`
}

function optionHelp(path: string, width: number): string {
  const option = optionByPath.get(path)
  if (option === undefined) {
    return ''
  }
  const facts = [option.unit, option.range, option.choices?.join(' | '), defaultText(path, option)].filter(
    (fact) => fact !== undefined && fact !== '',
  )
  const value = option.kind === 'boolean' ? '' : ` <${option.kind === 'choice' ? 'word' : option.kind}>`
  return `  ${shortByPath[path] ?? ''}--${path}${value}   ${envName(path)}\n${wrap(facts.length === 0 ? option.about : `${option.about} [${facts.join('; ')}]`, '      ', width)}`
}

/** `default: 30s`; nothing for an empty default. */
export function defaultText(path: string, option: Option): string | undefined {
  const value = textValue(path, option.default)
  return value === '' || value === '[]' || value === '{}' ? undefined : `default: ${value}`
}

function v2Help(width: number): string {
  const intro = 'Options of V2, honoured unless legacy is false; each wins over the V3 option that it became:'
  const lines = [...v2Options].map(([key, { to, about, form }]) => {
    const target = form === undefined ? to.join(', ') : `${to.join(', ')} (${form})`
    return `  ${key === 'logs' ? '-l, ' : ''}--${key}   ${envName(key)}\n${wrap(`${about} → ${target}`, '      ', width)}`
  })
  return `${wrap(intro, '', width)}${lines.join('')}`
}

/** Breaks a text at white space so that no line is longer than `width` unless one word is. */
function wrap(text: string, indent: string, width: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return `${[...lines, line].map((each) => indent + each).join('\n')}\n`
}
