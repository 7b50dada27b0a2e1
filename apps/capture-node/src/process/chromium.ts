import { cageHome } from './cage.ts'

/** The browser itself: Debian's `/usr/bin/chromium` is a script that reads settings of the machine and turns extensions off. */
export const chromiumProgram = '/usr/lib/chromium/chromium'

const profileFolder = `${cageHome}/.config/chromium`

const offFeatures = [
  'Translate',
  'MediaRouter',
  'OptimizationHints',
  'OptimizationGuideModelDownloading',
  'InterestFeedContentSuggestions',
  'DialMediaRouteProvider',
]

/**
 * The command of the preset `chromium`: upstream's flags, but with Chromium's own sandbox on, and without the background traffic
 * that a closed network would see for ever. `profile` is the profile's folder as the browser sees it.
 */
export function chromiumCommand({
  url,
  profile = profileFolder,
}: {
  readonly url?: string
  readonly profile?: string
}): [string, ...string[]] {
  const flags = [
    `--user-data-dir=${profile}`,
    ...['--window-position=0,0', '--start-maximized', '--force-dark-mode', '--ozone-platform=x11'],
    ...['--no-first-run', '--no-default-browser-check', '--hide-crash-restore-bubble', '--noerrdialogs', '--password-store=basic'],
    ...['--disable-file-system', '--disable-gpu', '--disable-software-rasterizer', '--disable-breakpad'],
    ...[
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-domain-reliability',
      '--disable-pings',
      '--metrics-recording-only',
    ],
    `--disable-features=${offFeatures.join(',')}`,
  ]
  // A browser that was killed leaves its lock; the cage has one browser, so the lock is always stale.
  const script = 'rm -f "$1"/Singleton*; shift; exec "$@"'
  return ['/bin/sh', '-c', script, 'sh', profile, chromiumProgram, ...flags, ...(url === undefined ? [] : [url])]
}

/** Where Chromium looks for policies that its user can not change. */
export const policyFolder = '/etc/chromium/policies/managed'

/** uBlock Origin Lite and SponsorBlock. */
const forcedExtensions = ['ddkjiahejlhfcafbddmgiahcphecmpfh', 'mnjggcdmjocbbbhaepdhchncahnbgone']

/** Upstream's policies for the Chromium family: no sign-in, passwords, downloads, developer tools, other profiles or local files. */
export const chromiumPolicies = {
  AllowFileSelectionDialogs: false,
  AutofillAddressEnabled: false,
  AutofillCreditCardEnabled: false,
  AutoplayAllowed: true,
  BrowserAddPersonEnabled: false,
  BrowserGuestModeEnabled: false,
  BrowserSignin: 0,
  DefaultNotificationsSetting: 2,
  DefaultPopupsSetting: 2,
  DeveloperToolsAvailability: 2,
  DownloadRestrictions: 3,
  ExtensionInstallBlocklist: ['*'],
  ExtensionInstallForcelist: forcedExtensions.map((id) => `${id};https://clients2.google.com/service/update2/crx`),
  IncognitoModeAvailability: 1,
  PasswordManagerEnabled: false,
  SyncDisabled: true,
  URLAllowlist: [`file://${cageHome}/Downloads`],
  URLBlocklist: ['file://*', 'chrome://policy'],
  VideoCaptureAllowed: true,
}
