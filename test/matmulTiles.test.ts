// Products in tiles: each element has exactly the bits that it has in the whole, and nothing outside a tile is written.
import { describe, expect, test } from "vitest";
import { Buffer } from "../src/memory";
import { start } from "../src/space";
import { gridOf } from "../src/threads/grid";
import { kernels } from "../src/wasm";
import { numbers } from "./cases";

/** M, N, K: a shape for each way in which a product is computed, whole tiles and odd sizes. */
const shapes: [name: string, ...sizes: number[][]][] = [
  ["a few elements", [1, 1, 1], [2, 2, 2], [1, 4, 1], [3, 1, 2]],
  ["a sum of nothing", [1, 40, 0], [24, 1, 0], [19, 37, 0]],
  ["one row", [1, 3, 40], [1, 19, 30], [1, 64, 77], [1, 131, 64]],
  ["one column", [3, 1, 40], [19, 1, 30], [64, 1, 77], [131, 1, 64]],
  ["few rows or columns", [2, 50, 70], [5, 33, 64], [9, 150, 66], [12, 64, 65], [50, 2, 70], [77, 10, 64]],
  ["few rows and a large B", [2, 1030, 257], [8, 2100, 130], [9, 530, 501], [11, 515, 513], [12, 2050, 129]],
  [
    "terms in groups",
    [1, 40, 8449],
    [40, 1, 8500],
    [4, 5, 17_001],
    [9, 66, 8460],
    [21, 40, 8452],
    [68, 34, 8600],
  ],
  ["operands in place", [8, 16, 8], [17, 18, 19], [33, 40, 20], [40, 100, 31], [24, 530, 11]],
  ["B in panels", [41, 33, 20], [64, 64, 64], [48, 100, 403], [20, 600, 440], [56, 530, 12], [43, 1100, 9]],
  [
    "both in panels",
    [65, 17, 30],
    [80, 96, 40],
    [100, 50, 257],
    [97, 130, 401],
    [130, 529, 13],
    [200, 20, 810],
  ],
];

const flags = [0, 1];
const forms = flags.flatMap((tA) => flags.map((tB) => ({ tA, tB })));
const cases = shapes.flatMap(([name, ...sizes]) => forms.map((form) => ({ name, sizes, ...form })));

/** Into how many parts at most the rows and the columns are cut. */
const grids = ["1 x 2", "2 x 1", "3 x 3", "1 x 7", "7 x 2"].map((grid) => grid.split(" x ").map(Number));

type Random = () => number;

/** An array of floats between −1 and 1 in linear memory. */
function drawn(size: number, random: Random): Buffer {
  const x = new Buffer(size);
  const floats = x.floats(size);
  for (let i = 0; i < size; i++) floats[i] = 2 * random() - 1;
  return x;
}

/** 0, up to `pieces` − 1 multiples of `unit` in ascending order, and `total`. */
function cuts(total: number, unit: number, pieces: number, random: Random): number[] {
  const at = new Set([0]);
  for (let n = 1; n < pieces; n++) at.add(Math.floor(random() * Math.ceil(total / unit)) * unit);
  return [...[...at].sort((p, q) => p - q), total];
}

/** The rows and the columns at which tiles begin and end. */
type Cuts = [rows: number[], cols: number[]];

/** The longest part between two cuts. */
function longest(at: number[]): number {
  return Math.max(...at.slice(1).map((to, n) => to - at[n]!));
}

type Tile = [iFrom: number, iTo: number, jFrom: number, jTo: number];

/** Tiles of a grid in random order. */
function tilesOf(rows: number[], cols: number[], random: Random): Tile[] {
  const tiles = rows
    .slice(1)
    .flatMap((iTo, r) => cols.slice(1).map((jTo, c): Tile => [rows[r]!, iTo, cols[c]!, jTo]));
  return tiles
    .map((tile) => ({ tile, key: random() }))
    .sort((p, q) => p.key - q.key)
    .map(({ tile }) => tile);
}

const GUARD = 64;
/** Those of a number, which a sum would change, unlike NaN. */
const GUARD_BITS = 0x3fc0_1234;

/** So many cells between guards, all with the guards' bits. */
function guarded(size: number) {
  const buffer = new Buffer(size + 2 * GUARD);
  const cells = buffer.integers(size + 2 * GUARD).fill(GUARD_BITS);
  return { buffer, cells, ptr: buffer.ptr + 4 * GUARD };
}

/** The first place at which two arrays differ, or −1. */
function difference(x: Int32Array, y: Int32Array): number {
  return x.every((bits, i) => bits === y[i]) ? -1 : x.findIndex((bits, i) => bits !== y[i]);
}

interface Product {
  M: number;
  N: number;
  K: number;
  tA: number;
  tB: number;
  accumulate: number;
}

