import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";
import {
  calculateGain,
  ELU,
  Identity,
  kaimingNormal,
  kaimingUniform,
  LeakyReLU,
  LogSoftmax,
  Maxout,
  type Module,
  manualSeed,
  PReLU,
  ReLU,
  RReLU,
  Sigmoid,
  Softmax,
  Softplus,
  scope,
  sum,
  Tanh,
  type Tensor,
  tensor,
  xavierNormal,
  xavierUniform,
} from "../src/index";
import { leaveNothing } from "./held";
import { total } from "./reference";

const own = leaveNothing();

describe("activations as modules", () => {
  const data = [
    [-3, -0.5, 0, 0.5],
    [3, 30, -30, 1],
  ];
  const pairs: [name: string, module: () => Module, fn: (x: Tensor) => Tensor][] = [
    ["Identity", () => new Identity(), nablas.identity],
    ["Sigmoid", () => new Sigmoid(), nablas.sigmoid],
    ["Tanh", () => new Tanh(), nablas.tanh],
    ["ReLU", () => new ReLU(), nablas.relu],
    ["LeakyReLU", () => new LeakyReLU(), nablas.leakyRelu],
    [
      "LeakyReLU",
      () => new LeakyReLU({ negativeSlope: 0.3 }),
      (x) => nablas.leakyRelu(x, { negativeSlope: 0.3 }),
    ],
    ["ELU", () => new ELU({ alpha: 2 }), (x) => nablas.elu(x, { alpha: 2 })],
    [
      "Softplus",
      () => new Softplus({ beta: 3, threshold: 2 }),
      (x) => nablas.softplus(x, { beta: 3, threshold: 2 }),
    ],
    ["CELU", () => new nablas.CELU({ alpha: 2 }), (x) => nablas.celu(x, { alpha: 2 })],
    ["SELU", () => new nablas.SELU(), nablas.selu],
    ["GELU", () => new nablas.GELU(), nablas.gelu],
    ["GELU", () => new nablas.GELU({ approximate: "tanh" }), (x) => nablas.gelu(x, { approximate: "tanh" })],
    ["SiLU", () => new nablas.SiLU(), nablas.silu],
    ["Mish", () => new nablas.Mish(), nablas.mish],
    ["LogSigmoid", () => new nablas.LogSigmoid(), nablas.logSigmoid],
    ["Softsign", () => new nablas.Softsign(), nablas.softsign],
    ["Hardtanh", () => new nablas.Hardtanh({ minVal: 0 }), (x) => nablas.hardtanh(x, { minVal: 0 })],
    ["Hardsigmoid", () => new nablas.Hardsigmoid(), nablas.hardsigmoid],
    ["Hardswish", () => new nablas.Hardswish(), nablas.hardswish],
    ["ReLU6", () => new nablas.ReLU6(), nablas.relu6],
    ["Softmax", () => new Softmax(), nablas.softmax],
    ["Softmax", () => new Softmax({ dim: 0 }), (x) => nablas.softmax(x, { dim: 0 })],
    ["LogSoftmax", () => new LogSoftmax({ dim: 0 }), (x) => nablas.logSoftmax(x, { dim: 0 })],
    ["Maxout", () => new Maxout({ k: 2 }), (x) => nablas.maxout(x, { k: 2 })],
    ["RReLU", () => new RReLU().eval(), (x) => nablas.leakyRelu(x, { negativeSlope: (1 / 8 + 1 / 3) / 2 })],
    ["PReLU", () => new PReLU({ init: 0.5 }), (x) => nablas.leakyRelu(x, { negativeSlope: 0.5 })],
  ];
  test.each(pairs)("%s gives what its function gives, and the gradient", (name, module, fn) => {
    const model = own(module());
    expect(String(model)).toBe(name);
    scope(() => {
      const [x, z] = [tensor(data, { requiresGrad: true }), tensor(data, { requiresGrad: true })];
      const [y, expected] = [model.forward(x), fn(z)];
      expect(y.toArray()).toEqual(expected.toArray());
      const upstream = tensor(
        Float32Array.from({ length: y.size }, (_, i) => i - 2),
        { shape: y.shape },
      );
      y.backward({ gradient: upstream });
      expected.backward({ gradient: upstream });
      expect(x.grad!.toArray()).toEqual(z.grad!.toArray());
      for (const t of [x, z]) t.dispose();
    });
  });

  test("PReLU learns a slope for each channel", () => {
    const model = own(new PReLU({ numParameters: 3 }));
    expect(model.weight.toArray()).toEqual([0.25, 0.25, 0.25]);
    scope(() => {
      const x = tensor([
        [-1, -2, 3],
        [-4, 5, -6],
      ]);
      expect(model.forward(x).toArray()).toEqual([
        [-0.25, -0.5, 3],
        [-1, 5, -1.5],
      ]);
      sum(model.forward(x)).backward();
    });
    expect(model.weight.grad!.toArray()).toEqual([-5, -2, -6]);
  });

  test("RReLU draws slopes in training and fixes them in evaluation", () => {
    const model = own(new RReLU({ lower: 0.1, upper: 0.4 }));
    scope(() => {
      const x = tensor(new Float32Array(1000).fill(-1), { requiresGrad: true });
      const y = model.forward(x);
      const slopes = Array.from(y.data, (v) => -v);
      sum(y).backward();
      expect(Math.min(...slopes)).toBeGreaterThanOrEqual(Math.fround(0.1));
      expect(Math.max(...slopes)).toBeLessThan(0.4);
      expect(slopes.reduce((a, b) => a + b) / 1000).toBeCloseTo(0.25, 1);
      expect(new Set(slopes).size).toBeGreaterThan(900);
      expect(Array.from(x.grad!.data)).toEqual(slopes);
      expect(Array.from(model.forward(x).data, (v) => -v)).not.toEqual(slopes);
      model.eval();
      expect(new Set(model.forward(x).data)).toEqual(new Set([Math.fround(-0.25)]));
      x.dispose();
    });
  });
});

