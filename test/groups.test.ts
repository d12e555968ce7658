import { describe, expect, expectTypeOf, it } from "vitest";
import {
  Adam,
  DTypeError,
  GraphError,
  Linear,
  memory,
  OptionError,
  SGD,
  scope,
  type Tensor,
} from "../src/index";
import { expectClose, GRADIENTS, kinds, parameter, START, setGradient } from "./optimizers";

describe.each(kinds)("parameter groups of $name", ({ name, make, reference, stateful }) => {
  it("step by their own options, with the shared ones behind", () => {
    const [a, b, c] = [parameter(), parameter(), parameter()];
    const list = [{ params: [a] }, { params: [b, c], lr: 0.02, weightDecay: 0.5 }];
    const optimizer = make(list as unknown as Tensor[], stateful);
    expect(optimizer.parameters).toEqual([a, b, c]);
    const own = { ...stateful, lr: 0.02, weightDecay: 0.5 };
    const steps = [reference(stateful), reference(own), reference(own)];
    const want = [START, START, START];
    for (const [t, g] of GRADIENTS.entries()) {
      if (t === 3) {
        optimizer.groups[1]!.lr = 0.3;
        own.lr = 0.3;
      }
      for (const w of [a, b, c]) setGradient(w, g);
      optimizer.step();
      for (const [i, w] of [a, b, c].entries()) {
        want[i] = steps[i]!(want[i]!, g, t + 1);
        expectClose(w, want[i]!);
      }
    }
  });

  it("are checked at each step: the error names optimizer, group and option, and nothing moves", () => {
    const [a, b] = [parameter(), parameter()];
    const optimizer = make([{ params: [a] }, { params: [b] }] as unknown as Tensor[], stateful);
    for (const w of [a, b]) setGradient(w, GRADIENTS[0]!);
    optimizer.groups[1]!.lr = -1;
    expect(() => optimizer.step()).toThrow(OptionError);
    expect(() => optimizer.step()).toThrow(`${name}: groups[1].lr is a number ≥ 0, got -1`);
    expectClose(a, START);
    expectClose(b, START);
  });

  it("of one group leave it out of the error", () => {
    const optimizer = make([parameter()]);
    optimizer.groups[0]!.weightDecay = Number.NaN;
    expect(() => optimizer.step()).toThrow(`${name}: weightDecay is a number ≥ 0, got NaN`);
  });

  it("are sealed, and their parameters stay", () => {
    const optimizer = make([parameter()]);
    const [group] = optimizer.groups as unknown as [Record<string, unknown>];
    expect(() => {
      group.learningRate = 1;
    }).toThrow(TypeError);
    expect(() => {
      group.params = [];
    }).toThrow(TypeError);
    expect(() => (group.params as Tensor[]).push(parameter())).toThrow(TypeError);
  });
});

describe("parameter groups", () => {
  it("give back their memory with the optimizer, and live on when a scope returns it", () => {
    const [a, b] = [parameter(), parameter()];
    const before = memory().tensors;
    const optimizer = scope(() => new Adam([{ params: [a] }, { params: [b], lr: 1 }]));
    scope(() => setGradient(a, GRADIENTS[0]!));
    optimizer.step();
    optimizer.dispose();
    a.grad!.dispose();
    expect(memory().tensors).toBe(before);
  });

  it("have pairs of their own", () => {
    const betas: [number, number] = [0.9, 0.99];
    const optimizer = new Adam([{ params: [parameter()] }, { params: [parameter()] }], { betas });
    betas[0] = 7;
    expect(optimizer.groups.map((group) => group.betas)).toEqual([
      [0.9, 0.99],
      [0.9, 0.99],
    ]);
    optimizer.groups[0]!.betas = [0.5, 1];
    expect(() => optimizer.step()).toThrow(
      "Adam: groups[0].betas are two numbers from 0 to below 1, got [0.5,1]",
    );
  });

  it("may be empty, though not all of them", () => {
    const w = parameter();
    expect(new SGD([{ params: [] }, { params: [w] }]).parameters).toEqual([w]);
    expect(() => new SGD([{ params: [] }])).toThrow("SGD: expected an array of parameters with at least one");
  });

  it("are typed: options by name, writable", () => {
    const { groups } = new SGD(new Linear(2, 2).parameters(), { lr: 0.1 });
    expectTypeOf(groups[0]!.lr).toEqualTypeOf<number>();
    expectTypeOf(groups[0]!.nesterov).toEqualTypeOf<boolean>();
    // @ts-expect-error: the option is lr
    expect(() => new SGD([{ params: [parameter()], learningRate: 1 }])).toThrow(
      'SGD: groups[0]: unknown option "learningRate"',
    );
  });

  it("check nesterov in each", () => {
    const list = [{ params: [parameter()], momentum: 0.9 }, { params: [parameter()] }];
    expect(() => new SGD(list, { nesterov: true })).toThrow(
      "SGD: groups[1].nesterov wants a momentum above 0",
    );
  });

  const w = parameter();
  const wrong: [what: string, list: unknown, kind: new (m: string) => Error, message: string][] = [
    [
      "a parameter in two groups",
      [{ params: [w] }, { params: [w] }],
      OptionError,
      "parameter 0 of groups[1] is in groups[0], too",
    ],
    ["one twice in a group", [{ params: [w, w] }], OptionError, "parameter 1 of groups[0] appears twice"],
    [
      "groups among parameters",
      [w, { params: [parameter()] }],
      OptionError,
      "expected either parameters or groups",
    ],
    [
      "params that are no array",
      [{ params: w }],
      OptionError,
      "groups[0].params: expected an array of parameters",
    ],
    ["what is no leaf", [{ params: [w.mul(2)] }], GraphError, "parameter 0 of groups[0] is no leaf"],
    ["what is no tensor", [{ params: [1] }], DTypeError, "expected a tensor"],
    ["a wrong option", [{ params: [w], lr: -1 }], OptionError, "lr is a number ≥ 0, got -1"],
  ];
  it.each(wrong)("refuse %s", (_, list, kind, message) => {
    const make = () => new SGD(list as Tensor[]);
    expect(make).toThrow(kind);
    expect(make).toThrow(`SGD: ${message}`);
  });
});
