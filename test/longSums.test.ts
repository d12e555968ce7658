// Sums of many terms: their error does not grow with how many there are, whatever adds them up. With equal terms rounding errs
// to one side for long stretches, which is where a single chain in float32 is worst: 6e-4 for 65,536 terms, 1e-2 for a million.
import { describe, expect, test } from "vitest";
import {
  clipGradNorm,
  compile,
  cosineEmbeddingLoss,
  embedding,
  full,
  gather,
  layerNorm,
  linear,
  logSumExp,
  matmul,
  mseLoss,
  mul,
  ones,
  parameter,
  prelu,
  SGD,
  scope,
  softmax,
  type Tensor,
  tensor,
  variance,
  zeros,
} from "../src/index";
import { Buffer } from "../src/memory";
import { start } from "../src/space";
import { kernels } from "../src/wasm";
import { numbers } from "./cases";

/** 1 for a term, between two powers of two where its multiples are rounded, and where 0.1 is. */
const TERMS = [0.1, 1.0833, 1.3, 1.7, 1.9].map(Math.fround);
/** Of at most 65,536 terms of one sign, and of a million. */
const [BOUND, MILLION] = [4e-6, 5e-6];

/** M and N for each way in which a product is computed. */
const SHAPES = [
  [1, 1],
  [1, 3],
  [3, 1],
  [1, 18],
  [18, 1],
  [2, 66],
  [5, 7],
  [9, 67],
  [13, 20],
  [41, 9],
  [66, 17],
];
const FLAGS = [0, 1];
const FORMS = FLAGS.flatMap((tA) => FLAGS.map((tB) => [tA, tB] as const));
/** Around the ends of blocks of 264 and 1056 terms and of groups of 8448. */
const DEPTHS = [1, 7, 263, 264, 265, 529, 1056, 1057, 8448, 8449, 16_901];

type Sizes = [M: number, N: number, K: number];

/** C, c everywhere before, += or = A · B in linear memory, from the kernel itself. */
function product([M, N, K]: Sizes, tA: number, tB: number, a: Buffer, b: Buffer, c?: number): Float32Array {
  const out = new Buffer(M * N);
  out.floats(M * N).fill(c ?? Number.NaN);
  const scratch = new Buffer(kernels.matmulScratch(M, N, K, tA, tB) / 4);
  kernels.matmul(a.ptr, b.ptr, out.ptr, scratch.ptr, M, N, K, tA, tB, Number(c !== undefined));
  const values = out.floats(M * N).slice();
  for (const buffer of [scratch, out]) buffer.free("dispose");
  return values;
}

function filled(size: number, next: () => number): Buffer {
  const x = new Buffer(size);
  const floats = x.floats(size);
  for (let i = 0; i < size; i++) floats[i] = next();
  return x;
}

/** The largest relative distance from `want`. */
const distance = (values: ArrayLike<number>, want: number) =>
  Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x / want - 1)), 0);

