import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";
import {
  add,
  calculateGain,
  ELU,
  Identity,
  kaimingNormal,
  kaimingUniform,
  LeakyReLU,
  Linear,
  LogSoftmax,
  linear,
  Maxout,
  Module,
  manualSeed,
  mul,
  OptionError,
  ones,
  PReLU,
  parameter,
  ReLU,
  RReLU,
  randn,
  Sequential,
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
  zeros,
} from "../src/index";
import { held, leaveNothing } from "./held";
import { total } from "./reference";

const own = leaveNothing();

const names = (m: Module) => m.namedParameters().map(([name]) => name);

/** A block with a parameter of its own, an array of modules, and a child that another field shares. */
class Block extends Module {
  readonly scale = parameter(ones([2]));
  readonly first = new Linear(2, 2);
  readonly list = [new Linear(2, 2, { bias: false }), new Sequential(new ReLU(), new Linear(2, 2))];
  readonly again = this.first;
  readonly note = "no module";
  readonly constant = 3;

  forward(x: Tensor): Tensor {
    let y = mul(this.first.forward(x), this.scale);
    for (const m of this.list) y = (m as Linear).forward(y);
    return add(y, this.again.forward(x));
  }
}

describe("Module", () => {
  test("names parameters as PyTorch does", () => {
    const model = own(
      new Sequential(new Linear(3, 4), new ReLU(), new Sequential(new PReLU(), new Linear(4, 2))),
    );
    expect(names(model)).toEqual(["0.weight", "0.bias", "2.0.weight", "2.1.weight", "2.1.bias"]);
    expect(model.parameters().map((p) => p.shape)).toEqual([[4, 3], [4], [1], [2, 4], [2]]);
  });

  test("finds parameters in fields and arrays, and shared ones once", () => {
    const model = own(new Block());
    expect(names(model)).toEqual([
      "scale",
      "first.weight",
      "first.bias",
      "list.0.weight",
      "list.1.1.weight",
      "list.1.1.bias",
    ]);
    expect(new Set(model.parameters()).size).toBe(6);
    expect(model.namedChildren().map(([name]) => name)).toEqual(["first", "list.0", "list.1", "again"]);
  });

  test("gives gradients to all of them, twice to a shared one", () => {
    const model = own(new Block());
    const x = own(tensor([[1, 2]]));
    scope(() => sum(model.forward(x)).backward());
    for (const p of model.parameters()) expect(p.grad?.shape).toEqual(p.shape);
    model.zeroGrad();
    for (const p of model.parameters()) expect(p.grad!.data.every((g) => g === 0)).toBe(true);
  });

  test("lists frozen parameters, which get no gradient", () => {
    const model = own(new Sequential(new Linear(2, 2), new Linear(2, 2)));
    const [frozen] = model.parameters() as [Tensor];
    frozen.requiresGrad = false;
    expect(names(model)).toContain("0.weight");
    const x = own(tensor([[1, 2]]));
    scope(() => sum(model.forward(x)).backward());
    expect(frozen.grad).toBeNull();
    expect(model.parameters()[1]!.grad).not.toBeNull();
  });

  test("takes tensors that require a gradient as parameters, others not", () => {
    class Affine extends Module {
      readonly weight = tensor([2], { requiresGrad: true });
      readonly offset = tensor([1]);
      forward(x: Tensor): Tensor {
        return add(mul(x, this.weight), this.offset);
      }
    }
    const model = own(new Affine());
    own(model.offset);
    expect(names(model)).toEqual(["weight"]);
    model.weight.requiresGrad = false;
    expect(names(model)).toEqual(["weight"]);
  });

  test("switches training for all inside, and gives itself back", () => {
    const model = own(new Block());
    const all = () => [model, model.first, ...model.list, ...(model.list[1] as Sequential).layers];
    expect(all().map((m) => m.training)).toEqual(all().map(() => true));
    expect(model.eval()).toBe(model);
    expect(all().map((m) => m.training)).toEqual(all().map(() => false));
    expect(model.train()).toBe(model);
    expect(all().map((m) => m.training)).toEqual(all().map(() => true));
  });

  test("disposes of all parameters and their gradients", () => {
    const start = held();
    const model = new Block();
    const x = own(tensor([[1, 2]]));
    scope(() => sum(model.forward(x)).backward());
    model.dispose();
    model.dispose();
    x.dispose();
    expect(held()).toEqual(start);
    expect(() => model.forward(x)).toThrow(nablas.DisposedError);
  });

  test("is freed by using", () => {
    const start = held();
    {
      using model = new Block();
      expect(model.parameters()).toHaveLength(6);
    }
    expect(held()).toEqual(start);
  });

  test("shows what it is", () => {
    const model = own(new Sequential(new Linear(64, 32), new ReLU(), new Sequential(new Linear(32, 10))));
    expect(String(model)).toBe("Sequential(Linear(64 → 32), ReLU, Sequential(Linear(32 → 10)))");
    expect(String(own(new Block()))).toBe("Block");
  });

  test("an empty Sequential gives its input back", () => {
    const x = own(tensor([1]));
    expect(new Sequential().forward(x)).toBe(x);
  });
});

