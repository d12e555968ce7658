// NaN, infinities, −0, the smallest and the largest numbers in every place of every op that is not elementwise, whose own are
// in forward.test.ts, and the gradients of all: what comes out, what does not change, and what does not become NaN.
import { expect, test } from "vitest";
import { matmul, NablasError, scope, tensor } from "../../src/index";
import { type Case, cases, draw, numbers, tensors, title, type Variant } from "../cases";
import { mismatch, type Nd, nd, sizeOf } from "../reference";

const MAX = (2 - 2 ** -23) * 2 ** 127;
const LEAST = 2 ** -149;
const infinite = (x: number) => Math.abs(x) === Infinity;

/** Values that are not those of the float64 reference, and why. */
const OTHER: Record<string, { at: (x: number) => boolean; because: string }> = {
  "crossEntropyLoss with distributions": {
    at: (x) => x === MAX,
    because:
      "with a gradient for the targets it is composed: float32 sums of rows overflow before their mean",
  },
  nllLoss: { at: (x) => !Number.isFinite(x), because: "what is not at a target is not read" },
  "nllLoss with every row ignored": { at: (x) => !Number.isFinite(x), because: "nothing is read" },
  poissonNllLoss: { at: infinite, because: "the limit, where the formula is ∞ − ∞ or 0 · ∞" },
};

const listed = (reason: string, names: string) => names.split(", ").map((name) => [name, reason] as const);

/** Why a gradient is a number where its own input is NaN. */
const GRADIENT_AT_NAN: Record<string, string> = Object.fromEntries([
  ...listed(
    "the derivative is made of other inputs, or of none",
    "identity, neg, add, sub, mul, div, reshape, transpose, slice, concat, stack, clone, gather, embedding, sum, mean, dropout, " +
      "matmul, linear, batchNorm, batchNorm in evaluation, layerNorm, klDivLoss, nllLoss, crossEntropyLoss with distributions",
  ),
  ...listed(
    "comparisons choose between derivatives, and are false for NaN",
    "relu, leakyRelu, hardtanh, relu6, hardsigmoid, prelu, rrelu, abs, clip, maximum, minimum, maxout, max, min, l1Loss, mapeLoss, " +
      "hingeLoss, multiMarginLoss, categoricalHingeLoss",
  ),
]);

/** Where results that are numbers have gradients that are none, though no input is NaN. */
const NO_GRADIENT: Record<string, { at: (x: number) => boolean; because: string }> = {
  div: { at: (x) => Math.abs(x) <= LEAST, because: "of a divisor that is broadcast: ∞ − ∞" },
  pow: { at: () => true, because: "∞ · 0 where b is infinite, and by b where a < 0: the logarithm" },
  linear: { at: infinite, because: "0 · ∞ behind a relu" },
  batchNorm: { at: infinite, because: "of a weight: ∞ − ∞ in the sums over the channel" },
  "batchNorm in evaluation": { at: infinite, because: "of a running mean: ∞ − ∞ in the sum for the weight" },
  layerNorm: { at: infinite, because: "of a weight: ∞ − ∞ in the sums over the row" },
};

const SPECIAL = [Number.NaN, Infinity, -Infinity, -0, LEAST, -LEAST, MAX, -MAX];

/** Larger ones have nothing that these have not. */
const ENOUGH = 40;

interface Results {
  y: number[];
  /** Of each input, for an incoming gradient that is not even; null where there is none. */
  gradients: (number[] | null)[];
}

function run(c: Case, data: readonly Nd[], variant: Variant): Results {
  return scope(() => {
    const inputs = tensors(c, data, { requiresGrad: true });
    const y = c.run(inputs, variant);
    if (c.backward === null || !y.requiresGrad) return { y: [...y.data], gradients: [] };
    const random = numbers(1);
    const dy = Float32Array.from(y.data, () => 3 * random() - 1.5);
    const values = [...y.data];
    y.backward({ gradient: tensor(dy, { shape: y.shape }) });
    return { y: values, gradients: inputs.map(({ grad }) => (grad === null ? null : [...grad.data])) };
  });
}

/** The same, or undefined for what the op refuses. */
function unlessRefused(c: Case, data: readonly Nd[], variant: Variant): Results | undefined {
  try {
    return run(c, data, variant);
  } catch (error) {
    if (error instanceof NablasError) return undefined;
    throw error;
  }
}

const changed = (a: ArrayLike<number>, b: ArrayLike<number>, k: number) => !Object.is(a[k], b[k]);

/** A loss without its reduction. */
function unreduced(c: Case, variant: Variant): Variant {
  if (!c.name.includes("Loss")) return variant;
  return { ...variant, args: [{ ...(variant.args[0] as object | undefined), reduction: "none" }] };
}

/** The data with another number in a place of an input. */
function put(data: readonly Nd[], input: number, place: number, value: number): Nd[] {
  return data.map((x, i) => (i === input ? nd(x.shape, x.data.with(place, value)) : x));
}

/** The results that the reference makes of each element of each input: they become NaN with it, or others. */
function reachOf(c: Case, data: readonly Nd[], variant: Variant): number[][][] {
  const base = c.expected(data, variant).data;
  return data.map(({ data: values }, i) =>
    Array.from(values, (_, place) => {
      const others = [Number.NaN, 7, -7].map((x) => c.expected(put(data, i, place, x), variant).data);
      return [...base.keys()].filter((k) => others.some((y) => changed(y, base, k)));
    }),
  );
}