describe.each(FORMS)("the kernel, transposed %i %i", (tA, tB) => {
  test("sums equal terms", () => {
    start();
    for (const [M, N] of SHAPES as [number, number][]) {
      for (const K of DEPTHS) {
        const ones = filled(N * K, () => 1);
        for (const term of TERMS) {
          const a = filled(M * K, () => term);
          for (const c of [undefined, 0]) {
            const error = distance(product([M, N, K], tA, tB, a, ones, c), K * term);
            expect(error, `${M} x ${N} x ${K} of ${term}`).toBeLessThan(BOUND);
          }
          a.free("dispose");
        }
        ones.free("dispose");
      }
    }
  });

  test("adds a sum of small terms to a large number, not one by one", () => {
    for (const [M, N] of SHAPES as [number, number][]) {
      for (const K of [4, 64, 1000]) {
        const [a, b] = [filled(M * K, () => 2 ** -12), filled(N * K, () => 1)];
        const values = product([M, N, K], tA, tB, a, b, 8192);
        // The last bit of 8192 is 2^-10; blocks of 264 terms are 2^-4.
        expect(Math.abs(values[0]! - 8192 - K * 2 ** -12), `${M} x ${N} x ${K}`).toBeLessThanOrEqual(2 ** -9);
        for (const buffer of [a, b]) buffer.free("dispose");
      }
    }
  });

  test("sums random terms as float64 does", () => {
    const random = numbers(5 + tA + 2 * tB);
    for (const [M, N] of SHAPES as [number, number][]) {
      const K = 9001;
      const [a, b] = [filled(M * K, random), filled(N * K, random)];
      const [A, B] = [a.floats(M * K).slice(), b.floats(N * K).slice()];
      const values = product([M, N, K], tA, tB, a, b);
      for (const [i, j] of [
        [0, 0],
        [M - 1, N - 1],
      ] as const) {
        let want = 0;
        for (let k = 0; k < K; k++) want += A[tA ? k * M + i : i * K + k]! * B[tB ? j * K + k : k * N + j]!;
        expect(distance([values[i * N + j]!], want), `${M} x ${N}, element ${i}, ${j}`).toBeLessThan(5e-7);
      }
      for (const buffer of [a, b]) buffer.free("dispose");
    }
  });
});

const K = 65_536;
const t = TERMS[0]!;

/** Sums of K equal terms 0.1, or what they come to. */
const sums: Record<string, () => [values: Tensor, want: number]> = {
  "a dot product": () => [matmul(full([K], 0.1), ones([K])), K * t],
  "a matrix with a vector": () => [matmul(full([3, K], 0.1), ones([K])), K * t],
  "a vector with a matrix": () => [matmul(ones([K]), full([K, 5], 0.1)), K * t],
  "a batch of products": () => [matmul(full([3, 2, K], 0.1), ones([3, K, 2])), K * t],
  "few rows": () => [matmul(ones([8, K]), full([K, 16], 0.1)), K * t],
  sum: () => [full([K], 0.1).sum(), K * t],
  "sum of columns": () => [full([K, 5], 0.1).sum({ dim: 0 }), K * t],
  mean: () => [full([K, 3], 0.1).mean({ dim: 0 }), t],
  mseLoss: () => [mseLoss(full([K], 0.1), zeros([K]), { reduction: "sum" }), K * t * t],
  logSumExp: () => [
    logSumExp(tensor(Float32Array.from({ length: K }, (_, i) => (i === 5 ? 0 : -1)))),
    Math.log1p((K - 1) / Math.E),
  ],
  softmax: () => [softmax(full([2, K], 0.1)), 1 / K],
  variance: () => [
    variance(matmul(full([K, 1], 0.1), tensor([[1, -1]])).reshape([2 * K]), { correction: 0 }),
    t * t,
  ],
  cosineEmbeddingLoss: () => [cosineEmbeddingLoss(full([1, K], 0.1), ones([1, K]), tensor([-1])), 1],
};

describe(`${K} terms`, () => {
  test.each(Object.entries(sums))("%s", (_, run) => {
    scope(() => {
      const [values, want] = run();
      expect(distance(values.data, want)).toBeLessThan(BOUND);
    });
  });
});

