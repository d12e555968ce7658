import {
  kaimingNormal,
  LeakyReLU,
  Linear,
  type Module,
  manualSeed,
  mul,
  ReLU,
  randn,
  Sequential,
  type Shape,
  Sigmoid,
  scope,
  sum,
  Tanh,
  type Tensor,
  xavierNormal,
} from "nablas";
import { chart, curves } from "./chart";
import { claim, type Experiment, mean, norm, range, show, suffers } from "./experiment";

const WIDTH = 128;
const ROWS = 32;
const DEEP = 50;

interface Activation {
  layer(): Module & { forward(x: Tensor): Tensor };
  f(z: number): number;
  slope(z: number): number;
}

const logistic = (z: number) => 1 / (1 + Math.exp(-z));
const ACTIVATIONS: Record<string, Activation> = {
  sigmoid: { layer: () => new Sigmoid(), f: logistic, slope: (z) => logistic(z) * (1 - logistic(z)) },
  tanh: { layer: () => new Tanh(), f: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2 },
  relu: { layer: () => new ReLU(), f: (z) => Math.max(z, 0), slope: (z) => Number(z > 0) },
  leakyRelu: {
    layer: () => new LeakyReLU(),
    f: (z) => Math.max(z, 0.01 * z),
    slope: (z) => (z > 0 ? 1 : 0.01),
  },
};
/** With as many outputs as inputs, n · Var(w) is 1 and 2. */
const STARTS: Record<string, { init: (shape: Shape) => Tensor; gain: number }> = {
  "Xavier: Var(w) = 1/n": { init: xavierNormal, gain: 1 },
  "Kaiming: Var(w) = 2/n": { init: kaimingNormal, gain: 2 },
};
type Start = (typeof STARTS)[string];

function network(depth: number, { layer }: Activation, { init }: Start): Sequential {
  return new Sequential(
    ...range(depth).flatMap(() => [new Linear(WIDTH, WIDTH, { init, bias: false }), layer()]),
  );
}

/** The norm of the gradient by the first layer's weights, when a random gradient comes to the output. */
function gradientNorm(depth: number, activation: Activation, start: Start): number {
  return scope(() => {
    const model = network(depth, activation, start);
    sum(mul(model.forward(randn([ROWS, WIDTH])), randn([ROWS, WIDTH]))).backward();
    return norm(model.parameters()[0]!.grad!.data);
  });
}

/** E[g(z)] for z ~ N(0, q), as a sum over 400 slices of the normal distribution. */
function expectation(g: (z: number) => number, q: number): number {
  const places = range(400).map((i) => (i - 199.5) / 25);
  const weights = places.map((t) => Math.exp((-t * t) / 2));
  const total = weights.reduce((a, b) => a + b);
  return places.reduce((value, t, i) => value + (g(Math.sqrt(q) * t) * weights[i]!) / total, 0);
}

/** What the formula makes of the gradient between two layers and `depth`: q follows the variance of z forwards. */
function predicted(depth: number, { f, slope }: Activation, { gain }: Start): number {
  let [q, share] = [gain, 1];
  for (let layer = 1; layer <= depth; layer++) {
    if (layer > 2) share *= Math.sqrt(gain * expectation((z) => slope(z) ** 2, q));
    q = gain * expectation((z) => f(z) ** 2, q);
  }
  return share;
}

/** Whether diagnose sees the gradient vanish in 50 layers. */
function vanishes(activation: string, start: number): boolean {
  return scope(() => {
    const model = network(DEEP, ACTIVATIONS[activation]!, Object.values(STARTS)[start]!);
    const data = [randn([ROWS, WIDTH]), randn([ROWS, WIDTH])] as const;
    return suffers("vanishing-gradient", model, (a, y) => sum(mul(a, y)), data);
  });
}

