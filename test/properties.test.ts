import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";
import { scope, type Tensor, tensor } from "../src/index";
import { numbers } from "./cases";
import type { Nd, Shape } from "./reference";
import * as ref from "./reference";

// The same samples in every run: a failure shows the bug, not the luck of the day.
fc.configureGlobal({ seed: 1 });

const size = fc.integer({ min: 1, max: 5 });
const shape = (min = 0, max = 4) => fc.array(size, { minLength: min, maxLength: max });
const seed = fc.integer({ min: 1, max: 2 ** 31 });

/** Float32 numbers of either sign, away from zero so that one may divide by them. */
function random(shape: Shape, seed: number): Nd {
  const next = numbers(seed);
  return ref.build(shape, () => Math.fround((next() < 0.5 ? -1 : 1) * (0.25 + 2 * next())));
}

const from = ({ shape, data }: Nd, requiresGrad = false) => tensor(data, { shape, requiresGrad });

/** The tensor has the shape and the values, within the tolerance. */
function agrees(y: Tensor, expected: Nd, tolerance: ref.Tolerance = {}): void {
  expect(y.shape).toEqual(expected.shape);
  expect(ref.mismatch(y.data, expected.data, tolerance)).toBeUndefined();
}

/** Checks a property in a scope for each sample. */
function property<T extends unknown[]>(
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  check: (...values: T) => void,
  numRuns = 200,
): () => void {
  const sample = fc.property(fc.tuple<T>(...arbitraries), (values) => scope(() => check(...values)));
  return () => fc.assert(sample, { numRuns });
}

/** Two shapes that broadcast: of a common one, each drops leading dimensions and has 1 where it likes. */
const pair = fc
  .tuple(shape(0, 5), fc.nat(5), fc.nat(5), fc.array(fc.nat(5), { minLength: 10, maxLength: 10 }))
  .map(([whole, dropA, dropB, coins]): [Shape, Shape] => {
    const cut = (drop: number, offset: number) =>
      whole.map((n, d) => (coins[d + offset] === 0 ? 1 : n)).slice(Math.min(drop, whole.length));
    return coins[0]! % 2 === 0 ? [cut(dropA, 0), cut(0, 5)] : [cut(0, 0), cut(dropB, 5)];
  });

describe("broadcasting", () => {
  const formulas: [name: string, op: typeof nablas.add, f: (a: number, b: number) => number][] = [
    ["add", nablas.add, (a, b) => a + b],
    ["sub", nablas.sub, (a, b) => a - b],
    ["mul", nablas.mul, (a, b) => a * b],
    ["div", nablas.div, (a, b) => a / b],
  ];
  const naive = (f: (a: number, b: number) => number) => ref.elementwise(f as (...v: number[]) => number);

  test.each(formulas)("%s, forward", (_name, op, f) => {
    property([pair, seed], ([a, b], s) => {
      const [x, y] = [random(a, s), random(b, s + 1)];
      agrees(op(from(x), from(y)), naive(f)(x, y), { ulp: 0.5 });
    })();
  });

  test.each(formulas)("%s with numbers on either side", (_name, op, f) => {
    property([shape(), seed, fc.integer({ min: 1, max: 9 })], (s, n, k) => {
      const x = random(s, n);
      agrees(op(from(x), k), naive(f)(x, k), { ulp: 0.5 });
      agrees(op(k, from(x)), naive(f)(k, x), { ulp: 0.5 });
    })();
  });

  test.each(formulas)("%s, backward", (_name, op, f) => {
    property(
      [pair, seed],
      ([a, b], s) => {
        const data = [random(a, s), random(b, s + 1)] as const;
        const [x, y] = [from(data[0], true), from(data[1], true)];
        const z = op(x, y);
        const dz = random(z.shape, s + 2);
        z.backward({ gradient: from(dz) });
        const gradientBy = (i: 0 | 1) =>
          ref.differences(
            (values) => {
              const operands = [...data] as [Nd, Nd];
              operands[i] = ref.nd(data[i].shape, values);
              return naive(f)(...operands).data;
            },
            data[i].data,
            dz.data,
          );
        for (const [i, t] of [x, y].entries()) {
          const { gradient, noise } = gradientBy(i as 0 | 1);
          expect(ref.mismatch(t.grad!.data, gradient, { rtol: 1e-5, atol: 1e-4 }, noise)).toBeUndefined();
        }
      },
      60,
    )();
  });
});

