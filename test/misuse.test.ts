// Calls that look right and are not: the error says what to write instead, and nothing happens behind its back.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Adagrad,
  Adam,
  AdamW,
  averageState,
  BatchNorm1d,
  clipGradNorm,
  clipGradValue,
  compile,
  constant,
  customLoss,
  dataset,
  diagnose,
  eye,
  fit,
  full,
  gradcheck,
  kaimingNormal,
  kaimingUniform,
  Linear,
  lint,
  loadCheckpoint,
  Module,
  mseLoss,
  NablasError,
  noGrad,
  ones,
  orthogonal,
  RMSprop,
  rand,
  randn,
  Sequential,
  SGD,
  Standardise,
  saveCheckpoint,
  saveSafetensors,
  scope,
  summary,
  type Tensor,
  tensor,
  xavierUniform,
  zeros,
} from "../src/index";
import { saveNpz } from "../src/numpy/index";

const model = new Linear(2, 2);
const x = tensor([[1, 2]]);
const data = dataset([[1, 2]], [[1, 2]]);
const any = (value: unknown) => value as never;
const parameters = /pass model\.parameters\(\)|such as model\.parameters\(\)/;
const state = /such as stateDict\(\) gives, got Linear\(2 → 2\); pass its stateDict\(\)/;

class Bare extends (Module as unknown as new (...options: unknown[]) => Linear) {}

const said: Record<string, [call: () => unknown, message: RegExp]> = {
  "new Adam(model.namedParameters())": [() => new Adam(any(model.namedParameters())), parameters],
  "new SGD({ params: namedParameters() })": [
    () => new SGD([{ params: any(model.namedParameters()) }]),
    parameters,
  ],
  "new AdamW(model)": [() => new AdamW(any(model)), parameters],
  "new RMSprop([model])": [() => new RMSprop(any([model])), parameters],
  "new Adagrad(model.stateDict())": [() => new Adagrad(any(model.stateDict())), parameters],
  "new SGD(model.parameters)": [() => new SGD(any(model.parameters)), parameters],
  "clipGradNorm(namedParameters())": [() => clipGradNorm(any(model.namedParameters()), 1), parameters],
  "clipGradValue(model)": [() => clipGradValue(any(model), 1), parameters],
  "randn(2, 3)": [() => randn(any(2), any(3)), /pass the shape as an array: randn\(\[2, 3\]\)/],
  "rand(2, 3)": [() => rand(any(2), any(3)), /pass the shape as an array: rand\(\[2, 3\]\)/],
  "zeros(2, 3)": [() => zeros(any(2), any(3)), /pass the shape as an array: zeros\(\[2, 3\]\)/],
  "ones([2], 3)": [() => ones([2], any(3)), /pass the shape as an array: ones\(\[2, 3\]\)/],
  "zeros(5)": [() => zeros(any(5)), /^zeros: .*pass the shape as an array: zeros\(\[5, …\]\)/],
  "randn(5)": [() => randn(any(5)), /^randn: .*pass the shape as an array: randn\(\[5, …\]\)/],
  "full(2, 3)": [() => full(any(2), 3), /^full: .*pass the shape as an array: full\(\[2, …\]\)/],
  "constant(2, 3)": [() => constant(any(2), 3), /^constant: .*pass the shape as an array/],
  "xavierUniform(2, 3)": [() => xavierUniform(any(2), any(3)), /xavierUniform\(\[2, 3\]\)/],
  "kaimingNormal(2, 3)": [() => kaimingNormal(any(2), any(3)), /kaimingNormal\(\[2, 3\]\)/],
  "kaimingUniform of a size below 0": [() => kaimingUniform([2, -1]), /^kaimingUniform: /],
  "orthogonal(2, 3)": [() => orthogonal(any(2), any(3)), /orthogonal\(\[2, 3\]\)/],
  "eye(1.5)": [() => eye(1.5), /^eye: /],
  "a class without forward": [() => new Bare(2, 2), /Bare: takes no options/],
  "a class without forward, called": [
    () => new Bare().forward(x),
    /Bare: a class that extends Module defines forward\(x\)/,
  ],
  "saveSafetensors(model)": [() => saveSafetensors(any(model)), state],
  "saveSafetensors(a Map)": [() => saveSafetensors(any(new Map([["w", x]]))), /such as stateDict\(\) gives/],
  "saveSafetensors(parameters)": [
    () => saveSafetensors(any(model.parameters())),
    /such as stateDict\(\) gives/,
  ],
  "saveNpz(model)": [() => saveNpz(any(model)), state],
  "saveNpz(an array)": [() => saveNpz(any([x])), /such as stateDict\(\) gives/],
  "saveCheckpoint(model)": [() => saveCheckpoint(any(model)), /parts by name, \{ model, optimizer \}/],
  "loadCheckpoint(…, model)": [() => loadCheckpoint(saveCheckpoint({ model }), any(model)), /parts by name/],
  "loadCheckpoint(…, { model: {} })": [
    () => loadCheckpoint(saveCheckpoint({ model }), { model: any({}) }),
    /"model" is what has stateDict\(\) and loadStateDict\(\)/,
  ],
  "loadStateDict(model)": [() => model.loadStateDict(any(new Linear(2, 2))), state],
  "optimizer.loadStateDict(optimizer)": [
    () => new SGD(model.parameters()).loadStateDict(any(new SGD(model.parameters()))),
    /pass its stateDict\(\)/,
  ],
  "Standardise.loadStateDict(null)": [() => new Standardise().loadStateDict(any(null)), /got null/],
  "averageState([model])": [() => averageState([any(model)]), /pass its stateDict\(\)/],
  "fit(model, data)": [() => fit(any(model), data), /expected a step, a function \(x, y\) => loss/],
  "compile(model)": [() => compile(any(model)), /got Linear\(2 → 2\); wrap it: \(x\) => model\.forward\(x\)/],
  "over([])": [() => compile(() => x).over(any([])), /^over: expected a dataset/],
  "data.map()": [() => data.map(any(undefined)), /^map: expected a function/],
  "data.batch(null)": [() => data.batch(any(null)), /^batch: expected an array of rows, got null/],
  "data.subset(null)": [() => data.subset(any(null)), /^subset: expected an array of rows, got null/],
  "a replay with 64-bit integers": [
    () => {
      const f = compile((x: Tensor) => x.mul(2));
      f(Float32Array.of(1));
      f(any(BigInt64Array.of(1n)));
    },
    /expected numbers, got a BigInt64Array/,
  ],
  "a shape with an iterator of its own": [
    () => {
      class Odd extends Array<number> {
        override *[Symbol.iterator](): ArrayIterator<number> {
          yield -4;
        }
      }
      zeros(Odd.from([2]));
    },
    /a shape is an array of integers ≥ 0/,
  ],
};

