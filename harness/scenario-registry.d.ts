/**
 * The generated table of scenarios: see `bin/scenario-registry.js`. Keys are full names, such as `cluster/split-brain`.
 */
declare module 'faultline:scenarios' {
  export const scenarios: Readonly<Record<string, () => Promise<{ default: import('./scenario.ts').Scenario }>>>
}

/** The text of a file, put into the bundle. */
declare module '*?raw' {
  const text: string
  export default text
}
