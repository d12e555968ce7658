import type { Nd } from "../reference";
import * as ref from "../reference";
import { activation, between, lineVariants, on, op, type Rows, softplus } from "./row";

export const rows: Rows = {
  identity: activation({ reference: (x) => x, domain: [-9, 9], ulp: 0 }),
  sigmoid: activation({ reference: (x) => 1 / (1 + Math.exp(-x)), domain: [-30, 30], ulp: 2.5 }),
  tanh: activation({ reference: Math.tanh, domain: [-9, 9], ulp: 2.5 }),
  relu: activation({ reference: (x) => Math.max(x, 0), domain: [-9, 9], ulp: 0, kinks: [0] }),
  leakyRelu: activation<{ negativeSlope?: number }>({
    reference: (x, { negativeSlope = 0.01 }) => (x > 0 ? x : Math.fround(negativeSlope) * x),
    options: [{ negativeSlope: 0.3 }, { negativeSlope: -0.5 }],
    domain: [-9, 9],
    ulp: 0.5,
    kinks: [0],
  }),
  elu: activation<{ alpha?: number }>({
    reference: (x, { alpha = 1 }) => (x > 0 ? x : alpha * Math.expm1(x)),
    options: [{ alpha: 0.5 }],
    domain: [-20, 9],
    ulp: 2.5,
    kinks: [0],
  }),
  selu: activation({
    reference: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
    domain: [-20, 9],
    ulp: 3,
    kinks: [0],
  }),
  logSigmoid: activation({ reference: (x) => -softplus(-x), domain: [-30, 30], ulp: 2.5 }),
  softsign: activation({
    reference: (x) => x / (1 + Math.abs(x)),
    domain: [-9, 9],
    ulp: 1.5,
    limits: { Infinity: 1, "-Infinity": -1 },
  }),
  hardtanh: activation<{ minVal?: number; maxVal?: number }>({
    reference: (x, { minVal = -1, maxVal = 1 }) => Math.min(Math.max(x, minVal), maxVal),
    options: [{ minVal: -2.5, maxVal: 0.5 }, { maxVal: Infinity }],
    domain: [-3, 3],
    ulp: 0,
    kinks: [-2.5, -1, 0.5, 1],
  }),
  relu6: activation({
    reference: (x) => Math.min(Math.max(x, 0), 6),
    domain: [-9, 9],
    ulp: 0,
    kinks: [0, 6],
  }),
  hardsigmoid: activation({
    reference: (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
    domain: [-5, 5],
    ulp: 1.5,
    kinks: [-3, 3],
  }),
  prelu: op({
    inputs: [between(-9, 9, 0), between(0.1, 0.5)],
    variants: [on([7], [1]), on([7], []), on([7], [7]), on([4, 3], [3]), on([2, 3, 5], [3])],
    reference: (x: Nd, slope: Nd) => {
      const channel = (index: number[]) =>
        slope.data.length === 1 ? [0] : [index[x.shape.length > 1 ? 1 : 0]!];
      return ref.build(x.shape, (index) => {
        const [v, s] = [ref.at(x, index), ref.at(slope, channel(index))];
        return v > 0 ? v : s * v;
      });
    },
    forward: { ulp: 0.5 },
  }),
  maxout: op({
    variants: [on([6]).with({ k: 3 }), on([5, 8]).with({ k: 2 }), on([2, 3, 5]).with({ k: 1 })],
    reference: (x: Nd, { k }: { k: number }) =>
      ref.reduction((v) => Math.max(...v))(ref.reshape(x, [...x.shape.slice(0, -1), -1, k]), { dim: -1 }),
    forward: { ulp: 0 },
  }),
  hardmax: op({
    variants: lineVariants,
    reference: ref.along((line) => line.map((_, i) => Number(i === ref.firstMaximum(line)))),
    forward: { ulp: 0 },
    backward: null,
  }),
};
