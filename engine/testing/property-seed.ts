/**
 * FUZZ_SEED, a whole number, is the seed of every property: with it all tests draw the same cases again. CI fixes it,
 * so that a change fails only for what it did; every night draws cases of its own (`.ci/nightly-tests`). Without it
 * each run draws new ones, and a property that fails prints its seed.
 */
const { FUZZ_SEED } = process.env
if (FUZZ_SEED !== undefined) {
  const seed = Number(FUZZ_SEED)
  if (!Number.isInteger(seed)) throw new Error(`FUZZ_SEED is a whole number, not ${FUZZ_SEED}`)
  const { default: fc } = await import('fast-check')
  fc.configureGlobal({ seed })
}
