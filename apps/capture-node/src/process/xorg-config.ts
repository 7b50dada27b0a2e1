/** A screen size in pixels and its rate in frames per second. */
export interface ScreenMode {
  readonly width: number
  readonly height: number
  readonly rate: number
}

/** The modes every room's display knows from the start: those of upstream's xorg.conf. Any other is made on demand through RANDR. */
const stockModes: readonly ScreenMode[] = (
  [
    [60, '1920x1080 1280x720 1152x648 1024x576 960x720 800x600'],
    [30, '2560x1440 1920x1080 1368x768 1280x720 1152x648 1024x576 960x720 800x600 800x1600'],
    [25, '3840x2160 2560x1440 1920x1080 1600x900 1368x768 800x1600'],
  ] as const
).flatMap(([rate, sizes]) =>
  sizes.split(' ').map((size) => {
    const [width = 0, height = 0] = size.split('x').map(Number)
    return { width, height, rate }
  }),
)

const modeName = ({ width, height, rate }: ScreenMode): string => `${width}x${height}_${rate}`

/** The dummy driver refuses slower clocks, in Hz. */
const minClock = 12_000_000

/**
 * A Modeline with simple blanking. The dummy driver scans nothing out, so only the refresh rate that follows from the numbers
 * matters; upstream's lines are not copied because some start their sync inside the picture, which X rejects. The blanking
 * is not that of CVT-RB: X refuses modes that look like it for a monitor that does not declare it.
 */
function modeline(mode: ScreenMode): string {
  const across = [mode.width, mode.width + 48, mode.width + 112, mode.width + 200]
  const total = Math.max(mode.height + 30, Math.ceil(minClock / ((mode.width + 200) * mode.rate)))
  const down = [mode.height, mode.height + 3, mode.height + 8, total]
  const clockMHz = ((mode.width + 200) * total * mode.rate) / 1e6
  return `  Modeline "${modeName(mode)}" ${clockMHz.toFixed(3)} ${across.join(' ')} ${down.join(' ')} -HSync +VSync`
}

/** The xorg.conf of a room: the dummy driver, no devices of the machine, and `first` as the mode it starts in. */
export function xorgConfig(first: ScreenMode): string {
  const modes = [first, ...stockModes.filter((mode) => modeName(mode) !== modeName(first))]
  return `Section "ServerFlags"
  Option "DontVTSwitch" "true"
  Option "AllowMouseOpenFail" "true"
  Option "PciForceNone" "true"
  Option "AutoEnableDevices" "false"
  Option "AutoAddDevices" "false"
  Option "AutoAddGPU" "false"
  Option "AutoBindGPU" "false"
  Option "BlankTime" "0"
  Option "StandbyTime" "0"
  Option "SuspendTime" "0"
  Option "OffTime" "0"
EndSection

Section "Device"
  Identifier "dummy"
  Driver "dummy"
  Option "ConstantDPI" "true"
  # In kB; an upper bound for sizes, taken from memory only as the screen grows.
  VideoRam 256000
  # MHz; the driver's own 300 would not do for 3840x2160 at 60.
  DacSpeed 2000
EndSection

Section "Monitor"
  Identifier "monitor"
  HorizSync 1.0 - 2000.0
  VertRefresh 1.0 - 400.0
${modes.map(modeline).join('\n')}
EndSection

Section "Screen"
  Identifier "screen"
  Device "dummy"
  Monitor "monitor"
  DefaultDepth 24
  SubSection "Display"
    Depth 24
    Modes ${modes.map((mode) => `"${modeName(mode)}"`).join(' ')}
  EndSubSection
EndSection

Section "ServerLayout"
  Identifier "layout"
  Screen "screen"
EndSection
`
}
