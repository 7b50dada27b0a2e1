/** Something wrong with the configuration. An error keeps a process from starting; a warning is said once. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  /** Where it was given: `/etc/neko/neko.yaml:3:9`, `NEKO_SERVER_BIND`, `--server.bind`. */
  readonly source: string
  /** The option's path or V2 name, if it is known. */
  readonly option?: string
  /** The value as given; `***` if the option is secret. */
  readonly value?: string
  /** The rest of a sentence that begins with the option: `is out of range (0 … 65535)`. */
  readonly reason: string
  /** What to write or do instead. */
  readonly remedy: string
}

/** One problem as two lines: where and what is wrong, and the remedy. */
export function formatProblem(problem: Problem): string {
  const { severity, source, option, value, reason, remedy } = problem
  const subject = option === undefined ? '' : `${option} `
  const given = value === undefined ? '' : ` (given: ${value})`
  return `${severity}: ${source}: ${subject}${reason}${given}\n  ${remedy}`
}

/** True if a process must not start with these. */
export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === 'error')
}
