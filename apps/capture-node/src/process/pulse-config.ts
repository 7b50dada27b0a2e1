/** Upstream's names: applications play into the first, the viewer's microphone arrives in the second and is recorded from the third. */
export const audioOutput = 'audio_output'
export const audioInput = 'audio_input'
export const microphone = 'microphone'

/** The start-up script of a room's PulseAudio. The socket comes last, so that a client that gets in finds everything there. */
export function pulseScript({ socket, cookie }: { readonly socket: string; readonly cookie: string }): string {
  const format = 'rate=48000 channels=2'
  // Without rewinds a sink renders 50 ms at a time instead of 2 s: whoever starts to record hears what is played now, not in 2 s.
  const sink = `${format} norewinds=1`
  return `load-module module-null-sink sink_name=${audioOutput} ${sink} sink_properties=device.description=Virtual_Audio_Output
load-module module-null-sink sink_name=${audioInput} ${sink} sink_properties=device.description=Virtual_Audio_Input
load-module module-remap-source source_name=${microphone} master=${audioInput}.monitor ${format} source_properties=device.description=Microphone
set-default-sink ${audioOutput}
set-default-source ${microphone}
load-module module-suspend-on-idle timeout=5
load-module module-native-protocol-unix socket=${socket} auth-cookie-enabled=1 auth-cookie=${cookie} auth-anonymous=0
`
}

/**
 * The daemon.conf of a room's PulseAudio: nothing that touches the machine, and always 48 kHz as Opus has it (with a different
 * alternate rate the sink would follow the first stream, and the capture would resample it back).
 */
export const pulseDaemonConfig = `daemonize = no
system-instance = no
use-pid-file = no
exit-idle-time = -1
allow-exit = no
allow-module-loading = no
high-priority = no
realtime-scheduling = no
default-sample-rate = 48000
alternate-sample-rate = 48000
flat-volumes = no
`
