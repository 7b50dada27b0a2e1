import { isAddressRange } from '../value/network.ts'
import { printScreen, readScreen, type Screen } from '../value/screen.ts'
import { choice, flag, integer, list, parsed, text } from './option.ts'

const defaultScreen: Screen = { width: 1280, height: 720, rate: 30 }

/** The X desktop of a room and what runs in it. */
export const desktop = {
  'desktop.display': text({
    default: '',
    about: 'X display to start; empty: that of capture.video.display, else the first free one from :100',
    form: 'a display such as :99',
    check: (value) => (value === '' || /^:\d+(\.\d+)?$/.test(value.trim()) ? undefined : 'is not a local display'),
  }),
  'desktop.screen': parsed<Screen>({
    default: defaultScreen,
    room: true,
    about: 'Screen size and rate at the start',
    form: 'a screen such as 1920x1080@30',
    read: readScreen,
    write: printScreen,
  }),
  'desktop.input.enabled': flag({ default: true, about: 'Accept touch input' }),
  'desktop.input.socket': text({
    default: '/tmp/xf86-input-neko.sock',
    about: "Socket of upstream's X input driver, which touch needs; without it there is no touch",
    form: 'a path',
  }),
  'desktop.unminimize': flag({ default: true, room: true, about: 'Restore windows that are minimised' }),
  'desktop.upload_drop': flag({ default: true, room: true, about: 'Accept files dropped on the picture' }),
  'desktop.file_chooser_dialog': flag({ default: false, room: true, about: 'Let the client answer file dialogs' }),
  'desktop.app': text({
    default: 'chromium',
    room: true,
    since: 'edge',
    about: 'Application: the name of a preset, or a command line',
    form: 'a preset such as chromium, or a command line',
    check: (value) => (value.trim() === '' ? 'is empty' : undefined),
  }),
  'desktop.app_url': text({ default: '', room: true, since: 'edge', about: 'Page that a browser opens first', form: 'a URL' }),
  'desktop.app_network': choice({
    default: 'auto',
    choices: ['auto', 'isolated', 'shared'],
    since: 'edge',
    about:
      "The application's network: isolated is one of its own, which reaches the world but not this machine; shared is the machine's; auto: isolated where that works",
  }),
  'desktop.app_network_deny': list({
    default: ['169.254.0.0/16', '100.100.100.200', 'fd00:ec2::254'],
    since: 'edge',
    about:
      "What an isolated network does not reach either, besides this machine's own addresses: clouds keep their machines' secrets there",
    form: 'addresses and ranges such as 10.0.0.0/8',
    check: (range) => (isAddressRange(range) ? undefined : `holds ${range}, which is not an address or a range of addresses`),
  }),
  'desktop.uncaged': flag({
    default: false,
    since: 'edge',
    about:
      'Run the application without its sandbox where user namespaces are off: whoever has the controls then has the powers of the node',
  }),
  'desktop.uid_base': integer({
    default: 50_000,
    min: 1000,
    max: 4_294_000_000,
    since: 'edge',
    about: 'First user id of the rooms, one per room, where the node runs as root',
  }),
} as const