/** Results for ordinary numbers in the place of another. */
function probesOf(c: Case, data: readonly Nd[], variant: Variant, input: number, place: number): Results[] {
  const { draw: next, interval = [] } = c.inputs[input]!;
  const random = numbers(place + 7);
  const values = [...interval, -1000, 1000, ...Array.from({ length: 12 }, () => next(random))];
  const probes = values.map((x) => unlessRefused(c, put(data, input, place, x), variant));
  return probes.filter((results) => results !== undefined);
}

/** Every special number in a few places of each input; what is wrong. */
function faultsOf(c: Case, variant: Variant): Set<string> {
  const faults = new Set<string>();
  const data = draw(c, variant);
  const ordinary = run(c, data, variant);
  const reach = reachOf(c, data, variant);
  const near = reachOf(c, data, unreduced(c, variant));
  for (const [i, { data: values }] of data.entries()) {
    if (c.inputs[i]!.dtype !== "f32") continue;
    const n = values.length;
    for (const place of new Set(n <= 5 ? values.keys() : [0, n >> 1, n - 1])) {
      const results = reach[i]![place]!;
      const probes = probesOf(c, data, variant, i, place);
      // Elements whose gradient has nothing to do with this place.
      const apart = ordinary.gradients.map((gradient, j) =>
        gradient?.map(
          (_, k) =>
            !near[i]![place]!.some((y) => near[j]![k]!.includes(y)) &&
            !probes.some(({ gradients }) => changed(gradients[j]!, gradient, k)),
        ),
      );
      for (const x of SPECIAL) {
        const given = put(data, i, place, x);
        const got = unlessRefused(c, given, variant);
        if (got === undefined) continue;
        const say = (what: string) =>
          faults.add(`${title(variant)}, ${x} in input ${i} at ${place}: ${what}`);
        const wanted = c.expected(given, variant).data;
        for (const [k, y] of got.y.entries()) {
          const wrong = mismatch([y], [Math.fround(wanted[k]!)], c.forward);
          if (!results.includes(k) && changed(got.y, ordinary.y, k)) say(`result ${k} is another`);
          if (!c.elementwise && wrong !== undefined && !OTHER[c.name]?.at(x)) say(`result ${k}: ${wrong}`);
        }
        const numbersAll = results.every((k) => !Number.isNaN(got.y[k]));
        for (const [j, gradient] of got.gradients.entries()) {
          for (const [k, g] of gradient?.entries() ?? []) {
            const own = i === j && k === place;
            if (apart[j]![k] && changed(gradient!, ordinary.gradients[j]!, k))
              say(`gradient ${j} at ${k} is another`);
            if (Number.isNaN(x)) {
              if (own && results.length > 0 && !Number.isNaN(g) && !(c.name in GRADIENT_AT_NAN))
                say(`its gradient is ${g}`);
            } else if (numbersAll && Number.isNaN(g) && !NO_GRADIENT[c.name]?.at(x))
              say(`gradient ${j} at ${k} is NaN`);
          }
        }
      }
    }
  }
  return faults;
}

const table = cases
  .filter((c) => c.inputs.length > 0)
  .map((c) => {
    const variants = c.variants.filter(({ shapes }) => shapes.every((shape) => sizeOf(shape) <= ENOUGH));
    return [c.name, c, variants] as const;
  });

test.each(table)("%s", (_name, c, variants) => {
  const faults = variants.flatMap((variant) => [...faultsOf(c, variant)]);
  expect(faults.slice(0, 4)).toEqual([]);
});

// Each way of assembly/matmul/matmul.ts: a zero in one operand does not hide what the other has.
const products: [M: number, N: number, K: number, transposeA: boolean, transposeB: boolean][] = [
  [1, 1, 3, false, false],
  [1, 9, 70, false, false],
  [1, 9, 70, false, true],
  [9, 1, 70, true, false],
  [9, 1, 70, false, false],
  [5, 9, 70, false, true],
  [5, 1100, 257, false, false],
  [21, 19, 37, false, false],
  [70, 33, 37, true, false],
  [45, 33, 37, false, true],
];

test.each(products)(
  "0 · ∞ is NaN in the row and column of a product [%d, %d, %d] %s %s, and there alone",
  (...row) => {
    const [M, N, K, transposeA, transposeB] = row;
    for (const x of [Infinity, Number.NaN]) {
      for (const inB of [false, true]) {
        scope(() => {
          const [i, j, k] = [M - 1, N - 1, K - 1];
          const a = new Float32Array(M * K).fill(inB ? 0 : 1);
          const b = new Float32Array(K * N).fill(inB ? 1 : 0);
          if (inB) b[transposeB ? j * K + k : k * N + j] = x;
          else a[transposeA ? k * M + i : i * K + k] = x;
          const shapes = [transposeA ? [K, M] : [M, K], transposeB ? [N, K] : [K, N]];
          const [left, right] = [a, b].map((data, side) => tensor(data, { shape: shapes[side]! }));
          const y = matmul(left!, right!, { transposeA, transposeB }).data;
          const wanted = Array.from(y, (_, at) => (inB ? at % N === j : Math.floor(at / N) === i));
          expect(Array.from(y, Number.isNaN)).toEqual(wanted);
        });
      }
    }
  },
);
