import { describe, expect, it } from "vitest";
import {
  Adagrad,
  Adam,
  AdamW,
  DisposedError,
  DTypeError,
  memory,
  type OptimizerState,
  OptionError,
  RMSprop,
  SGD,
  ShapeError,
  scope,
  type Tensor,
} from "../src/index";
import { type AnyOptimizer, GRADIENTS, kinds, parameter, START, setGradient } from "./optimizers";

const values = (dict: Readonly<Record<string, Tensor>>) =>
  Object.fromEntries(Object.entries(dict).map(([key, t]) => [key, t.toArray()]));

/** Trains along GRADIENTS from step `from` to step `to`. */
function run(optimizer: AnyOptimizer, from = 0, to = GRADIENTS.length): void {
  for (const g of GRADIENTS.slice(from, to)) {
    for (const w of optimizer.parameters) setGradient(w, g);
    optimizer.step();
  }
}

const plain = (dict: OptimizerState) => ({
  state: Object.fromEntries(Object.entries(dict.state).map(([i, entry]) => [i, values(entry)])),
  param_groups: dict.param_groups,
});

describe.each(kinds)("stateDict of $name", ({ name, make, stateful, keys }) => {
  it("has PyTorch's layout and names, with live tensors", () => {
    const optimizer = make([parameter(), parameter()], stateful);
    expect(optimizer.stateDict().state).toEqual({});
    setGradient(optimizer.parameters[1]!, GRADIENTS[0]!);
    optimizer.step();
    const { state, param_groups } = optimizer.stateDict();
    expect(Object.keys(state)).toEqual(["1"]);
    expect(Object.keys(state[1]!)).toEqual(keys);
    expect(param_groups).toHaveLength(1);
    expect(param_groups[0]).toMatchObject({ lr: 0.1, l1: 0, params: [0, 1] });
    expect(param_groups[0]).toHaveProperty("weight_decay");
    if (keys.includes("step")) {
      expect(state[1]!.step!.item()).toBe(1);
      optimizer.step();
      expect(state[1]!.step!.item()).toBe(2);
    }
  });

  it.each([false, true])("carries a run on to the same bits, by way of JSON: %s", (json) => {
    const [a, b] = [parameter(), parameter()];
    const whole = make([parameter()], stateful);
    run(whole);
    const first = make([a], stateful);
    run(first, 0, 2);
    b.data.set(a.data);
    const second = make([b], { lr: 1 });
    const dict = first.stateDict();
    second.loadStateDict(json ? JSON.parse(JSON.stringify(plain(dict))) : dict);
    expect(second.groups[0]!.lr).toBe(0.1);
    expect(plain(second.stateDict())).toEqual(plain(dict));
    run(second, 2);
    expect(b.toArray()).toEqual(whole.parameters[0]!.toArray());
  });

  it("loads in place and takes back what the dict does not have", () => {
    const optimizer = make([parameter()], stateful);
    const fresh = plain(optimizer.stateDict()) as OptimizerState<never>;
    run(optimizer, 0, 2);
    const [entry] = Object.values(optimizer.stateDict().state);
    const held = memory().tensors;
    optimizer.loadStateDict(plain(optimizer.stateDict()) as OptimizerState<never>);
    expect(Object.values(optimizer.stateDict().state[0]!)).toEqual(Object.values(entry!));
    for (const [key, t] of Object.entries(entry!)) expect(optimizer.stateDict().state[0]![key]).toBe(t);
    optimizer.loadStateDict(fresh);
    expect(memory().tensors).toBe(held);
    optimizer.parameters[0]!.data.set(START);
    run(optimizer);
    const other = make([parameter()], stateful);
    run(other);
    expect(optimizer.parameters[0]!.toArray()).toEqual(other.parameters[0]!.toArray());
  });

  it("survives the scope in which it is loaded", () => {
    const from = make([parameter()], stateful);
    run(from, 0, 2);
    const to = make([parameter()], stateful);
    scope(() => to.loadStateDict(from.stateDict()));
    expect(plain(to.stateDict())).toEqual(plain(from.stateDict()));
  });

  /** Expects that a changed dict is refused, and that the optimizer is as it was. */
  function expectRefusal(
    change: (dict: {
      state: Record<string, Record<string, unknown>>;
      param_groups: Record<string, unknown>[];
    }) => void,
    message: string,
    kind: new (m: string) => Error = OptionError,
  ): void {
    const optimizer = make([parameter(), parameter()], stateful);
    run(optimizer, 0, 1);
    const before = plain(optimizer.stateDict());
    const dict = JSON.parse(JSON.stringify(before));
    for (const entry of Object.values(dict.state) as Record<string, number[]>[]) entry[keys.at(-1)!]![0] = 77;
    dict.param_groups[0].lr = 77;
    change(dict);
    expect(() => optimizer.loadStateDict(dict)).toThrow(kind);
    expect(() => optimizer.loadStateDict(dict)).toThrow(`${name}.loadStateDict: `);
    expect(() => optimizer.loadStateDict(dict)).toThrow(message);
    expect(plain(optimizer.stateDict())).toEqual(before);
  }

  const last = keys.at(-1)!;
  it("refuses a missing or surplus part, by name", () => {
    expectRefusal(({ state }) => delete state[1]![last], `missing "state.1.${last}"`);
    expectRefusal(({ state }) => Object.assign(state[0]!, { more: 1 }), 'surplus "state.0.more"');
    expectRefusal(({ state }) => Object.assign(state, { 2: {} }), 'surplus "state.2"');
    expectRefusal(({ param_groups: [g] }) => delete g!.lr, 'missing "param_groups.0.lr"');
    expectRefusal(({ param_groups: [g] }) => Object.assign(g!, { rho: 1 }), 'surplus "param_groups.0.rho"');
    expectRefusal((dict) => Object.assign(dict, { param_groups: undefined }), "param_groups");
    expectRefusal((dict) => Object.assign(dict, { epoch: 1 }), 'surplus "epoch"');
  });

  it("refuses wrong shapes, groups and values", () => {
    expectRefusal(
      ({ state }) => Object.assign(state[1]!, { [last]: [1] }),
      `state.1.${last}: expected [7], got [1]`,
      ShapeError,
    );
    expectRefusal(({ param_groups }) => param_groups.push({}), "expected 1 param_groups, got 2");
    expectRefusal(
      ({ param_groups: [g] }) => Object.assign(g!, { params: [0] }),
      "params: expected [0,1], got [0]",
    );
    expectRefusal(({ param_groups: [g] }) => Object.assign(g!, { lr: -1 }), "lr is a number ≥ 0, got -1");
    expectRefusal(({ state }) => Object.assign(state, { 1: null }), "state.1: ");
    if (!keys.includes("step")) return;
    expectRefusal(
      ({ state }) => Object.assign(state[1]!, { step: -1 }),
      "state.1.step: expected a number ≥ 0, got -1",
    );
    expectRefusal(({ state }) => Object.assign(state[1]!, { step: 0.5 }), "state.1.step: ", DTypeError);
  });

  it("takes PyTorch's options that we do not have as long as they are off", () => {
    const optimizer = make([parameter()], stateful);
    const dict = plain(optimizer.stateDict());
    const { l1, ...group } = { ...dict.param_groups[0]!, maximize: false, foreach: null } as Record<
      string,
      unknown
    >;
    optimizer.loadStateDict({ ...dict, param_groups: [group] } as unknown as OptimizerState);
    expect(() =>
      optimizer.loadStateDict({
        ...dict,
        param_groups: [{ ...group, maximize: true }],
      } as unknown as OptimizerState),
    ).toThrow(`param_groups.0.maximize: ${name} works with false, got true`);
  });

  it("passes over what PyTorch 2 and its schedulers write besides", () => {
    const optimizer = make([parameter(), parameter()], stateful);
    run(optimizer, 0, 1);
    const { state, param_groups } = plain(optimizer.stateDict());
    const { l1, ...own } = param_groups[0]!;
    const ofTorch = {
      ...own,
      ...{ maximize: false, foreach: true, capturable: false, differentiable: false, fused: null },
      ...{ decoupled_weight_decay: name === "AdamW", param_names: ["weight", "bias"] },
      ...{ initial_lr: 0.5, max_lr: 0.5, min_lr: 1e-9, max_momentum: 0.95, base_momentum: 0.85 },
    };
    const other = make([parameter(), parameter()], { lr: 1 });
    other.loadStateDict({ state, param_groups: [ofTorch] });
    expect(plain(other.stateDict())).toEqual({ state, param_groups: [{ ...own, l1: 0 }] });
    const swapped = { ...ofTorch, decoupled_weight_decay: name !== "AdamW" };
    expect(() => other.loadStateDict({ state, param_groups: [swapped] })).toThrow(
      `param_groups.0.decoupled_weight_decay: ${name} works with ${name === "AdamW"}, got ${name !== "AdamW"}`,
    );
  });

  it("is an error after dispose", () => {
    const optimizer = make([parameter()], stateful);
    const dict = optimizer.stateDict();
    optimizer.dispose();
    expect(() => optimizer.loadStateDict(dict)).toThrow(DisposedError);
  });
});