test.each(Object.entries(said))("%s", (_, [call, message]) => {
  expect(call).toThrow(NablasError);
  expect(call).toThrow(message);
});

describe("an option set on an optimizer", () => {
  const kinds = [SGD, Adam, AdamW, RMSprop, Adagrad] as const;
  const names = ["lr", "learningRate", "learning_rate", "weightDecay", "l1"];
  const own: Record<string, string[]> = {
    SGD: ["momentum", "nesterov", "dampening"],
    Adam: ["betas", "eps", "amsgrad"],
    RMSprop: ["alpha", "centered", "momentum"],
    Adagrad: ["lrDecay"],
  };

  test.each(kinds.map((Kind) => [Kind.name, Kind] as const))(
    "%s: is an error that names the groups",
    (name, Kind) => {
      const optimizer = new Kind(model.parameters());
      for (const option of [...names, ...(own[name] ?? [])]) {
        const set = () => {
          (optimizer as unknown as Record<string, unknown>)[option] = 0.5;
        };
        expect(set).toThrow(/set optimizer\.groups\[0\]\.\w+ instead/);
      }
      optimizer.groups[0]!.lr = 0.5;
      expect(optimizer.groups[0]!.lr).toBe(0.5);
    },
  );

  test("a subclass may have fields", () => {
    class Own extends SGD {
      lr = 3;
      calls = 0;
      override step(): void {
        this.calls++;
        super.step();
      }
    }
    const optimizer = new Own(model.parameters());
    optimizer.step();
    optimizer.lr = 4;
    expect([optimizer.lr, optimizer.calls]).toEqual([4, 1]);
  });
});

