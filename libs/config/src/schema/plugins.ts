import { duration, flag, text } from './option.ts'

const goInert = "upstream's Go plugins can not be loaded here; chat, filetransfer and openinapp are built in"

/** Plugins: upstream's loader (accepted, without effect) and the built-in ones. */
export const plugins = {
  'plugins.enabled': flag({ default: false, about: 'Load external plugins', inert: goInert }),
  'plugins.dir': text({ default: './bin/plugins', about: 'Directory of external plugins', form: 'a directory', inert: goInert }),
  'plugins.required': flag({ default: false, about: 'Stop if an external plugin can not be loaded', inert: goInert }),
  'chat.enabled': flag({ default: true, room: true, about: 'Chat' }),
  'filetransfer.enabled': flag({ default: false, room: true, about: 'File transfer' }),
  'filetransfer.dir': text({ default: '/home/neko/Downloads', room: true, about: 'Directory of the files', form: 'a directory' }),
  'filetransfer.refresh_interval': duration({
    default: 30_000,
    min: 1000,
    max: 86_400_000,
    room: true,
    about: 'Time between two looks at the directory',
  }),
  'filetransfer.user_download': flag({ default: false, room: true, about: 'Users may download' }),
  'filetransfer.user_upload': flag({ default: false, room: true, about: 'Users may upload' }),
  'filetransfer.user_delete': flag({ default: false, room: true, about: 'Users may delete' }),
  'openinapp.enabled': flag({ default: false, room: true, about: 'Open links in the desktop' }),
  'openinapp.open_command': text({
    default: 'xdg-open',
    room: true,
    about: 'Command that opens a link, split at white space, without a shell',
    form: 'a command',
  }),
} as const
