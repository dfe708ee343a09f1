/** Faultline's own version, from package.json at build time. */
import packageFile from '../../package.json' with { type: 'json' }

export const faultlineVersion: string = packageFile.version
