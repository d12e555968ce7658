// Kernels in pieces: ranges of whole blocks, computed in any order and added up, come to the very bits of one call, and
// nothing outside of a piece's outputs is written.
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { BLOCK, BLOCKS, ROWS, TOTAL, VALUES } from "../assembly/blocks";
import { Buffer } from "../src/memory";
import { kernels } from "../src/wasm";

const FREE: Buffer[] = [];
afterAll(() => {
  for (const buffer of FREE) buffer.free("dispose");
});

/** Numbers that come again in every run. */
let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

const MARGIN = 16;
const UNTOUCHED = 0x5a5a5a5a;

/** Memory of so many cells of four bytes, with a margin on both sides. */
class Area {
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
function bits(values: Float32Array | Float64Array | Int32Array): Int32Array {
  const copy = values.slice();
  if (!(copy instanceof Int32Array))
    for (const [i, x] of copy.entries()) if (Number.isNaN(x)) copy[i] = Number.NaN;
  return new Int32Array(copy.buffer);
}

function same(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

function expectBits(got: Int32Array, want: Int32Array): void {
  if (!same(got, want)) expect([...got]).toEqual([...want]);
}

/** Ranges of whole blocks that cover 0 … n, in a random order. */
function ranges(n: number, block: number): [from: number, to: number][] {
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
type Writes = (from: number, to: number) => [area: Area, from: number, to: number][];

/** Runs the pieces and checks after each that it has kept to its outputs. */
function inPieces(n: number, block: number, writes: Writes, piece: (from: number, to: number) => void): void {
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

const padded = (cells: number): number => Math.ceil(cells / 4) * 4;
const blocksIn = (n: number, block: number): number => Math.ceil(n / block);

const sizes = [0, 1, 3, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK - 1, 2 * BLOCK, 2 * BLOCK + 1, 3 * BLOCK + 77];

/** What may lie in an operand. */
const contents: Record<string, (i: number) => number> = {
  "finite numbers": () => random() * 4 - 2,
  "a NaN": (i) => (i === 1000 ? Number.NaN : random() * 4 - 2),
  infinities: (i) => (i === BLOCK + 3 ? Infinity : i === 2 * BLOCK + 5 ? -Infinity : random() * 4 - 2),
  "numbers that cancel": (i) => (i === 0 ? 2 ** 62 : i === 2 * BLOCK ? -(2 ** 62) : 1),
  "numbers whose sums leave float32": (i) => ((i & 512) > 0 ? -3e38 : 3e38) * (1 - random() / 8),
};

const positive = () => 0.1 + random() * 0.8;
const sign = () => (random() < 0.5 ? -1 : 1);

interface Loss {
  /** Arguments after the scale; elements of an operand where it is an area. */
  rest?: (n: number) => (number | Area)[];
  target?: () => number;
}

const pairLosses: Record<string, Loss> = {
  mseLoss: {},
  l1Loss: {},
  smoothL1Loss: { rest: () => [0.7] },
  huberLoss: { rest: () => [0.7] },
  logCoshLoss: {},
  msleLoss: { target: positive },
  mapeLoss: {},
  bceLoss: { rest: () => [0], target: positive },
  "bceLoss of weighted elements": { rest: (n) => [Area.floats(n, positive)], target: positive },
  bceWithLogitsLoss: { rest: () => [0, 0], target: positive },
  "bceWithLogitsLoss of weighted elements": {
    rest: (n) => [Area.floats(n, positive), Area.floats(n, positive)],
    target: positive,
  },
  focalLoss: { rest: () => [0.25, 2], target: positive },
  klDivLoss: { target: positive },
  klDivLogTargetLoss: {},
  hingeLoss: { target: sign },
  squaredHingeLoss: { target: sign },
  exponentialLoss: { target: sign },
  softMarginLoss: { target: sign },
  poissonNllLoss: { rest: () => [1], target: positive },
  poissonRateNllLoss: { rest: () => [1, 1e-8], target: positive },
};

type Kernel = (...args: number[]) => void;
const forward = (loss: string): Kernel =>
  kernels[`${loss.split(" ")[0]}Forward` as keyof typeof kernels] as Kernel;

describe.each(Object.entries(pairLosses))("%s", (name, { rest = () => [], target = random }) => {
  test.each(Object.keys(contents))("of %s", (what) => {
    const kernel = forward(name);
    for (const n of sizes) {
      const [pred, t] = [Area.floats(n, contents[what]!), Area.floats(n, target)];
      const [y, sums, values] = [new Area(1), new Area(2 * blocksIn(n, BLOCK)), new Area(padded(n))];
      const more = rest(n);
      const scale = 1 / (n + 1);
      const run = (to: number, from: number, count: number, each: number) => {
        const moved = more.map((x) => (x instanceof Area ? x.ptr + 4 * from : x));
        kernel(pred.ptr + 4 * from, t.ptr + 4 * from, to, count, each, scale, ...moved);
      };
      run(y.ptr, 0, n, TOTAL);
      const whole = bits(y.floats());
      const ends: Writes = (from, to) => [[sums, (2 * from) / BLOCK, 2 * blocksIn(to, BLOCK)]];
      inPieces(n, BLOCK, ends, (from, to) => run(sums.ptr + (8 * from) / BLOCK, from, to - from, BLOCKS));
      kernels.addBlocks(sums.ptr, y.ptr, blocksIn(n, BLOCK), scale, 0);
      expectBits(bits(y.floats()), whole);
      run(values.ptr, 0, n, VALUES);
      const wanted = bits(values.floats().slice(0, n));
      values.clear();
      inPieces(
        n,
        BLOCK,
        (from, to) => [[values, from, padded(to)]],
        (from, to) => run(values.ptr + 4 * from, from, to - from, VALUES),
      );
      expectBits(bits(values.floats().slice(0, n)), wanted);
    }
  });
});

interface RowCall {
  logits: Area;
  targets: Area;
  distribution: Area;
  weights: Area;
  saved: Area;
  rows: number;
  cols: number;
}

/** A call for rows from `r` on, whether it saves a gradient, and whether values have the scale already. */
interface RowLoss {
  call: (given: RowCall, r: number, rows: number, y: number, each: number, scale: number) => void;
  saves: boolean;
  scaled: boolean;
}

const at = (area: Area, cells: number): number => area.ptr + 4 * cells;

const rowLosses: Record<string, RowLoss> = {
  crossEntropyLoss: {
    call: ({ logits, targets, weights, saved, cols }, r, rows, y, each) =>
      kernels.crossEntropyLossForward(
        ...([at(logits, r * cols), at(targets, r), at(weights, 2 * r), at(saved, r * cols)] as const),
        ...([y, rows, cols, each] as const),
      ),
    saves: true,
    scaled: true,
  },
  softCrossEntropyLoss: {
    call: ({ logits, distribution, saved, cols }, r, rows, y, each, scale) =>
      kernels.softCrossEntropyLossForward(
        ...([at(logits, r * cols), at(distribution, r * cols), at(saved, r * cols)] as const),
        ...([y, rows, cols, each, scale] as const),
      ),
    saves: true,
    scaled: false,
  },
  nllLoss: {
    call: ({ logits, targets, weights, cols }, r, rows, y, each) =>
      kernels.nllLossForward(
        ...([at(logits, r * cols), at(targets, r), at(weights, 2 * r), y, rows, cols, each] as const),
      ),
    saves: false,
    scaled: true,
  },
  multiMarginLoss: {
    call: ({ logits, targets, distribution, saved, cols }, r, rows, y, each, scale) =>
      kernels.multiMarginLossForward(
        ...([at(logits, r * cols), at(targets, r), distribution.ptr, at(saved, r * cols)] as const),
        ...([y, rows, cols, each, scale, 1, 1] as const),
      ),
    saves: true,
    scaled: true,
  },
  categoricalHingeLoss: {
    call: ({ logits, distribution, saved, cols }, r, rows, y, each, scale) =>
      kernels.categoricalHingeLossForward(
        ...([at(logits, r * cols), at(distribution, r * cols), at(saved, r * cols)] as const),
        ...([y, rows, cols, each, scale] as const),
      ),
    saves: true,
    scaled: false,
  },
  cosineEmbeddingLoss: {
    call: ({ logits, distribution, targets, cols }, r, rows, y, each, scale) =>
      kernels.cosineEmbeddingLossForward(
        ...([at(logits, r * cols), at(distribution, r * cols), at(targets, r)] as const),
        ...([y, rows, cols, each, scale, 0.1] as const),
      ),
    saves: false,
    scaled: false,
  },
};

/** Operands of a loss of rows: some rows count for nothing. */
function rowCall(rows: number, cols: number, value: (i: number) => number): RowCall {
  const [targets, weights] = [new Area(rows), new Area(2 * rows)];
  for (let r = 0; r < rows; r++) {
    weights.doubles()[r] = r % 5 === 4 ? 0 : positive();
    targets.integers()[r] = Math.floor(random() * cols);
  }
  const logits = Area.floats(rows * cols, value);
  return {
    ...{ logits, targets, weights, rows, cols },
    distribution: Area.floats(Math.max(rows, 1) * cols, positive),
    saved: new Area(rows * cols),
  };
}

describe.each(Object.entries(rowLosses))("%s", (_, { call, saves, scaled }) => {
  test.each(Object.keys(contents))("of %s", (what) => {
    for (const rows of [0, 1, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS - 1, 2 * ROWS, 2 * ROWS + 1, 100]) {
      for (const cols of [1, 7, 40]) {
        const given = rowCall(rows, cols, (i) => contents[what]!(i * 50));
        const { saved } = given;
        const [y, sums] = [new Area(1), new Area(2 * blocksIn(rows, ROWS))];
        const scale = 1 / (rows + 1);
        call(given, 0, rows, y.ptr, TOTAL, scale);
        const [whole, gradient] = [bits(y.floats()), bits(saved.floats())];
        saved.clear();
        const writes: Writes = (from, to) => [
          [sums, (2 * from) / ROWS, 2 * blocksIn(to, ROWS)],
          [saved, from * cols, saves ? to * cols : from * cols],
        ];
        inPieces(rows, ROWS, writes, (from, to) =>
          call(given, from, to - from, sums.ptr + (8 * from) / ROWS, BLOCKS, scale),
        );
        kernels.addBlocks(sums.ptr, y.ptr, blocksIn(rows, ROWS), scaled ? 1 : scale, 0);
        expectBits(bits(y.floats()), whole);
        expectBits(bits(saved.floats()), gradient);
      }
    }
  });
});

test("every loss that sums up is among these", () => {
  const text = readFileSync(new URL("../build/release.d.ts", import.meta.url), "utf8");
  const found = [...text.matchAll(/export function (\w+)Forward\([^)]*\beach: /g)].map(([, name]) => name);
  const here = [...Object.keys(pairLosses), ...Object.keys(rowLosses)].filter((name) => !name.includes(" "));
  expect(here.sort()).toEqual(found.sort());
});

describe("sums", () => {
  test.each(Object.keys(contents))("of %s", (what) => {
    for (const n of sizes) {
      for (const accumulate of [0, 1]) {
        const x = Area.floats(n, contents[what]!);
        const [y, sums] = [Area.floats(1, () => 0.3), new Area(2 * blocksIn(n, BLOCK))];
        kernels.sumForward(x.ptr, y.ptr, 0, 1, n, 1, 0.7, accumulate, 1);
        const whole = bits(y.floats());
        y.floats()[0] = 0.3;
        const writes: Writes = (from, to) => [[sums, (2 * from) / BLOCK, 2 * blocksIn(to, BLOCK)]];
        inPieces(n, BLOCK, writes, (from, to) =>
          kernels.blockSums(x.ptr + 4 * from, sums.ptr + (8 * from) / BLOCK, to - from),
        );
        kernels.addBlocks(sums.ptr, y.ptr, blocksIn(n, BLOCK), 0.7, accumulate);
        expectBits(bits(y.floats()), whole);
      }
    }
  });

  test("stay in float64 across blocks where float32 overflows", () => {
    const x = Area.floats(2 * BLOCK, (i) => (i < BLOCK ? 3e38 : -3e38));
    const y = new Area(1);
    kernels.sumForward(x.ptr, y.ptr, 0, 1, 2 * BLOCK, 1, 1, 0, 1);
    expect(y.floats()[0]).toBe(0);
  });
});

describe.each(["sumForward", "maxForward", "minForward"] as const)("%s of columns", (name) => {
  test.each(Object.keys(contents))("with %s", (what) => {
    for (const [outer, size, inner] of [
      [1, 1, 2],
      [1, 70, 5],
      [2, 33, 16],
      [3, 40, 37],
      [1, 64, 100],
    ] as const) {
      const x = Area.floats(outer * size * inner, (i) => contents[what]!(i * 11));
      const [y, extra] = [new Area(outer * inner), new Area(2 * inner * outer)];
      const run = (c: number, count: number) => {
        if (name === "sumForward") {
          const [to, totals] = [at(y, c), at(extra, 2 * c)];
          kernels.sumForward(at(x, c), to, totals, outer, size, count, 0.7, 0, inner);
        } else kernels[name](at(x, c), at(y, c), at(extra, c), outer, size, count, inner);
      };
      run(0, inner);
      const whole = [y, extra].map((area) => bits(area.integers()));
      y.clear();
      extra.clear();
      const writes: Writes = (from, to) => {
        const of = (area: Area, cells: number, o: number): [Area, number, number] => [
          area,
          cells * (o * inner + from),
          cells * (o * inner + to),
        ];
        const rows = Array.from({ length: outer }, (_, o) => of(y, 1, o));
        if (name === "sumForward") return [...rows, of(extra, 2, 0)];
        return [...rows, ...rows.map((_, o) => of(extra, 1, o))];
      };
      inPieces(inner, 1, writes, (from, to) => run(from, to - from));
      expectBits(bits(y.integers()), whole[0]!);
      if (name !== "sumForward") expectBits(bits(extra.integers()), whole[1]!);
    }
  });
});

describe("norms", () => {
  test.each(Object.keys(contents))("of %s", (what) => {
    for (const n of sizes) {
      const x = Area.floats(n, contents[what]!);
      const cells = new Area(4);
      const [maxima, sums] = [new Area(blocksIn(n, BLOCK)), new Area(2 * blocksIn(n, BLOCK))];
      const [largest, sum] = [cells.ptr, cells.ptr + 8];
      for (const p of [1, 2, 3]) {
        cells.doubles().set([0.5, 0.3]);
        kernels.absMax(x.ptr, largest, n);
        kernels.powerSum(x.ptr, largest, sum, n, p, TOTAL);
        const whole = bits(cells.doubles());
        cells.doubles().set([0.5, 0.3]);
        const ends = (area: Area, k: number): Writes => {
          return (from, to) => [[area, (k * from) / BLOCK, k * blocksIn(to, BLOCK)]];
        };
        inPieces(n, BLOCK, ends(maxima.clear(), 1), (from, to) =>
          kernels.blockMaxima(at(x, from), at(maxima, from / BLOCK), to - from),
        );
        kernels.absMax(maxima.ptr, largest, blocksIn(n, BLOCK));
        inPieces(n, BLOCK, ends(sums.clear(), 2), (from, to) =>
          kernels.powerSum(at(x, from), largest, at(sums, (2 * from) / BLOCK), to - from, p, BLOCKS),
        );
        kernels.gather(sums.ptr, sum, blocksIn(n, BLOCK));
        expectBits(bits(cells.doubles()), whole);
      }
    }
  });
});

describe("random numbers", () => {
  const kinds: Record<string, (state: number, areas: Area[], e: number, n: number, skip: number) => void> = {
    uniformFill: (state, [y], e, n, skip) => kernels.uniformFill(state, at(y!, e), n, -1, 2, skip),
    normalFill: (state, [y], e, n, skip) => kernels.normalFill(state, at(y!, e), n, -1, 2, skip),
    rreluForward: (state, [y, x, noise], e, n, skip) =>
      kernels.rreluForward(state, at(x!, e), at(noise!, e), at(y!, e), n, 0.1, 0.3, skip),
    dropoutForward: (state, [y, x, noise], e, n, skip) =>
      kernels.dropoutForward(state, at(x!, e), at(noise!, e), at(y!, e), n, 0.4, skip),
  };

  test.each(Object.entries(kinds))("%s begins anywhere and leaves the counter", (_, fill) => {
    for (const n of [0, 1, 7, 8, 9, 12, 13, 100, 1000, 1003]) {
      const x = Area.floats(padded(n), () => random() - 0.5);
      const [y, noise, state] = [new Area(padded(n)), new Area(padded(n)), new Area(5)];
      // The counter is about to pass 2³².
      state.integers().set([3, 4, -5, 6, 0]);
      fill(state.ptr, [y, x, noise], 0, n, 0);
      const whole = [y, noise].map((area) => bits(area.integers().slice(0, n)));
      y.clear();
      noise.clear();
      inPieces(
        n,
        8,
        (from, to) => [y, noise].map((area) => [area, from, padded(to)]),
        (from, to) => fill(state.ptr, [y, x, noise], from, to - from, from / 4),
      );
      expect([y, noise].map((area) => bits(area.integers().slice(0, n)))).toEqual(whole);
      expect([...state.integers()]).toEqual([3, 4, -5, 6, 0]);
    }
  });

  test("the counter of 64 bits moves on", () => {
    const state = new Area(5);
    state.integers().set([3, 4, -5, 6, 0]);
    kernels.advanceRandom(state.ptr, 7);
    expect([...state.integers()]).toEqual([3, 4, 2, 7, 0]);
  });
});

describe("optimizers", () => {
  type Update = (a: readonly number[], step: number, hyper: number, n: number) => void;
  const kinds: Record<string, { hyper: number[]; update: Update }> = {
    "sgdStep without a buffer": {
      hyper: [0.1, 0, 0, 0, 0.01, 0.02],
      update: ([g, w], step, hyper, n) => kernels.sgdStep(g!, w!, 0, step, hyper, n),
    },
    sgdStep: {
      hyper: [0.1, 0.9, 0.2, 0, 0.01, 0.02],
      update: ([g, w, b], step, hyper, n) => kernels.sgdStep(g!, w!, b!, step, hyper, n),
    },
    adamStep: {
      hyper: [0.1, 0.9, 0.99, 1e-8, 0.01, 0.02, 1],
      update: ([g, w, m, v, vmax], step, hyper, n) =>
        kernels.adamStep(g!, w!, m!, v!, vmax!, step, hyper, n, 0),
    },
    rmspropStep: {
      hyper: [0.1, 0.9, 1e-8, 0.5, 1, 0.01, 0.02],
      update: ([g, w, v, a, b], _, hyper, n) => kernels.rmspropStep(g!, w!, v!, a!, b!, hyper, n),
    },
    adagradStep: {
      hyper: [0.1, 0.2, 1e-10, 0.01, 0.02, 0],
      update: ([g, w, s], step, hyper, n) => kernels.adagradStep(g!, w!, s!, step, hyper, n),
    },
  };

  test.each(Object.entries(kinds))("%s", (_, { hyper, update }) => {
    const options = new Area(2 * hyper.length);
    options.doubles().set(hyper);
    for (const n of [0, 1, 4, 5, 100, 1003]) {
      const starts = Array.from({ length: 5 }, () => Area.floats(padded(n), positive));
      const copies = starts.map((area) => Area.floats(padded(n), (i) => area.floats()[i]!));
      const step = new Area(1);
      for (let t = 1; t <= 3; t++) {
        step.integers()[0] = t - 1;
        kernels.advance(step.ptr);
        const [g, ...changed] = copies as [Area, ...Area[]];
        update(
          starts.map(({ ptr }) => ptr),
          step.ptr,
          options.ptr,
          n,
        );
        inPieces(
          n,
          4,
          (from, to) => [
            [g, from, from],
            ...changed.map((area) => [area, from, padded(to)] as [Area, number, number]),
          ],
          (from, to) =>
            update(
              copies.map((area) => at(area, from)),
              step.ptr,
              options.ptr,
              to - from,
            ),
        );
        expect(step.integers()[0]).toBe(t);
        expect(copies.map((area) => bits(area.integers().slice(0, n)))).toEqual(
          starts.map((area) => bits(area.integers().slice(0, n))),
        );
      }
    }
  });
});