describe("initialisers", () => {
  const shape = [60, 40];
  const deviation = (t: Tensor) => Math.sqrt(total(Array.from(t.data, (v) => v * v)) / t.size);
  const rows: [name: string, make: () => Tensor, std: number][] = [
    ["xavierUniform", () => xavierUniform(shape), Math.sqrt(2 / 100)],
    ["xavierNormal with a gain", () => xavierNormal(shape, { gain: 3 }), 3 * Math.sqrt(2 / 100)],
    ["kaimingUniform", () => kaimingUniform(shape), Math.sqrt(2 / 40)],
    ["kaimingNormal, fanOut", () => kaimingNormal(shape, { mode: "fanOut" }), Math.sqrt(2 / 60)],
    ["kaimingNormal, tanh", () => kaimingNormal(shape, { nonlinearity: "tanh" }), 5 / 3 / Math.sqrt(40)],
    ["kaimingUniform, slope", () => kaimingUniform(shape, { negativeSlope: 1 }), Math.sqrt(1 / 40)],
    ["kaimingNormal of a field", () => kaimingNormal([30, 8, 10]), Math.sqrt(2 / 80)],
  ];
  test.each(rows)("%s has the standard deviation of its formula", (_name, make, std) => {
    manualSeed(1);
    const t = own(make());
    // 2400 numbers: the deviation is known within 1.5 %, three sigma are 4.5 %.
    expect(deviation(t) / std).toBeGreaterThan(0.955);
    expect(deviation(t) / std).toBeLessThan(1.045);
  });

  test("uniform ones stay within √3 deviations", () => {
    const most = Math.max(...Array.from(own(xavierUniform(shape)).data, Math.abs));
    expect(most).toBeLessThanOrEqual(Math.sqrt(6 / 100));
    expect(most).toBeGreaterThan(0.98 * Math.sqrt(6 / 100));
  });

  test("gains are PyTorch's", () => {
    expect(calculateGain("linear")).toBe(1);
    expect(calculateGain("sigmoid")).toBe(1);
    expect(calculateGain("tanh")).toBe(5 / 3);
    expect(calculateGain("relu")).toBe(Math.SQRT2);
    expect(calculateGain("leakyRelu")).toBeCloseTo(Math.sqrt(2 / 1.0001), 12);
    expect(calculateGain("leakyRelu", 1)).toBe(1);
    expect(calculateGain("selu")).toBe(0.75);
  });
});
