import { v2Options } from './legacy/v2-options.ts'
import { optionByPath } from './schema/options.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** What a shell is to complete: the program's name, its sub-commands, and those of them that take the options. */
export interface Completed {
  readonly program: string
  readonly commands: readonly string[]
  readonly withOptions: readonly string[]
}

/** A completion script: `neko completion bash > /etc/bash_completion.d/neko`. */
export function completionScript(shell: Shell, completed: Completed): string {
  switch (shell) {
    case 'bash':
      return bash(completed)
    case 'zsh':
      return zsh(completed)
    case 'fish':
      return fish(completed)
    default:
      return shell satisfies never
  }
}

const words = (): string[] => [...optionByPath.keys(), ...v2Options.keys()].map((name) => `--${name}`)
const choicesOf = (): [string, readonly string[]][] =>
  [...optionByPath].flatMap(([path, { choices }]) => (choices === undefined ? [] : [[path, choices]]))

function bash({ program, commands, withOptions }: Completed): string {
  const cases = choicesOf().map(
    ([path, choices]) => `    --${path}) COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$word")); return ;;`,
  )
  // `=` breaks words in bash's completion, so `--a=b` arrives as three words.
  return `_${program}() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  if [ "$word" = "=" ]; then word=""; elif [ "$previous" = "=" ]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  case "$previous" in
${cases.join('\n')}
    --config|-c) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.join(' ')}" -- "$word"))
  else
    case "\${COMP_WORDS[1]}" in
      ${withOptions.join('|')}) COMPREPLY=($(compgen -W "${words().join(' ')}" -- "$word")) ;;
    esac
  fi
}
complete -o default -F _${program} ${program}
`
}

function zsh({ program, commands, withOptions }: Completed): string {
  const quote = (text: string): string => text.replaceAll("'", '’').replaceAll(/[[\]:\\]/g, '\\$&')
  const specs = [...optionByPath].map(([path, { about, choices, kind }]) => {
    const value =
      choices !== undefined ? `:value:(${choices.join(' ')})` : kind === 'boolean' ? '' : path === 'config' ? ':file:_files' : ':value: '
    return `    '--${path}${kind === 'boolean' ? '' : '='}[${quote(about)}]${value}'`
  })
  const old = [...v2Options].map(
    ([key, { kind }]) => `    '--${key}${kind === 'boolean' ? '' : '='}[V2]${kind === 'boolean' ? '' : ':value: '}'`,
  )
  return `#compdef ${program}
_${program}() {
  local -a options
  options=(
${[...specs, ...old].join('\n')}
  )
  if (( CURRENT == 2 )); then
    compadd ${commands.join(' ')}
  else
    case "$words[2]" in
      ${withOptions.join('|')}) shift words; (( CURRENT-- )); _arguments $options ;;
      *) _files ;;
    esac
  fi
}
compdef _${program} ${program}
`
}

function fish({ program, commands, withOptions }: Completed): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const condition = quote(`__fish_seen_subcommand_from ${withOptions.join(' ')}`)
  const option = (name: string, about: string, extra: string): string =>
    `complete -c ${program} -n ${condition} -l ${name} -d ${quote(about)}${extra}`
  const lines = [...optionByPath].map(([path, { about, choices, kind }]) => {
    return option(path, about, kind === 'boolean' ? '' : choices === undefined ? ' -r' : ` -x -a ${quote(choices.join(' '))}`)
  })
  const old = [...v2Options].map(([key, { about, kind }]) => option(key, `V2: ${about}`, kind === 'boolean' ? '' : ' -r'))
  const first = `complete -c ${program} -f -n __fish_use_subcommand -a ${quote(commands.join(' '))}`
  return `${[first, ...lines, ...old].join('\n')}\n`
}
