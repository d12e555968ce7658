// Losses in pieces, as of blocks.test.ts.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BLOCK, BLOCKS, ROWS, TOTAL, VALUES } from "../assembly/blocks";
import { kernels } from "../src/wasm";
import {
  Area,
  at,
  bits,
  blocksIn,
  contents,
  expectBits,
  inPieces,
  padded,
  positive,
  random,
  sizes,
  type Writes,
} from "./pieces";

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
