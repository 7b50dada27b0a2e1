import { type Effect, effects } from './effects.ts'
import { defaultText } from './help.ts'
import { v2Options } from './legacy/v2-options.ts'
import type { Option } from './schema/option.ts'
import { envName, groups, optionByPath } from './schema/options.ts'
import { fixedTraps } from './upstream-traps.ts'

/** The reference of all options in Markdown: what `neko config reference` prints. */
export function referenceMarkdown(): string {
  const sections = groups.map(({ title, paths }) => `## ${title}\n\n${optionTable(paths)}`)
  return [
    '# Configuration reference',
    'Every option can stand in a YAML or JSON file (nested by its dots), in the environment and on the command line (`--` before the path). Later wins: default, file, environment, flag; then V2 options, unless `legacy` is false.',
    'Edge marks the options that neko V3 does not have; room marks those that a room may override.',
    ...sections,
    `## V2 options\n\n${v2Table()}`,
    `## Where upstream's loader surprises\n\n${table(
      ['Upstream', 'Here'],
      fixedTraps.map(({ upstream, here }) => [upstream, here]),
    )}`,
  ].join('\n\n')
}

function optionTable(paths: readonly string[]): string {
  const rows = paths.flatMap((path) => {
    const option = optionByPath.get(path)
    return option === undefined
      ? []
      : [
          [
            `\`${path}\``,
            `\`${envName(path)}\``,
            typeText(option),
            code(defaultText(path, option)?.replace('default: ', '')),
            meaning(path, option),
            effectText(path, option),
          ],
        ]
  })
  return table(['Option', 'Variable', 'Type', 'Default', 'Meaning', 'Effect (tests)'], rows)
}

function typeText(option: Option): string {
  const limits = [option.unit, option.choices?.join(', ') ?? option.range].filter((part) => part !== undefined).join('; ')
  return limits === '' ? option.kind : `${option.kind} (${limits})`
}

function meaning(path: string, option: Option): string {
  const v2 = [...v2Options].filter(([, { to }]) => to.includes(path)).map(([key]) => `\`${envName(key)}\``)
  const marks = [
    option.since === 'edge' && 'edge',
    option.room === true && 'room',
    option.secret === true && 'secret',
    v2.length > 0 && `V2: ${v2.join(' ')}`,
  ].filter((mark) => mark !== false)
  return marks.length === 0 ? option.about : `${option.about} (${marks.join('; ')})`
}

const effectByPath: ReadonlyMap<string, Effect> = new Map(Object.entries(effects))

function effectText(path: string, { inert }: Option): string {
  const found = effectByPath.get(path)
  if (inert !== undefined || found === undefined) {
    return `none: ${inert} (CFG-23)`
  }
  return `${found.effect} (${found.tests.join(', ')})`
}

function v2Table(): string {
  const rows = [...v2Options].map(([key, { to, form, about }]) => [
    `\`${envName(key)}\``,
    `\`--${key}\``,
    to.map((path) => `\`${path}\``).join(' '),
    form === undefined ? 'the same' : code(form),
    about,
  ])
  return table(['Variable', 'Flag', 'V3 option', 'Value', 'Meaning'], rows)
}

const code = (text: string | undefined): string => (text === undefined ? '' : `\`${text}\``)

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
