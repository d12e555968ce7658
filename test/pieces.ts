// Kernels in pieces: ranges of whole blocks, computed in any order, and what they may write.
import { afterAll, expect } from "vitest";
import { BLOCK } from "../assembly/blocks";
import { Buffer } from "../src/memory";

export const FREE: Buffer[] = [];

/** Numbers that come again in every run. */
export let seed = 1;

export function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

export const MARGIN = 16;

export const UNTOUCHED = 0x5a5a5a5a;

/** Memory of so many cells of four bytes, with a margin on both sides. */
export class Area {
  private readonly buffer: Buffer;
  readonly ptr: number;

  constructor(readonly cells: number) {
    this.buffer = new Buffer(cells + 2 * MARGIN);
    this.ptr = this.buffer.ptr + 4 * MARGIN;
    FREE.push(this.buffer);
    this.clear();
  }

  static floats(n: number, value: (i: number) => number): Area {
    const area = new Area(n);
    area.floats().set(Float32Array.from({ length: n }, (_, i) => value(i)));
    return area;
  }

  clear(): this {
    this.all().fill(UNTOUCHED);
    return this;
  }

  all(): Int32Array {
    return this.buffer.integers(this.cells + 2 * MARGIN);
  }

  floats(): Float32Array {
    return new Float32Array(this.all().buffer, this.ptr, this.cells);
  }

  doubles(): Float64Array {
    return new Float64Array(this.all().buffer, this.ptr, this.cells >> 1);
  }

  integers(): Int32Array {
    return new Int32Array(this.all().buffer, this.ptr, this.cells);
  }
}

/** The bits, as 32-bit integers; engines choose those of a NaN. */
export function bits(values: Float32Array | Float64Array | Int32Array): Int32Array {
  const copy = values.slice();
  if (!(copy instanceof Int32Array))
    for (const [i, x] of copy.entries()) if (Number.isNaN(x)) copy[i] = Number.NaN;
  return new Int32Array(copy.buffer);
}

export function same(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

export function expectBits(got: Int32Array, want: Int32Array): void {
  if (!same(got, want)) expect([...got]).toEqual([...want]);
}

/** Ranges of whole blocks that cover 0 … n, in a random order. */
export function ranges(n: number, block: number): [from: number, to: number][] {
  const found: [number, number][] = [];
  for (let from = 0; from < n; ) {
    const to = Math.min(n, from + block * (1 + Math.floor(random() * 2.5)));
    found.push([from, to]);
    from = to;
  }
  for (let i = found.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [found[i], found[j]] = [found[j]!, found[i]!];
  }
  return found;
}

/** What a piece may write of an area: cells from … to, with the padding to 16 bytes. */
export type Writes = (from: number, to: number) => [area: Area, from: number, to: number][];

/** Runs the pieces and checks after each that it has kept to its outputs. */
export function inPieces(
  n: number,
  block: number,
  writes: Writes,
  piece: (from: number, to: number) => void,
): void {
  const areas = new Set(writes(0, n).map(([area]) => area));
  for (const [from, to] of ranges(n, block)) {
    const before = new Map([...areas].map((area) => [area, area.all().slice()]));
    piece(from, to);
    for (const [area, first, end] of writes(from, to)) {
      before.get(area)!.set(area.all().subarray(MARGIN + first, MARGIN + end), MARGIN + first);
    }
    for (const [area, cells] of before) expect(same(area.all(), cells)).toBe(true);
  }
}

export const padded = (cells: number): number => Math.ceil(cells / 4) * 4;

export const blocksIn = (n: number, block: number): number => Math.ceil(n / block);

export const sizes = [
  0,
  1,
  3,
  BLOCK - 1,
  BLOCK,
  BLOCK + 1,
  2 * BLOCK - 1,
  2 * BLOCK,
  2 * BLOCK + 1,
  3 * BLOCK + 77,
];

/** What may lie in an operand. */
export const contents: Record<string, (i: number) => number> = {
  "finite numbers": () => random() * 4 - 2,
  "a NaN": (i) => (i === 1000 ? Number.NaN : random() * 4 - 2),
  infinities: (i) => (i === BLOCK + 3 ? Infinity : i === 2 * BLOCK + 5 ? -Infinity : random() * 4 - 2),
  "numbers that cancel": (i) => (i === 0 ? 2 ** 62 : i === 2 * BLOCK ? -(2 ** 62) : 1),
  "numbers whose sums leave float32": (i) => ((i & 512) > 0 ? -3e38 : 3e38) * (1 - random() / 8),
};

export const positive = () => 0.1 + random() * 0.8;

export const at = (area: Area, cells: number): number => area.ptr + 4 * cells;

afterAll(() => {
  for (const buffer of FREE) buffer.free("dispose");
});