/** The operands of a product, what C holds before, and the bits of the whole. */
function computed({ M, N, K, tA, tB, accumulate }: Product, random: Random) {
  const [a, b, c] = [drawn(M * K, random), drawn(K * N, random), drawn(M * N, random)];
  const before = accumulate ? c.integers(M * N).slice() : new Int32Array(M * N).fill(GUARD_BITS);
  const scratch = new Buffer(kernels.matmulScratch(M, N, K, tA, tB) / 4);
  kernels.matmul(a.ptr, b.ptr, c.ptr, scratch.ptr, M, N, K, tA, tB, accumulate);
  const whole = c.integers(M * N).slice();
  for (const buffer of [scratch, c]) buffer.free("dispose");
  return { a, b, before, whole };
}

type Computed = ReturnType<typeof computed>;

/** Computes the tiles between these rows and columns, and looks at all of C after each. */
function check(product: Product, { a, b, before, whole }: Computed, [rows, cols]: Cuts, random: Random) {
  const { M, N, K, tA, tB, accumulate } = product;
  const panels = guarded(kernels.matmulTileScratch(M, N, K, tA, tB, longest(rows), longest(cols)) / 4);
  const c = guarded(M * N);
  c.cells.set(before, GUARD);
  const expected = c.cells.slice();
  for (const [iFrom, iTo, jFrom, jTo] of tilesOf(rows, cols, random)) {
    const where = `${M} x ${N} x ${K}, rows ${iFrom} to ${iTo}, columns ${jFrom} to ${jTo}`;
    const sizes = [M, N, K, tA, tB, accumulate, iFrom, iTo, jFrom, jTo] as const;
    kernels.matmulTile(a.ptr, b.ptr, c.ptr, panels.ptr, ...sizes);
    for (let i = iFrom * N; i < iTo * N; i += N) {
      expected.set(whole.subarray(i + jFrom, i + jTo), GUARD + i + jFrom);
    }
    expect(difference(c.cells, expected), where).toBe(-1);
  }
  for (const guard of [panels.cells.subarray(0, GUARD), panels.cells.subarray(-GUARD)]) {
    expect(new Set(guard), `${M} x ${N} x ${K}: scratch`).toEqual(new Set([GUARD_BITS]));
  }
  for (const { buffer } of [panels, c]) buffer.free("dispose");
}

test.each(cases)("tiles have the bits of the whole: $name, transposed $tA $tB", ({ sizes, tA, tB }) => {
  start();
  const random = numbers(1 + 2 * tA + tB);
  for (const [M, N, K] of sizes as [number, number, number][]) {
    for (const accumulate of flags) {
      const product = { M, N, K, tA, tB, accumulate };
      const result = computed(product, random);
      for (const [r, c] of grids) {
        check(product, result, [cuts(M, 8, r!, random), cuts(N, 16, c!, random)], random);
      }
      for (const buffer of [result.a, result.b]) buffer.free("dispose");
    }
  }
});

describe("gridOf", () => {
  const sizes = [1, 2, 7, 8, 10, 16, 17, 40, 64, 100, 128, 300, 512, 784, 1024, 60_000];

  test("gives tiles that begin where they may, up to four for each thread", () => {
    for (const M of sizes) {
      for (const N of sizes) {
        for (const { tA, tB } of forms) {
          for (const threads of [1, 2, 3, 4, 7, 8, 16, 32]) {
            const { rows, cols } = gridOf(M, N, 100, tA === 1, tB === 1, threads);
            const what = `${M} x ${N} for ${threads}: ${rows} x ${cols}`;
            expect(rows === M || (rows < M && rows % 8 === 0), what).toBe(true);
            expect(cols === N || (cols < N && cols % 16 === 0), what).toBe(true);
            const tiles = Math.ceil(M / rows) * Math.ceil(N / cols);
            expect(tiles, what).toBeLessThanOrEqual(threads === 1 ? 1 : 4 * threads);
            if (M >= 512 && N >= 512) expect(tiles, what).toBeGreaterThanOrEqual(threads);
          }
        }
      }
    }
  });

  const examples: [what: string, sizes: Parameters<typeof gridOf>, rows: number, cols: number][] = [
    ["columns, where B would be packed again", [128, 512, 784, false, true, 4], 128, 32],
    ["rows, where A would be packed again", [512, 784, 128, true, false, 4], 64, 784],
    ["rows, where there are few columns", [60_000, 10, 784, false, true, 4], 3752, 10],
    ["once for each thread, where rows would be short", [10, 784, 60_000, true, false, 4], 10, 208],
    ["nothing, where C is small", [7, 16, 1000, false, false, 8], 7, 16],
  ];

  test.each(examples)("cuts %s", (_, sizes, rows, cols) => {
    expect(gridOf(...sizes)).toEqual({ rows, cols });
  });
});