describe("Linear", () => {
  test("is linear() with its weight and bias", () => {
    const layer = own(new Linear(3, 2));
    const x = own(
      tensor([
        [1, 2, 3],
        [-1, 0, 1],
      ]),
    );
    scope(() => {
      expect(layer.forward(x).toArray()).toEqual(linear(x, layer.weight, layer.bias!).toArray());
      expect(layer.forward(x.reshape([1, 2, 3])).shape).toEqual([1, 2, 2]);
      expect(layer.forward(tensor([1, 2, 3])).shape).toEqual([2]);
    });
  });

  test.each([
    ["relu", ReLU],
    ["sigmoid", Sigmoid],
    ["tanh", Tanh],
  ] as const)("with %s has the bits of the layer that follows", (activation, Activation) => {
    for (const [rows, width, out, bias] of [
      [1, 1, 1, true],
      [5, 7, 3, true],
      [33, 64, 32, true],
      [4, 6, 10, false],
    ] as const) {
      manualSeed(5);
      const fused = own(new Linear(width, out, { activation, bias }));
      const plain = own(new Sequential(new Linear(width, out, { bias }), new Activation()));
      plain.loadStateDict(
        Object.fromEntries(Object.entries(fused.stateDict()).map(([k, t]) => [`0.${k}`, t])),
      );
      const [values, upstream] = [own(randn([rows, width])), own(randn([rows, out]))];
      const passes = [fused, plain].map((model) => {
        const x = own(values.clone());
        x.requiresGrad = true;
        const y = model.forward(x);
        const result = [y.toArray()];
        y.backward({ gradient: upstream });
        result.push(...[x, ...model.parameters()].map((t) => t.grad!.toArray()));
        y.dispose();
        return result;
      });
      expect(passes[0]).toEqual(passes[1]);
    }
    expect(String(own(new Linear(2, 3, { activation })))).toBe(`Linear(2 → 3, ${activation})`);
  });

  test("refuses an activation that it has not", () => {
    const message = 'activation is one of relu, sigmoid, tanh, got "elu"; apply others to the result';
    const options = { activation: "elu" as never };
    expect(() => new Linear(2, 3, options)).toThrow(`Linear: ${message}`);
    const [x, weight] = [own(ones([1, 2])), own(ones([3, 2]))];
    expect(() => linear(x, weight, null, options)).toThrow(`linear: ${message}`);
    expect(() => linear(x, weight, null, { activation: "toString" as never })).toThrow(OptionError);
  });

  test("starts within ±1 / √in, as PyTorch does, and the same for the same seed", () => {
    manualSeed(3);
    const layer = own(new Linear(25, 400));
    for (const p of layer.parameters()) {
      const most = Math.max(...Array.from(p.data, Math.abs));
      expect(most).toBeLessThanOrEqual(0.2);
      expect(most).toBeGreaterThan(0.19);
    }
    manualSeed(3);
    expect(own(new Linear(25, 400)).weight.data).toEqual(layer.weight.data);
    expect(own(new Linear(25, 400)).weight.data).not.toEqual(layer.weight.data);
  });

  test("without bias has one parameter", () => {
    const layer = own(new Linear(3, 2, { bias: false }));
    expect(layer.bias).toBeNull();
    expect(names(layer)).toEqual(["weight"]);
    const x = own(zeros([1, 3]));
    scope(() => {
      expect(layer.forward(x).toArray()).toEqual([[0, 0]]);
    });
  });

  test("takes an initialiser", () => {
    const layer = own(new Linear(3, 2, { init: (shape) => ones(shape) }));
    expect(layer.weight.toArray()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ]);
    expect(layer.weight.requiresGrad).toBe(true);
  });
});

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