describe("matmul", () => {
  const depth = fc.integer({ min: 1, max: 12 });
  test(
    "of batches, transposed or not, is the naive sum",
    property([pair, depth, depth, depth, fc.boolean(), fc.boolean(), seed], ([a, b], M, K, N, tA, tB, s) => {
      const x = random([...a, ...(tA ? [K, M] : [M, K])], s);
      const y = random([...b, ...(tB ? [N, K] : [K, N])], s + 1);
      const options = { transposeA: tA, transposeB: tB };
      agrees(nablas.matmul(from(x), from(y), options), ref.matmul(x, y, options), { atol: 2e-5 });
    }),
  );

  test(
    "of sizes around the blocks of the kernel",
    property(
      [
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 40 }),
        seed,
      ],
      (M, K, N, s) => {
        const [x, y] = [random([M, K], s), random([K, N], s + 1)];
        const product = ref.matmul(x, y);
        agrees(nablas.matmul(from(x), from(y)), product, { atol: 3e-4 });
        agrees(nablas.matmul(from(ref.transpose(x)), from(y), { transposeA: true }), product, { atol: 3e-4 });
        agrees(nablas.matmul(from(x), from(ref.transpose(y)), { transposeB: true }), product, { atol: 3e-4 });
      },
      12,
    ),
  );

  test(
    "has the transpose rule for its gradients",
    property([depth, depth, depth, fc.boolean(), fc.boolean(), seed], (M, K, N, tA, tB, s) => {
      const x = random(tA ? [K, M] : [M, K], s);
      const y = random(tB ? [N, K] : [K, N], s + 1);
      const dz = random([M, N], s + 2);
      const [a, b] = [from(x, true), from(y, true)];
      nablas.matmul(a, b, { transposeA: tA, transposeB: tB }).backward({ gradient: from(dz) });
      const dx = ref.matmul(dz, y, { transposeB: !tB });
      const dy = ref.matmul(x, dz, { transposeA: !tA });
      agrees(a.grad!, tA ? ref.transpose(dx) : dx, { atol: 3e-5 });
      agrees(b.grad!, tB ? ref.transpose(dy) : dy, { atol: 3e-5 });
    }),
  );

  test.each([
    [
      [0, 3],
      [3, 2],
    ],
    [
      [2, 0],
      [0, 3],
    ],
    [
      [2, 3],
      [3, 0],
    ],
    [
      [0, 2, 3],
      [3, 4],
    ],
    [
      [2, 3],
      [0, 3, 4],
    ],
  ])("of nothing: %j · %j", (a, b) => {
    scope(() => {
      const [x, y] = [ref.build(a, () => 1), ref.build(b, () => 1)];
      agrees(nablas.matmul(from(x), from(y)), ref.matmul(x, y));
    });
  });
});

describe("reductions", () => {
  const dims = shape(1, 5).chain((s) =>
    fc.tuple(fc.constant(s), fc.shuffledSubarray(s.map((_, d) => d)), fc.boolean(), fc.boolean()),
  );
  const kinds: [name: string, op: typeof nablas.sum, f: (v: number[]) => number][] = [
    ["sum", nablas.sum, ref.total],
    ["mean", nablas.mean, (v) => ref.total(v) / v.length],
    ["max", nablas.max, (v) => Math.max(...v)],
    ["logSumExp", nablas.logSumExp, ref.logSumExp],
  ];
  test.each(kinds)("%s over any dimensions, from the front or the back", (_name, op, f) => {
    property(
      [dims, seed],
      ([s, list, keepdim, negative], n) => {
        const x = random(s, n);
        const dim = negative ? list.map((d) => d - s.length) : list;
        const y = op(from(x), { dim, keepdim });
        agrees(y, ref.reduction(f)(x, { dim, keepdim }), { rtol: 1e-6, atol: 1e-4 });
      },
      100,
    )();
  });

  test(
    "the gradient of max has one 1 in each group",
    property([dims, seed], ([s, dim, keepdim], n) => {
      const x = from(random(s, n), true);
      const y = nablas.max(x, { dim, keepdim });
      nablas.sum(y).backward();
      expect(x.grad!.data.filter((g) => g === 1)).toHaveLength(y.size);
      expect(x.grad!.data.filter((g) => g === 0)).toHaveLength(x.size - y.size);
    }),
  );
});

