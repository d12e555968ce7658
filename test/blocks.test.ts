// Kernels in pieces: ranges of whole blocks, computed in any order and added up, come to the very bits of one call, and
// nothing outside of a piece's outputs is written.
import { describe, expect, test } from "vitest";
import { BLOCK, BLOCKS, TOTAL } from "../assembly/blocks";
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
