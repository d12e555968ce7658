import { describe, expect, it } from "vitest";
import {
  Adagrad,
  type AdagradOptions,
  Adam,
  type DTypeError,
  type GraphError,
  OptionError,
  RMSprop,
  SGD,
  type SGDOptions,
} from "../src/index";
import { parameter } from "./optimizers";

function expectRefusal(
  fn: () => unknown,
  kind: typeof OptionError | typeof GraphError | typeof DTypeError,
  name: string,
  message: RegExp,
): void {
  expect(fn).toThrow(kind);
  expect(fn).toThrow(new RegExp(`^${name}: `));
  expect(fn).toThrow(message);
}

describe("SGD refuses", () => {
  const wrong: [what: string, options: SGDOptions, message: RegExp][] = [
    ["nesterov without momentum", { nesterov: true }, /nesterov .*momentum/],
    ["nesterov with dampening", { nesterov: true, momentum: 0.9, dampening: 0.1 }, /nesterov .*dampening/],
    ["a negative momentum", { momentum: -0.9 }, /momentum .*-0\.9/],
    ["dampening NaN", { dampening: Number.NaN }, /dampening .*NaN/],
  ];
  it.each(wrong)("%s", (_, options, message) => {
    expectRefusal(() => new SGD([parameter()], options), OptionError, "SGD", message);
  });
});

describe("Adam refuses", () => {
  const wrong: [what: string, options: object, message: RegExp][] = [
    ["a first beta of 1", { betas: [1, 0.999] }, /betas .*\[1,0\.999\]/],
    ["a negative second beta", { betas: [0.9, -0.1] }, /betas .*-0\.1/],
    ["a beta NaN", { betas: [0.9, Number.NaN] }, /betas/],
    ["one beta", { betas: [0.9] }, /betas/],
    ["a beta alone", { betas: 0.9 }, /betas .*0\.9/],
    ["the betas by other names", { beta1: 0.9 }, /unknown option "beta1"/],
    ["a negative eps", { eps: -1e-8 }, /eps .*-1e-8/],
  ];
  it.each(wrong)("%s", (_, options, message) => {
    expectRefusal(() => new Adam([parameter()], options), OptionError, "Adam", message);
  });
});

describe("RMSprop and Adagrad refuse", () => {
  it("an alpha beyond 1, and a switch that is none", () => {
    expectRefusal(() => new RMSprop([parameter()], { alpha: 1.1 }), OptionError, "RMSprop", /alpha .*1\.1/);
    const centered = 1 as unknown as boolean;
    expectRefusal(
      () => new RMSprop([parameter()], { centered }),
      OptionError,
      "RMSprop",
      /centered is a boolean/,
    );
  });

  it("a negative start or decay", () => {
    const wrong: AdagradOptions[] = [{ initialAccumulatorValue: -1 }, { lrDecay: -1 }];
    for (const o of wrong) expectRefusal(() => new Adagrad([parameter()], o), OptionError, "Adagrad", /-1/);
  });
});