describe("state of options that change", () => {
  const cases: [option: string, value: boolean | number, make: (w: Tensor) => AnyOptimizer, key: string][] = [
    ["amsgrad", true, (w) => new Adam([w]), "max_exp_avg_sq"],
    ["amsgrad", true, (w) => new AdamW([w]), "max_exp_avg_sq"],
    ["centered", true, (w) => new RMSprop([w]), "grad_avg"],
    ["momentum", 0.5, (w) => new RMSprop([w]), "momentum_buffer"],
  ];
  it.each(cases)("%s turned on after a step is saved and loaded as zeros", (option, value, make, key) => {
    const optimizer = make(parameter());
    run(optimizer, 0, 1);
    expect(optimizer.stateDict().state[0]).not.toHaveProperty(key);
    Object.assign(optimizer.groups[0]!, { [option]: value });
    const dict = optimizer.stateDict();
    expect(dict.state[0]![key]!.data.every((x) => x === 0)).toBe(true);
    const other = make(parameter());
    other.loadStateDict(dict);
    expect(plain(other.stateDict())).toEqual(plain(dict));
  });

  it("SGD keeps a momentum that was turned off, and begins one that is turned on", () => {
    const optimizer = new SGD([parameter()], { momentum: 0.9 });
    run(optimizer, 0, 1);
    optimizer.groups[0]!.momentum = 0;
    const other = new SGD([parameter()]);
    other.loadStateDict(optimizer.stateDict());
    expect(plain(other.stateDict())).toEqual(plain(optimizer.stateDict()));
    const without = new SGD([parameter()], { dampening: 0.5 });
    run(without, 0, 1);
    without.groups[0]!.momentum = 0.9;
    expect(without.stateDict().state).toEqual({});
    run(without, 1, 2);
    expect(without.stateDict().state[0]!.momentum_buffer!.toArray()).toEqual([
      ...Float32Array.from(GRADIENTS[1]!),
    ]);
  });

  it("SGD takes PyTorch's null for the buffer of a parameter without momentum", () => {
    const optimizer = new SGD([parameter()]);
    const { param_groups } = optimizer.stateDict();
    optimizer.loadStateDict({ state: { 0: { momentum_buffer: null } }, param_groups });
    expect(optimizer.stateDict().state).toEqual({});
    const momentum = [{ ...param_groups[0]!, momentum: 0.9 }];
    expect(() =>
      optimizer.loadStateDict({ state: { 0: { momentum_buffer: null } }, param_groups: momentum }),
    ).toThrow('missing "state.0.momentum_buffer"');
  });

  it("Adagrad begins anew at its initial value", () => {
    const optimizer = new Adagrad([parameter()], { initialAccumulatorValue: 0.5 });
    const dict = optimizer.stateDict();
    run(optimizer, 0, 2);
    optimizer.loadStateDict(dict);
    setGradient(
      optimizer.parameters[0]!,
      START.map(() => 0),
    );
    optimizer.step();
    expect(optimizer.stateDict().state[0]!.sum!.toArray()).toEqual(START.map(() => 0.5));
  });

  it("has the parameters of all groups counted through", () => {
    const list = [{ params: [parameter()] }, { params: [parameter(), parameter()], lr: 0.5 }];
    const optimizer = new Adam(list);
    run(optimizer, 0, 1);
    const dict = optimizer.stateDict();
    expect(Object.keys(dict.state)).toEqual(["0", "1", "2"]);
    expect(dict.param_groups.map(({ params, lr }) => [params, lr])).toEqual([
      [[0], 1e-3],
      [[1, 2], 0.5],
    ]);
    const flat = new Adam([parameter(), parameter(), parameter()]);
    expect(() => flat.loadStateDict(dict)).toThrow("expected 1 param_groups, got 2");
  });
});
