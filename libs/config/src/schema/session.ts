import { duration, flag, integer, text } from './option.ts'

const year = 365 * 86_400_000

/** Sessions, the room's first settings, and the cookie. */
export const session = {
  'session.file': text({ default: '', about: 'Keep sessions in this JSON file as well', form: 'a path' }),
  'session.private_mode': flag({ default: false, room: true, about: 'Start in private mode: only admins see the picture' }),
  'session.locked_logins': flag({ default: false, room: true, about: 'Start with logins locked for users' }),
  'session.locked_controls': flag({
    default: false,
    room: true,
    about: 'Start with controls locked for users; control_protection locks them too',
  }),
  'session.locked_file_transfer': flag({ default: false, room: true, since: 'edge', about: 'Start with file transfer locked for users' }),
  'session.control_protection': flag({
    default: false,
    room: true,
    about: 'Users control only while an admin is there; starts with controls locked',
  }),
  'session.implicit_hosting': flag({ default: false, room: true, about: 'Clicking the picture takes the controls' }),
  'session.inactive_cursors': flag({ default: false, room: true, about: 'Show the cursors of those without the controls' }),
  'session.merciful_reconnect': flag({ default: true, room: true, about: 'A new connection of the same session replaces the old one' }),
  'session.heartbeat_interval': integer({ default: 10, min: 1, max: 86_400, unit: 's', about: 'Heartbeat interval announced to clients' }),
  'session.listed_max': integer({
    default: 100,
    min: 0,
    max: 100_000,
    unit: 'people',
    room: true,
    since: 'edge',
    about: 'Connected people whom all others are told of one by one; of those beyond them, only how many there are. 0: no limit',
  }),
  'session.api_token': text({ default: '', secret: true, about: 'Token with which a machine calls the API; empty: none' }),
  'session.cookie.enabled': flag({ default: false, about: 'Log in by cookie (V2 clients then need legacy tokens in the query)' }),
  'session.cookie.name': text({
    default: 'NEKO_SESSION',
    about: 'Name of the cookie',
    form: 'letters, digits and -_.',
    check: (name) => (/^[\w.!#$%&'*+^`|~-]+$/.test(name) ? undefined : 'is not a name of a cookie'),
  }),
  'session.cookie.expiration': duration({
    default: 86_400_000,
    min: 1000,
    max: 10 * year,
    about: 'Lifetime of the cookie; the session itself does not expire',
  }),
  'session.cookie.secure': flag({ default: true, about: 'Cookie over HTTPS only (SameSite=None)' }),
  'session.cookie.http_only': flag({ default: true, about: 'Cookie hidden from scripts' }),
  'session.cookie.domain': text({ default: '', about: 'Domain of the cookie; empty: the host itself' }),
  'session.cookie.path': text({ default: '', about: 'Path of the cookie; empty: what the browser makes of it' }),
} as const