/** Losses whose gradient by the first of the leaves is a sum of K equal terms 0.1. */
const gradients: Record<string, { leaf: number[]; run: (w: Tensor) => Tensor; want?: number }> = {
  "linear, of its weight": { leaf: [8, 16], run: (w) => linear(full([K, 16], 0.1), w).sum() },
  "linear with relu, of its weight": {
    leaf: [3, 20],
    run: (w) => linear(full([K, 20], 0.1), w, ones([3]), { activation: "relu" }).sum(),
  },
  "linear, of one output's weight": { leaf: [1, 9], run: (w) => linear(full([K, 9], 0.1), w).sum() },
  "linear, of one input's weight": { leaf: [9, 1], run: (w) => linear(full([K, 1], 0.1), w).sum() },
  "linear, of its bias": {
    leaf: [5],
    run: (b) =>
      linear(zeros([K, 2]), zeros([5, 2]), b)
        .sum()
        .mul(0.1),
  },
  "linear, of its input": { leaf: [2, 3], run: (x) => linear(x, full([K, 3], 0.1)).sum() },
  "matmul, of a matrix for a batch": { leaf: [4, 3], run: (b) => matmul(full([K, 1, 4], 0.1), b).sum() },
  "matmul, of a batch of one": { leaf: [1, 4, 3], run: (b) => matmul(full([K, 1, 4], 0.1), b).sum() },
  "matmul, of a matrix in front of a batch": {
    leaf: [3, 2],
    run: (a) => matmul(a, full([K / 64, 2, 64], 0.1)).sum(),
  },
  "matmul, of a matrix for a transposed batch": {
    leaf: [2, 3],
    run: (b) => matmul(full([K / 64, 2, 64], 0.1), b, { transposeA: true }).sum(),
  },
  "mul, of what is broadcast": { leaf: [3], run: (w) => mul(full([K, 3], 0.1), w).sum() },
  "prelu, of its slope": {
    leaf: [1],
    run: (w) =>
      prelu(full([K], -0.1), w)
        .sum()
        .neg(),
  },
  "embedding, of a row": {
    leaf: [2, 5],
    run: (w) =>
      embedding(tensor(Int32Array.from({ length: 2 * K }, (_, i) => i % 2)), w)
        .sum()
        .mul(0.1),
  },
  "gather, of an element": {
    leaf: [1, 2],
    run: (x) =>
      gather(
        x,
        tensor(
          new Int32Array(2 * K).map((_, i) => i % 2),
          { shape: [1, 2 * K] },
        ),
        { dim: 1 },
      )
        .sum()
        .mul(0.1),
  },
  "layerNorm, of its weight": {
    leaf: [2],
    run: (w) =>
      layerNorm(
        tensor(
          Float32Array.from({ length: 2 * K }, (_, i) => i % 2),
          { shape: [K, 2] },
        ),
        { normalizedShape: [2], weight: w, eps: 0 },
      )
        .mul(tensor([-0.1, 0.1]))
        .sum(),
  },
};

describe(`gradients of ${K} terms`, () => {
  test.each(Object.entries(gradients))("%s", (_, { leaf, run }) => {
    scope(() => {
      const w = parameter(ones(leaf));
      run(w).backward();
      expect(distance(w.grad!.data, K * t)).toBeLessThan(BOUND);
      const eager = w.grad!.data.slice();
      const optimizer = new SGD([w], { lr: 0 });
      using pass = compile(() => {
        optimizer.zeroGrad();
        const loss = run(w);
        loss.backward();
        return loss;
      });
      for (let i = 0; i < 2; i++) scope(() => pass());
      expect(w.grad!.data).toEqual(eager);
    });
  });
});

test("clipGradNorm", () => {
  scope(() => {
    const w = parameter(zeros([K]));
    w.mul(0.1).sum().backward();
    const norm = clipGradNorm([w], 1e9);
    expect(distance(norm.data, Math.sqrt(K) * t)).toBeLessThan(1e-7);
  });
});

test("a million terms", () => {
  scope(() => {
    const million = 1 << 20;
    const x = full([million, 8], 0.1);
    const w = parameter(zeros([8, 8]));
    linear(x, w).sum().backward();
    const all = [w.grad!, matmul(ones([8, million]), x), matmul(ones([million]), x)];
    all.push(matmul(x, ones([million]), { transposeA: true }), matmul(full([million], 0.1), ones([million])));
    for (const values of all) expect(distance(values.data, million * t)).toBeLessThan(MILLION);
  });
});
