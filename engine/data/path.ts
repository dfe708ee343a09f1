/** POSIX paths as text: no working directory is asked for, unlike with node:path. */

/** An absolute path from `path`, which starts at the absolute `directory` unless it is absolute itself. */
export function resolvePath(directory: string, path: string): string {
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${directory}/${path}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** The directory that an absolute path lies in. */
export function directoryOf(path: string): string {
  return resolvePath(path, '..')
}
