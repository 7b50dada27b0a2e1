import { choice, flag, text } from './option.ts'

/** Options of every process. */
export const root = {
  config: text({
    default: '',
    about: 'Configuration file (YAML or JSON). Without it /etc/neko/neko.{json,yaml,yml}, then ./neko.{json,yaml,yml}',
    form: 'a path',
  }),
  debug: flag({ default: false, about: 'Log at level debug, unless log.level is trace' }),
  legacy: flag({ default: true, about: 'Serve V2 clients (/ws, V2 HTTP, a picture with the cursor) and honour V2 options' }),
  'log.level': choice({
    default: 'info',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'panic', 'disabled'],
    about: 'Least level that is logged; trace is debug, fatal and panic are error, disabled is nothing',
  }),
  'log.time': choice({
    default: 'unix',
    choices: ['unix', 'unixms', 'unixmicro'],
    about: 'Form of the time stamps with log.json: seconds, milliseconds or microseconds',
  }),
  'log.json': flag({ default: false, about: 'One JSON object per line' }),
  'log.nocolor': flag({ default: false, about: 'No colours; a non-empty NO_COLOR does the same' }),
  'log.dir': text({ default: '', about: 'Directory for log files; empty: standard error', form: 'a directory' }),
} as const
