// The same samples in every run. For a longer search: SEED=7 SAMPLES=200 npx vitest run test/properties
// In some thousands of samples a few are beyond the bounds by rounding alone: subnormal gradients, which powers of two do not scale
// exactly; derivatives near their roots, such as that of silu at −1.278; and batch normalization of two equal numbers.
const { SEED = 1, SAMPLES = 1 } = process.env;

/** How often a property is tried, and from which seed. */
export const often = (numRuns: number) => ({ seed: Number(SEED), numRuns: numRuns * Number(SAMPLES) });
