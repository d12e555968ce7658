// The same samples in every run. For a longer search: SEED=7 SAMPLES=200 npx vitest run test/properties
const { SEED = 1, SAMPLES = 1 } = process.env;

/** How often a property is tried, and from which seed. */
export const often = (numRuns: number) => ({ seed: Number(SEED), numRuns: numRuns * Number(SAMPLES) });
