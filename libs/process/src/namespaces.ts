/**
 * The IPC namespace of a room. MIT-SHM clients hand the X server the *number* of a System V segment, and the server maps what bears
 * that number in its own namespace. So the server, the application and the node's capture must share one (or the server maps
 * somebody else's segment and shows its pixels), and no two rooms may (or an application names another room's segments).
 * Without MIT-SHM none of this matters, at 16 % of a core more for 720p25.
 */
/** `own`: a new namespace; `of`: that of the process which `of` names at the time, or says by throwing that there is none. */
export type IpcNamespace = 'own' | { readonly of: () => number }

/** A network namespace to join: that of the process which `of` names at the time, or says by throwing that there is none. */
export interface NetNamespace {
  readonly of: () => number
}

/** The namespaces that a child runs in; where one is not named, this process's. */
export interface Namespaces {
  /** Whatever shares memory with a room's X server must be in the server's. */
  readonly ipc?: IpcNamespace
  readonly net?: NetNamespace
}

/**
 * The start of a command line that runs in `namespaces`. A user other than root needs a user namespace for it, which is joined along: that of the IPC
 * namespace, in which the network's must have been made, or the network's own.
 */
export function namespacePrefix({ ipc, net }: Namespaces): string[] {
  const isRoot = process.getuid?.() === 0
  if (ipc === 'own') {
    return ['unshare', ...(isRoot ? [] : ['--user', '--map-current-user']), '--ipc', '--']
  }
  const [ipcFolder, netFolder] = [ipc, net].map((namespace) => namespace && `/proc/${namespace.of()}/ns`)
  const user = ipcFolder ?? netFolder
  if (user === undefined) {
    return []
  }
  return [
    'nsenter',
    ...(isRoot ? [] : ['--preserve-credentials', `--user=${user}/user`]),
    ...(ipcFolder === undefined ? [] : [`--ipc=${ipcFolder}/ipc`]),
    ...(netFolder === undefined ? [] : [`--net=${netFolder}/net`]),
    '--',
  ]
}