describe("layout", () => {
  const position = fc.integer({ min: -7, max: 7 });

  test(
    "transposing twice gives back the same, and matches the naive one",
    property([shape(1, 5), fc.nat(4), fc.nat(4), seed], (s, p, q, n) => {
      const [i, j] = [p % s.length, (q % s.length) - s.length];
      const x = random(s, n);
      const y = nablas.transpose(from(x), i, j);
      agrees(y, ref.transpose(x, i, j));
      agrees(nablas.transpose(y, j, i), x);
    }),
  );

  test(
    "slices are those of arrays",
    property(
      [
        shape(1, 4),
        fc.nat(3),
        position,
        fc.option(position, { nil: undefined }),
        fc.integer({ min: 1, max: 4 }),
        seed,
      ],
      (s, d, start, end, step, n) => {
        const x = random(s, n);
        const options = { dim: d % s.length, step };
        agrees(nablas.slice(from(x), start, end, options), ref.slice(x, start, end, options));
      },
    ),
  );

  test(
    "cutting and joining gives back the same",
    property([shape(1, 4), fc.nat(3), fc.nat(5), seed], (s, d, at, n) => {
      const dim = d % s.length;
      const x = from(random(s, n));
      const cut = Math.min(at, s[dim]!);
      const parts = [nablas.slice(x, 0, cut, { dim }), nablas.slice(x, cut, undefined, { dim })];
      agrees(nablas.concat(parts, { dim }), random(s, n));
    }),
  );

  test(
    "gradients of slice and concat go where the elements came from",
    property([shape(1, 4), fc.nat(3), fc.nat(5), seed], (s, d, at, n) => {
      const dim = d % s.length;
      const x = from(random(s, n), true);
      const cut = Math.min(at, s[dim]!);
      const back = nablas.concat(
        [nablas.slice(x, cut, undefined, { dim }), nablas.slice(x, 0, cut, { dim })],
        { dim },
      );
      const dy = random(s, n + 1);
      back.backward({ gradient: from(dy) });
      const split = s[dim]! - cut;
      const options = { dim };
      agrees(
        x.grad!,
        ref.concat([ref.slice(dy, split, undefined, options), ref.slice(dy, 0, split, options)], options),
      );
    }),
  );

  test(
    "reshape keeps the order, of integers too",
    property([fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 12, maxLength: 12 })], (list) => {
      for (const s of [
        [3, 4],
        [2, -1],
        [1, 12, 1],
        [2, 2, 3],
      ]) {
        const x = tensor(Int32Array.from(list)).reshape(s);
        expect(Array.from(x.data)).toEqual(list);
        expect(Array.from(x.transpose(0, -1).transpose(0, -1).clone().data)).toEqual(list);
      }
    }),
  );

  test(
    "nested arrays come back as they went in",
    property([fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 5 }), seed], (s, n) => {
      const x = from(random(s, n));
      const data = x.toArray();
      if (s.includes(0)) {
        const depth = s.indexOf(0);
        let level: unknown = data;
        for (const size of s.slice(0, depth + 1)) {
          expect(level).toHaveLength(size);
          level = (level as unknown[])[0];
        }
      } else {
        const again = tensor(data);
        expect(again.shape).toEqual(s);
        expect(again.data).toEqual(x.data);
      }
    }),
  );
});

test(
  "backward is linear: a dy + b dz gives a times the one gradient and b times the other",
  property([size, size, seed, fc.constantFrom(-2, 0.5, 4), fc.constantFrom(-1, 2)], (rows, cols, n, a, b) => {
    const data = random([rows, cols], n);
    const [dy, dz] = [random([rows, cols], n + 1), random([rows, cols], n + 2)];
    const gradientOf = (upstream: Nd) => {
      const x = from(data, true);
      const y = nablas.softmax(nablas.mul(nablas.tanh(x), nablas.add(x, nablas.sum(x, { dim: 0 }))));
      y.backward({ gradient: from(upstream) });
      return x.grad!.data.slice();
    };
    const mix = ref.elementwise((p, q) => a * p! + b * q!)(dy, dz);
    const [g, h] = [gradientOf(dy), gradientOf(dz)];
    const expected = Float64Array.from(g, (v, i) => a * v + b * h[i]!);
    expect(ref.mismatch(gradientOf(mix), expected, { rtol: 1e-4, atol: 2e-5 })).toBeUndefined();
  }),
);
