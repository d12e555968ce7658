import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/index";
import * as n from "../../src/index";
import { observer } from "../../src/recording";
import { kaiming, labelsOf, layers, xavier } from "./networks";

const crossEntropy = (p: Tensor, t: Tensor) => n.crossEntropyLoss(p, t);

/** A model with everything that a pass may change. */
function model() {
  n.manualSeed(5);
  return new n.Sequential(
    new n.Linear(6, 16),
    new n.BatchNorm1d(16),
    new n.RReLU(),
    new n.Dropout({ p: 0.25 }),
    new n.Linear(16, 3, { activation: "tanh" }),
  );
}

describe("diagnose", () => {
  test("changes nothing: parameters, gradients, running statistics, random numbers, modes, memory", () => {
    const net = model();
    net.layers[3]!.eval();
    const x = n.randn([16, 6], { requiresGrad: true });
    const targets = labelsOf(x, 3);
    crossEntropy(net.forward(x), targets).backward();
    const frozen = net.layers[0]!.parameters()[1]!;
    frozen.grad = null;
    const grads = net.parameters().map((p) => p.grad);
    const inputGrad = x.grad;
    const state = () => ({
      tensors: Object.entries(net.stateDict()).map(([key, t]) => [key, [...t.data]]),
      grads: net.parameters().map((p) => (p.grad === null ? null : [...p.grad.data])),
      inputGrad: [...x.grad!.data],
      random: [...n.getRngState()],
      modes: net.layers.map(({ training }) => training),
    });
    const before = state();
    const { bytes, tensors } = n.memory();
    for (let i = 0; i < 3; i++) n.diagnose(net, x, targets, crossEntropy);
    n.scope(() => {
      expect(() => n.diagnose(net, x, targets, (p) => p.matmul(p))).toThrow(n.ShapeError);
      expect(() => n.diagnose(net, n.zeros([4, 5]), targets, crossEntropy)).toThrow(n.ShapeError);
      n.diagnose(net, x, n.full([16], 9, { dtype: "i32" }), crossEntropy);
    });
    n.lint(net, crossEntropy);
    expect(n.memory()).toMatchObject({ bytes, tensors });
    expect(state()).toEqual(before);
    expect(net.parameters().map((p) => p.grad)).toEqual(grads);
    expect(x.grad).toBe(inputGrad);
  });

  test("gives the same twice, and within noGrad", () => {
    const net = model();
    const x = n.randn([16, 6]);
    const targets = labelsOf(x, 3);
    const first = n.diagnose(net, x, targets, crossEntropy);
    expect(n.diagnose(net, x, targets, crossEntropy)).toEqual(first);
    expect(n.noGrad(() => n.diagnose(net, x, targets, crossEntropy))).toEqual(first);
    expect(n.noGrad(() => n.lint(net, crossEntropy))).toEqual(n.lint(net, crossEntropy));
    expect(n.noGrad(() => net.forward(x)).requiresGrad).toBe(false);
  });

  test("changes nothing where the model, the loss or its gradient fails midway", () => {
    const net = model();
    const x = n.randn([16, 6]);
    const targets = labelsOf(x, 3);
    const fails = () => {
      throw new n.OptionError("midway");
    };
    class Failing extends n.Module {
      readonly inner = net;
      forward(y: Tensor): Tensor {
        return this.inner.forward(y).add(fails());
      }
    }
    const broken = n.customLoss({ forward: (p) => p.square(), backward: fails });
    const state = () => [Object.values(net.stateDict()).map((t) => [...t.data]), [...n.getRngState()]];
    const [before, { bytes, tensors }] = [state(), n.memory()];
    n.scope(() => {
      expect(() => n.diagnose(new Failing(), x, targets, crossEntropy)).toThrow(/midway/);
      expect(() => n.diagnose(net, x, targets, fails)).toThrow(/midway/);
      expect(() => n.diagnose(net, x, targets, (p, t) => broken(p, t))).toThrow(/midway/);
    });
    expect(state()).toEqual(before);
    expect(net.parameters().every((p) => p.grad === null && p.requiresGrad)).toBe(true);
    expect(n.memory()).toMatchObject({ bytes, tensors });
    expect(observer).toBeUndefined();
  });

  test("has the weights of functions, and counts what runs again", () => {
    class Functions extends n.Module {
      readonly first = n.parameter(n.randn([16, 4]));
      readonly second = n.parameter(n.randn([16, 3]).mul(0.3));
      readonly scores = n.parameter(n.randn([3]));
      forward(x: Tensor): Tensor {
        const hidden = n.relu(n.linear(x, this.first)).matmul(this.second);
        return n.relu(hidden).matmul(this.scores);
      }
    }
    n.manualSeed(3);
    const net = new Functions();
    const x = n.randn([32, 4]);
    const { layers: seen } = n.diagnose(net, x, n.randn([32]), n.mseLoss, { lr: 1 });
    expect(seen.map(({ layer, type }) => [layer, type])).toEqual(
      ["linear", "relu", "matmul", "relu #2"].map((name) => [name, name.split(" ")[0]]),
    );
    expect(seen.map(({ updateRatio }) => updateRatio !== null)).toEqual([true, false, true, false]);
  });

  test("says nothing of units that it has seen once", () => {
    n.manualSeed(1);
    const net = new n.Sequential(...layers([8, 16, 3], () => new n.ReLU(), kaiming));
    for (const rows of [1, 2, 16]) {
      const x = n.randn([1, 8]).mul(0.3).add(0.1);
      const alike = n.concat(Array(rows).fill(x));
      const { findings } = n.diagnose(net, alike, labelsOf(alike, 3), crossEntropy);
      expect(findings.map(({ advice }) => advice)).toEqual([]);
    }
  });

  test("takes ReLUs that inputs above 0 silence by chance for healthy", () => {
    let most = 0;
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
      n.manualSeed(seed);
      const net = new n.Sequential(...layers([8, 8, 3], () => new n.ReLU(), kaiming));
      const x = n.randn([32, 8]).mul(0.3).add(1);
      const { layers: seen, findings } = n.diagnose(net, x, labelsOf(x, 3), crossEntropy);
      most = Math.max(most, seen[1]!.dead!);
      expect(findings.map(({ advice }) => advice)).toEqual([]);
    }
    expect(most).toBeGreaterThan(0.5);
  });

  test("blames the op whose slope is infinite", () => {
    const root = (p: Tensor, t: Tensor) => p.sub(t).square().mean().sqrt();
    const [finding] = n.diagnose(
      new n.Linear(2, 1, { bias: false }),
      n.zeros([9, 2]),
      n.zeros([9, 1]),
      root,
    ).findings;
    expect(finding).toMatchObject({ code: "non-finite", layer: "sqrt" });
    expect(finding!.advice).toBe(
      "sqrt: the gradient that sqrt passes back in row 0, column 0 is Infinity, the first that is not finite; its " +
        "slope at 0 is infinite: add a small number in front of it",
    );
  });

  test("fits a page, in words and short numbers", () => {
    class Deep extends n.Module {
      readonly encoder = new n.Sequential(...layers([64, 512, 512, 128], () => new n.LeakyReLU(), kaiming));
      readonly norm = new n.LayerNorm([128]);
      readonly decoder = new n.Sequential(new n.Linear(128, 10, { activation: "tanh" }), new n.Softmax());
      forward(x: Tensor): Tensor {
        return this.decoder.forward(this.norm.forward(this.encoder.forward(x)));
      }
    }
    n.manualSeed(2);
    const x = n.randn([16, 64]).mul(1e-7);
    const report = n.diagnose(new Deep(), x, labelsOf(x, 10), crossEntropy);
    const table = String(report).split("\n").slice(0, 11);
    expect(new Set(table.map((row) => row.length)).size).toBe(1);
    expect(table[0]!.length).toBeLessThan(100);
    expect(String(report)).not.toMatch(/0\.0000|000000/);
    expect(String(report)).toMatch(/^loss-mismatch: layer decoder.1 \(Softmax\): /m);
  });

  test("measures what the passes give", () => {
    n.manualSeed(1);
    const net = new n.Sequential(...layers([4, 8, 3], () => new n.ReLU(), kaiming));
    const x = n.randn([16, 4]);
    const targets = labelsOf(x, 3);
    const [first, relu, last] = n.diagnose(net, x, targets, crossEntropy, { lr: 0.5 }).layers;
    crossEntropy(net.forward(x), targets).backward();
    const [w, , v] = net.parameters();
    const ratio = (t: Tensor) => (0.5 * Math.hypot(...t.grad!.data)) / Math.hypot(...t.data);
    expect(first).toMatchObject({
      layer: "0",
      type: "Linear(4 → 8)",
      saturated: null,
      dead: null,
      nonFinite: null,
    });
    expect(first!.updateRatio).toBeCloseTo(ratio(w!), 7);
    expect(last!.updateRatio).toBeCloseTo(ratio(v!), 7);
    const z = net.layers[0]!.forward(x);
    const values = [...n.relu(z).data];
    expect(relu!.mean).toBeCloseTo(values.reduce((sum, a) => sum + a, 0) / values.length, 7);
    expect(relu).toMatchObject({ layer: "1", type: "ReLU", updateRatio: null });
    const logits = n.tensor(net.forward(x).toArray(), { requiresGrad: true });
    crossEntropy(logits, targets).backward();
    expect(last!.gradientNorm).toBeCloseTo(Math.hypot(...logits.grad!.data), 7);
  });

  test("sees activations that are functions, and those fused into linear", () => {
    class Net extends n.Module {
      readonly hidden = new n.Linear(4, 32, { activation: "relu" });
      readonly output = new n.Linear(32, 2);
      forward(x: Tensor): Tensor {
        return this.output.forward(n.tanh(this.hidden.forward(x)));
      }
    }
    n.manualSeed(2);
    const net = new Net();
    net.hidden.bias!.data.fill(-9);
    const x = n.randn([32, 4]);
    const { layers: seen, findings } = n.diagnose(net, x, labelsOf(x, 2), crossEntropy);
    expect(seen.map(({ layer, type }) => [layer, type])).toEqual([
      ["hidden", "Linear(4 → 32, relu)"],
      ["tanh", "tanh"],
      ["output", "Linear(32 → 2)"],
    ]);
    expect(seen.map(({ dead }) => dead)).toEqual([1, null, null]);
    expect(findings).toContainEqual(
      expect.objectContaining({ code: "dead-relu", layer: "hidden", value: 1 }),
    );
  });

  test("blames the first number that is not finite", () => {
    class Log extends n.Module {
      readonly linear = new n.Linear(3, 4, { init: xavier });
      forward(x: Tensor): Tensor {
        return n.log(this.linear.forward(x).mul(0)).add(1);
      }
    }
    const net = new n.Sequential(new n.Linear(2, 3), new Log());
    const { findings } = n.diagnose(net, n.ones([4, 2]), n.zeros([4, 4]), n.mseLoss);
    expect(findings[0]).toMatchObject({
      code: "non-finite",
      layer: "1.log",
      value: Number.NEGATIVE_INFINITY,
    });
    expect(findings[0]!.advice).toMatch(/the output of log in row 0, column 0 is -Infinity/);
  });

  test("prints a table with the findings below it", () => {
    n.manualSeed(2);
    const net = new n.Sequential(...layers([4, 8, 3], () => new n.ReLU(), kaiming), new n.Softmax());
    const x = n.randn([16, 4]);
    const report = n.diagnose(net, x, labelsOf(x, 3), crossEntropy);
    const lines = String(report).split("\n");
    expect(lines[0]).toMatch(/^layer {2}type +mean +std +dead +gradient +update$/);
    expect(new Set(lines.slice(0, 7).map((line) => line.length)).size).toBe(1);
    expect(lines.slice(7)).toEqual([
      expect.stringMatching(/^loss-mismatch: layer 3 \(Softmax\): crossEntropyLoss takes scores/),
    ]);
    expect(inspect(report)).toBe(String(report));
  });

  test("refuses what is no model or loss", () => {
    const net = new n.Linear(2, 2);
    expect(() => n.diagnose({} as n.Module, [[1, 2]], n.zeros([1, 2]), n.mseLoss)).toThrow(
      /expected a module/,
    );
    expect(() => n.diagnose(net, [[1, 2]], n.zeros([1, 2]), null as never)).toThrow(/expected a function/);
    const wrong = { rate: 1 } as never;
    expect(() => n.diagnose(net, [[1, 2]], n.zeros([1, 2]), n.mseLoss, wrong)).toThrow(
      /unknown option "rate"/,
    );
    const compiled = n.compile((x: Tensor) => {
      n.diagnose(net, x, x, n.mseLoss);
      return x;
    });
    expect(() => compiled([[1, 2]])).toThrow(/cannot be compiled/);
  });
});