export const depth: Experiment = {
  name: "02-depth",
  title: "Gradients by depth",
  asks: `Experiment 1 loses one factor σ′. A deep network has one in every layer. How much of a gradient arrives at the first layer of a
network of 2 to ${DEEP} layers, before any training? Each layer has n = ${WIDTH} units; a random gradient comes to the output. The
figures are geometric means over several networks, relative to two layers.`,
  formula: `Each layer forms z = W a of the outputs a of the one before. Going back through a layer multiplies the gradient by f′(z),
unit by unit, and by Wᵀ. Its squared size changes by about n · Var(w) · E[f′(z)²]. For σ that is at most n · Var(w) / 16, as σ′ ≤ 1/4;
for relu, which lets half of the units pass, n · Var(w) / 2. Xavier's start (Glorot and Bengio 2010) makes n · Var(w) = 1, right where
f′ = 1, as tanh near 0; Kaiming's (He et al. 2015) makes it 2, right for relu.`,
  run({ seed, quick }) {
    manualSeed(seed);
    const depths = quick ? [2, 26, DEEP] : [2, 5, 10, 15, 20, 26, 30, 35, 40, 45, DEEP];
    const draws = range(quick ? 2 : 5);
    const rows = Object.entries(STARTS).flatMap(([start, init]) =>
      Object.entries(ACTIVATIONS).map(([activation, f]) => {
        const norms = depths.map((d) => Math.exp(mean(draws.map(() => Math.log(gradientNorm(d, f, init))))));
        const share = norms.map((value) => value / norms[0]!);
        const factor = share.at(-1)! ** (1 / (DEEP - 2));
        return { start, activation, share, factor, formula: predicted(DEEP, f, init) ** (1 / (DEEP - 2)) };
      }),
    );
    const at = (activation: string, start: number) =>
      rows.find((row) => row.activation === activation && row.start === Object.keys(STARTS)[start])!;
    const last = (activation: string, start: number) => at(activation, start).share.at(-1)!;
    assertClaims(rows, depths.indexOf(26), last);
    const shown = [10, 20, DEEP].filter((d) => depths.includes(d));
    return {
      table: {
        head: [
          "activation",
          "start",
          ...shown.map((d) => `${d} layers`),
          "factor per layer",
          "by the formula",
        ],
        rows: rows.map(({ activation, start, share, factor, formula }) => [
          activation,
          start,
          ...shown.map((d) => show(share[depths.indexOf(d)]!, 2)),
          show(factor),
          show(formula),
        ]),
      },
      alt: "The gradient of the first layer by the number of layers, for four activations and two starts",
      chart: () => draw(rows, depths),
      sees: `On the logarithmic axis the curves are nearly lines: a gradient is multiplied by about the same factor in each layer, and the
formula gives that factor to 2 %. With sigmoid it is ${show(at("sigmoid", 0).factor, 2)} or ${show(at("sigmoid", 1).factor, 2)}, and of 50 layers the first has ${show(last("sigmoid", 0), 1)} of the gradient,
or ${show(last("sigmoid", 1), 1)}: neither start helps. With relu and Xavier's start the factor is 1/√2, with Kaiming's 1. For tanh it is the other
way round: with Xavier's start ${show(last("tanh", 0), 1)} of the gradient is left after 50 layers, since tanh′ is a little below 1, and Kaiming's makes it
*explode*, if slowly: ${show(last("tanh", 1), 2)}-fold in 50 layers, ${show(at("tanh", 1).factor)} in each. leakyRelu, whose slope of 0.01 hardly counts in the mean square, is like relu. \`diagnose\` reports
\`vanishing-gradient\` for sigmoid with 50 layers, and for relu with Xavier's start; it is silent for relu with Kaiming's.`,
    };
  },
  advice: `relu and its kin with \`kaimingNormal\` or \`kaimingUniform\`, tanh with \`xavierNormal\` or \`xavierUniform\`, and no sigmoid in
hidden layers: \`new Linear(64, 64, { init: kaimingUniform })\`. In very deep networks add \`BatchNorm1d\` or \`LayerNorm\`, and against
rare large gradients \`clipGradNorm\`.`,
};

interface Row {
  start: string;
  activation: string;
  share: number[];
  factor: number;
  formula: number;
}

function assertClaims(rows: Row[], half: number, last: (activation: string, start: number) => number): void {
  for (const { activation, start, share, factor, formula } of rows) {
    claim(Math.abs(factor / formula - 1) < 0.02, `${activation}, ${start}: the formula gives the factor`);
    const [first, second] = [share[half]! ** (1 / 24), (share.at(-1)! / share[half]!) ** (1 / 24)];
    claim(Math.abs(first / second - 1) < 0.06, `${activation}, ${start}: the curve is nearly a line`);
  }
  for (const start of [0, 1]) claim(last("sigmoid", start) < 1e-15, "with sigmoid the gradient vanishes");
  for (const unit of ["relu", "leakyRelu"]) {
    claim(last(unit, 0) < 1e-5, `with ${unit} and Xavier's start the gradient fades`);
    claim(last(unit, 1) > 0.2 && last(unit, 1) < 5, `with ${unit} and Kaiming's start it keeps its size`);
  }
  claim(last("tanh", 0) > 0.05 && last("tanh", 0) < 1, "with tanh and Xavier's start it shrinks a little");
  claim(last("tanh", 1) > 3, "with tanh and Kaiming's start it grows with the depth");
  const seen = [vanishes("sigmoid", 0), vanishes("sigmoid", 1), vanishes("relu", 0), !vanishes("relu", 1)];
  claim(seen.every(Boolean), "diagnose tells which gradients vanish");
}

function draw(rows: Row[], depths: number[]): string {
  const superscript = (value: number) => show(value, 1).replace("1 · ", "");
  return chart({
    series: Object.keys(ACTIVATIONS),
    points: true,
    x: { label: "layers", domain: [0, DEEP] },
    y: {
      type: "log",
      label: "gradient norm, relative to two layers",
      grid: true,
      ticks: range(7).map((i) => 10 ** (-5 * i)),
      tickFormat: superscript,
    },
    fx: { label: null, domain: Object.keys(STARTS) },
    marks: curves(
      rows.flatMap(({ start, activation, share }) =>
        share.map((value, i) => ({ start, activation, value, depth: depths[i]! })),
      ),
      { x: "depth", y: "value", by: "activation", fx: "start" },
    ),
  });
}
