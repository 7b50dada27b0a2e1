/**
 * The IPC namespace of a room. MIT-SHM clients hand the X server the *number* of a System V segment, and the server maps what bears
 * that number in its own namespace. So the server, the application and the node's capture must share one (or the server maps
 * somebody else's segment and shows its pixels), and no two rooms may (or an application names another room's segments).
 * Without MIT-SHM none of this matters, at 16 % of a core more for 720p25.
 */
/** `own`: a new namespace; `of`: that of the process which `of` names at the time, or says by throwing that there is none. */
export type IpcNamespace = 'own' | { readonly of: () => number }

/** The start of a command line that runs in `namespace`. A user other than root needs a user namespace for it, which is joined along. */
export function ipcPrefix(namespace: IpcNamespace): string[] {
  const isRoot = process.getuid?.() === 0
  if (namespace === 'own') {
    return ['unshare', ...(isRoot ? [] : ['--user', '--map-current-user']), '--ipc', '--']
  }
  const folder = `/proc/${namespace.of()}/ns`
  return ['nsenter', ...(isRoot ? [] : ['--preserve-credentials', `--user=${folder}/user`]), `--ipc=${folder}/ipc`, '--']
}
