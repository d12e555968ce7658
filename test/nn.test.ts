import { describe, expect, test } from "vitest";
import * as nablas from "../src/index";
import {
  add,
  Linear,
  linear,
  Module,
  manualSeed,
  mul,
  OptionError,
  ones,
  PReLU,
  parameter,
  ReLU,
  randn,
  Sequential,
  Sigmoid,
  scope,
  sum,
  Tanh,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";
import { held, leaveNothing } from "./held";

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
    for (const p of model.parameters()) expect(p.grad).toBeNull();
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