describe("a function that returns a promise is refused, and the promise it leaves behind ends no process", () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  beforeAll(() => void process.on("unhandledRejection", note));
  afterAll(() => void process.off("unhandledRejection", note));

  const late = any(async () => {
    await null;
    throw new Error("late");
  });
  class Waiting extends Module {
    forward(): Tensor {
      return (late as () => Tensor)();
    }
  }
  const calls: Record<string, () => unknown> = {
    scope: () => scope(late),
    noGrad: () => noGrad(late),
    compile: () => compile(late)(x),
    "over, compiled": () => compile(late).over(data).run(),
    map: () => data.map(late),
    forward: () => new Waiting().forward(),
    "forward of a child": () => new Sequential(any(new Waiting())).forward(x),
    summary: () => summary(new Waiting(), [1, 2]),
    diagnose: () => diagnose(model, x, x, late),
    "diagnose, model": () => diagnose(any(new Waiting()), x, x, mseLoss),
    lint: () => lint(model, late),
    gradcheck: () => gradcheck(late, [x]),
    "customLoss, forward": () => customLoss({ forward: late })(x, x),
    "customLoss, forward with backward": () => customLoss({ forward: late, backward: late })(x, x),
    "customLoss, backward": () =>
      customLoss({ forward: (p) => p, backward: late })(tensor([1], { requiresGrad: true }), x).backward(),
    "Linear, init": () => new Linear(2, 2, { init: late }),
    "fit, step": () => fit(late, data).next(),
    "fit, evaluate": () => fit(() => ones([]), data, { validation: data, evaluate: late }).next(),
    "fit, monitor": () => fit(() => ones([]), data, { earlyStopping: { patience: 1, monitor: late } }).next(),
  };

  // A forward pass says so itself, and what is called over() runs a compiled function.
  const tellers: Record<string, string> = {
    "diagnose, model": "forward",
    summary: "forward",
    "over, compiled": "compile",
    "fit, monitor": "earlyStopping",
  };

  test.each(Object.entries(calls))("%s", async (name, call) => {
    const teller = tellers[name] ?? /^\w+/.exec(name)![0];
    await expect((async () => call())()).rejects.toThrow(new RegExp(`${teller}.*promise`));
    await expect((async () => call())()).rejects.toThrow(NablasError);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(unhandled).toEqual([]);
  });
});

describe("a tensor kept from a function that the library calls says which one it was", () => {
  const used = (t: Tensor | undefined) => () => t!.add(1);
  let kept: Tensor | undefined;
  const keep = (t: Tensor) => {
    kept = t.mul(2);
    return kept.sum();
  };
  const places: Record<string, [run: () => unknown, name: string]> = {
    "fit, its step": [() => fit((a) => keep(a), data).next(), "the step of fit"],
    "fit, evaluate": [
      () => fit(() => ones([]), data, { validation: data, evaluate: keep }).next(),
      "evaluate of fit",
    ],
    compile: [() => compile((a: Tensor) => keep(a).add(0))(x), "the function of compile"],
    over: [
      () =>
        compile((a: Tensor) => keep(a).add(0))
          .over(data)
          .run(),
      "the function of compile",
    ],
    map: [() => data.map((a) => keep(a).reshape([1])), "the function of map"],
    gradcheck: [() => gradcheck(keep, [tensor([1], { requiresGrad: true })]), "the function of gradcheck"],
    diagnose: [() => diagnose(model, x, x, (p, t) => mseLoss(p, t).add(keep(t))), "diagnose"],
    lint: [
      () => lint(model, (p, t) => (t.dtype === "f32" ? mseLoss(p, t).add(keep(t)) : mseLoss(p, t))),
      "lint",
    ],
    "customLoss, backward": [
      () => {
        const loss = customLoss({
          name: "ownLoss",
          forward: (p) => p,
          backward: (p) => {
            keep(p);
            return p;
          },
        });
        loss(tensor([1], { requiresGrad: true }), x).backward();
      },
      "backward of ownLoss",
    ],
  };

  test.each(Object.entries(places))("%s", async (_, [run, name]) => {
    kept = undefined;
    await run();
    expect(used(kept)).toThrow(new RegExp(`was freed when ${name} returned; `));
    expect(used(kept)).not.toThrow(/scope/);
  });

  test("in batch norm's and other layers' functions nothing changes: a scope of the user's is a scope", () => {
    scope(() => {
      kept = new BatchNorm1d(2).forward(ones([2, 2]));
    });
    expect(used(kept)).toThrow(/was freed at the end of its scope/);
  });
});
