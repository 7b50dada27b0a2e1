import type { Session, Settings } from '@neko-edge/protocol'

/** A plugin's switch: `null` and absent mean yes, a boolean what it says; anything else is a mistake that switches off. */
function isOn(plugins: Settings['plugins'], key: string): boolean {
  const value = plugins?.[key]
  return value === undefined || value === null || value === true
}

/** The rule of every built-in plugin: the configuration, the room (admins pass), and the member's own profile. */
export function isPermitted(
  key: string,
  { enabled, settings, session }: { enabled: boolean; settings: Settings; session: Pick<Session, 'profile'> },
): boolean {
  const { profile } = session
  return enabled && (profile.is_admin || isOn(settings.plugins, key)) && isOn(profile.plugins, key)
}

/** A value of a plugin switch that is neither a boolean nor `null`. */
export function isMistyped(key: string, settings: Settings, session: Pick<Session, 'profile'>): boolean {
  return [settings.plugins, session.profile.plugins].some((plugins) => {
    const value = plugins?.[key]
    return value !== undefined && value !== null && typeof value !== 'boolean'
  })
}
