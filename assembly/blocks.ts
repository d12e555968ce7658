// Sums are sums of blocks, added in order in float64: however a call is cut between blocks, the bits are the same. Both
// languages read this file.

/** Elements whose sum is a block: small against the caches, and long enough that nobody notices where one ends. */
export const BLOCK = 16384;

/** Rows whose values are a block, in losses of rows. */
export const ROWS = 16;

// What a loss leaves in y, the meaning of its argument `each`.
/** One number: scale · Σ of all values. */
export const TOTAL = 0;
/** The values, float32. */
export const VALUES = 1;
/** The sum of each block, float64 and not scaled. `addBlocks` makes the total of them. */
export const BLOCKS = 2;
