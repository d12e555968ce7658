import * as Plot from "@observablehq/plot";
import {
  kaimingNormal,
  leakyRelu,
  linear,
  manualSeed,
  mul,
  parameter,
  randn,
  relu,
  type Shape,
  scope,
  sigmoid,
  sum,
  type Tensor,
  tanh,
  xavierNormal,
} from "nablas";
import { chart } from "./chart";
import { claim, type Experiment, mean, norm, range, show } from "./experiment";

const WIDTH = 128;
const ROWS = 32;
const ACTIVATIONS: Record<string, (x: Tensor) => Tensor> = { sigmoid, tanh, relu, leakyRelu };
const STARTS: Record<string, (shape: Shape) => Tensor> = {
  "Xavier: σ² = 1 / n": xavierNormal,
  "Kaiming: σ² = 2 / n": kaimingNormal,
};

/** The norm of the gradient by the first layer's weights, when a random gradient comes to the output. */
function gradientNorm(depth: number, activation: (x: Tensor) => Tensor, start: (shape: Shape) => Tensor) {
  return scope(() => {
    const weights = range(depth).map(() => parameter(start([WIDTH, WIDTH])));
    let h: Tensor = randn([ROWS, WIDTH]);
    for (const weight of weights) h = activation(linear(h, weight));
    sum(mul(h, randn([ROWS, WIDTH]))).backward();
    return norm(weights[0]!.grad!.data);
  });
}

export const depth: Experiment = {
  name: "02-depth",
  title: "Gradients by depth",
  asks: `How much of a gradient arrives at the first layer of a network of 2 to 50 layers, before any training? Each layer has
${WIDTH} units; a random gradient comes to the output. The figures are geometric means over several networks, relative to two layers.`,
  formula: `Going back through a layer multiplies the gradient by diag(f′(z)) W. Its squared size changes by about n · Var(w) · E[f′(z)²].
For σ that is at most n · Var(w) / 16; for relu, which lets half of the units pass, n · Var(w) / 2. Xavier's start makes
n · Var(w) = 1, right for tanh near 0, Kaiming's makes it 2, right for relu.`,
  run({ seed, quick }) {
    manualSeed(seed);
    const depths = quick ? [2, 20, 50] : [2, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50];
    const draws = range(quick ? 2 : 5);
    const curves = Object.entries(STARTS).flatMap(([start, init]) =>
      Object.entries(ACTIVATIONS).map(([activation, f]) => {
        const norms = depths.map((d) => Math.exp(mean(draws.map(() => Math.log(gradientNorm(d, f, init))))));
        return { start, activation, share: norms.map((value) => value / norms[0]!) };
      }),
    );
    const last = (activation: string, start: number) =>
      curves
        .find((c) => c.activation === activation && c.start === Object.keys(STARTS)[start])!
        .share.at(-1)!;
    for (const start of [0, 1]) claim(last("sigmoid", start) < 1e-15, "with sigmoid the gradient vanishes");
    for (const unit of ["relu", "leakyRelu"]) {
      claim(last(unit, 0) < 1e-5, `with ${unit} and Xavier's start the gradient fades`);
      claim(last(unit, 1) > 0.03 && last(unit, 1) < 30, `with ${unit} and Kaiming's start it keeps its size`);
    }
    claim(last("tanh", 0) > 0.03 && last("tanh", 0) < 30, "with tanh and Xavier's start it keeps its size");
    claim(last("tanh", 1) > 3, "with tanh and Kaiming's start it grows with the depth");
    const shown = [10, 20, 50].filter((d) => depths.includes(d));
    return {
      table: {
        head: ["activation", "start", ...shown.map((d) => `${d} layers`)],
        rows: curves.map(({ activation, start, share }) => [
          activation,
          start,
          ...shown.map((d) => show(share[depths.indexOf(d)]!, 2)),
        ]),
      },
      alt: "The gradient of the first layer by the number of layers, for four activations and two starts",
      chart: () =>
        chart({
          series: Object.keys(ACTIVATIONS),
          x: { label: "layers", domain: [0, 50] },
          y: {
            type: "log",
            label: "gradient norm, relative to two layers",
            grid: true,
            ticks: 8,
            tickFormat: "~e",
          },
          fx: { label: null, domain: Object.keys(STARTS) },
          marks: [
            Plot.line(
              curves.flatMap(({ start, activation, share }) =>
                share.map((value, i) => ({ start, activation, value, depth: depths[i]! })),
              ),
              { x: "depth", y: "value", fx: "start", stroke: "activation", marker: "circle" },
            ),
          ],
        }),
      sees: `On the logarithmic axis each curve is a line: a gradient is multiplied by about the same factor in each layer. With sigmoid
the factor is near 1/4 or 1/3, and in 50 layers the first has ${show(last("sigmoid", 0), 1)} of the gradient; no start helps. With
relu and Xavier's start it is 1/√2, with Kaiming's 1. For tanh it is the other way round: with Xavier's start ${show(last("tanh", 0), 1)} of the
gradient is left after 50 layers, since tanh′ is a little below 1, and Kaiming's makes it grow ${show(last("tanh", 1), 2)}-fold.`,
    };
  },
  advice: `relu and its kin with \`kaimingNormal\` or \`kaimingUniform\`, tanh with \`xavierNormal\` or \`xavierUniform\`, and no sigmoid in
hidden layers: \`new Linear(64, 64, { init: kaimingUniform })\`. In very deep networks add \`BatchNorm1d\` or \`LayerNorm\`, and against
rare large gradients \`clipGradNorm\`.`,
};
