// What the generator ought to give.

/**
 * The words of Philox4x32-10. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.
 */
export function philox(key: bigint, count: number, counter = 0n): number[] {
  const words: number[] = [];
  const mask = 0xffff_ffffn;
  for (; words.length < count; counter++) {
    let c = [counter & mask, (counter >> 32n) & mask, (counter >> 64n) & mask, counter >> 96n];
    let k = [key & mask, key >> 32n];
    for (let round = 0; round < 10; round++) {
      const p0 = 0xd251_1f53n * c[0]!;
      const p1 = 0xcd9e_8d57n * c[2]!;
      c = [(p1 >> 32n) ^ c[1]! ^ k[0]!, p1 & mask, (p0 >> 32n) ^ c[3]! ^ k[1]!, p0 & mask];
      k = [(k[0]! + 0x9e37_79b9n) & mask, (k[1]! + 0xbb67_ae85n) & mask];
    }
    words.push(...c.map(Number));
  }
  return words.slice(0, count);
}

const unit = (word: number) => (word >>> 8) * 2 ** -24;

/** Multiples of 2^−24 in [0, 1), one for each word. */
export const uniforms = (seed: number, count: number): number[] => philox(BigInt(seed), count).map(unit);

/** Box and Muller: four words for the radius and four for the angle give eight numbers, the sines first. */
export function normals(seed: number, count: number): number[] {
  const u = uniforms(seed, 8 * Math.ceil(count / 8));
  return Array.from({ length: count }, (_, i) => {
    const block = i - (i % 8);
    const radius = Math.sqrt(-2 * Math.log(1 - u[block + (i % 4)]!));
    const angle = 2 * Math.PI * (u[block + 4 + (i % 4)]! - 0.5);
    return radius * (i % 8 < 4 ? Math.sin(angle) : Math.cos(angle));
  });
}
