import { describe, expect, it } from "vitest";
import {
  parameter as asParameter,
  DisposedError,
  DTypeError,
  Linear,
  Module,
  memory,
  mul,
  OptionError,
  ones,
  ReLU,
  Sequential,
  SGD,
  ShapeError,
  type StateValue,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";

/** Has a buffer, a counter, and names of several words. */
class Normal extends Module {
  readonly runningMean = tensor([1, 2]);
  readonly numBatchesTracked = tensor(0, { dtype: "i32" });
  readonly weight = asParameter(ones([2]));
  readonly innerLayer = new Linear(2, 2, { bias: false });
  readonly note = "no tensor";
  forward(x: Tensor): Tensor {
    return this.innerLayer.forward(mul(x, this.weight));
  }
}

const model = () => new Sequential(new Linear(2, 2), new ReLU(), new Normal());
const KEYS = [
  "0.weight",
  "0.bias",
  "2.weight",
  "2.running_mean",
  "2.num_batches_tracked",
  "2.inner_layer.weight",
];
const values = (dict: Record<string, Tensor>) =>
  Object.fromEntries(Object.entries(dict).map(([key, t]) => [key, t.toArray()]));

describe("Module.stateDict", () => {
  it("has parameters and buffers, live, under PyTorch's keys", () => {
    const m = model();
    const dict = m.stateDict();
    expect(Object.keys(dict)).toEqual(KEYS);
    const [first, , normal] = m.layers as [Linear, ReLU, Normal];
    expect(dict["0.weight"]).toBe(first.weight);
    expect(dict["2.running_mean"]).toBe(normal.runningMean);
    expect(m.namedBuffers()).toEqual([
      ["2.runningMean", normal.runningMean],
      ["2.numBatchesTracked", normal.numBatchesTracked],
    ]);
  });

  it("has what is shared under each name", () => {
    const shared = new Linear(2, 2, { bias: false });
    expect(Object.keys(new Sequential(shared, shared).stateDict())).toEqual(["0.weight", "1.weight"]);
  });

  it("refuses two fields of one key", () => {
    class Twice extends Module {
      readonly oneTwo = zeros([1]);
      readonly one_two = zeros([1]);
      forward(x: Tensor): Tensor {
        return x;
      }
    }
    expect(() => new Twice().stateDict()).toThrow('Twice.stateDict: two fields have the key "one_two"');
  });
});

describe("Module.loadStateDict", () => {
  it("copies in place: parameters, gradients and memory stay", () => {
    const [from, to] = [model(), model()];
    const optimizer = new SGD(to.parameters());
    const pointers = to.parameters().map((t) => t.ptr);
    const held = memory().bytes;
    expect(to.loadStateDict(from.stateDict())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(memory().bytes).toBe(held);
    expect(values(to.stateDict())).toEqual(values(from.stateDict()));
    expect(to.parameters().map((t) => t.ptr)).toEqual(pointers);
    expect(to.parameters().every((t) => t.requiresGrad)).toBe(true);
    expect(optimizer.parameters).toEqual(to.parameters());
    from.parameters()[0]!.data.fill(9);
    expect(to.parameters()[0]!.data[0]).not.toBe(9);
  });

  it("takes nested arrays, typed arrays and numbers, by way of JSON too", () => {
    const m = model();
    const dict: Record<string, StateValue> = {
      ...m.stateDict(),
      "0.weight": [
        [1, 2],
        [3, 4],
      ],
      "2.inner_layer.weight": Float32Array.of(5, 6, 7, 8),
      "0.bias": new Float64Array([0.5, -0.5]),
      "2.num_batches_tracked": 7,
    };
    m.loadStateDict(dict);
    const now = values(m.stateDict());
    expect(now["0.weight"]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(now["2.inner_layer.weight"]).toEqual([
      [5, 6],
      [7, 8],
    ]);
    expect(now["0.bias"]).toEqual([0.5, -0.5]);
    expect(now["2.num_batches_tracked"]).toBe(7);
    const other = model();
    other.loadStateDict(JSON.parse(JSON.stringify(now)));
    expect(values(other.stateDict())).toEqual(now);
  });

  it("takes its own", () => {
    const m = model();
    const before = values(m.stateDict());
    m.loadStateDict(m.stateDict());
    expect(values(m.stateDict())).toEqual(before);
  });

  /** Expects an error with all of `parts` in its message, and no change. */
  function expectRefusal(dict: unknown, kind: new (m: string) => Error, ...parts: string[]): void {
    const m = model();
    const before = values(m.stateDict());
    const load = () => m.loadStateDict(dict as Record<string, Tensor>);
    expect(load).toThrow(kind);
    expect(load).toThrow(/^Sequential\.loadStateDict: /);
    for (const part of parts) expect(load).toThrow(part);
    expect(values(m.stateDict())).toEqual(before);
  }

  it("names all faults in one error and changes nothing", () => {
    const { "0.bias": _, ...rest } = model().stateDict();
    expectRefusal(
      { ...rest, "3.weight": ones([1]), "0.weight": ones([2, 3]) },
      OptionError,
      'missing "0.bias"',
      'surplus "3.weight"',
      "0.weight: expected [2, 2], got [2, 3]",
    );
  });

  it.each<[what: string, key: string, value: unknown, kind: new (m: string) => Error, message: string]>([
    ["a wrong shape", "2.weight", ones([3]), ShapeError, "2.weight: expected [2], got [3]"],
    [
      "a shape that only the size fits",
      "0.weight",
      ones([4]),
      ShapeError,
      "0.weight: expected [2, 2], got [4]",
    ],
    [
      "a typed array of another size",
      "0.weight",
      new Float32Array(3),
      ShapeError,
      "expected [2, 2], got [3]",
    ],
    ["ragged arrays", "0.weight", [[1], [1, 2]], ShapeError, "0.weight: value: ragged"],
    ["null", "0.bias", null, DTypeError, "0.bias: "],
    ["text", "0.bias", ["1", "2"], DTypeError, "0.bias: "],
    ["64-bit integers", "2.num_batches_tracked", new BigInt64Array(1), DTypeError, "2.num_batches_tracked: "],
    ["half a batch", "2.num_batches_tracked", 0.5, DTypeError, "expected 32-bit integers, got 0.5"],
  ])("refuses %s", (_, key, value, kind, message) => {
    expectRefusal({ ...model().stateDict(), [key]: value }, kind, message);
  });

  it("refuses what has been disposed of, and what is no dict", () => {
    const gone = model();
    gone.dispose();
    expectRefusal(gone.stateDict(), DisposedError, "0.weight: ", "was disposed");
    expectRefusal(null, OptionError, "expected an object such as stateDict() gives, got null");
    expectRefusal([1], OptionError, "expected an object");
  });

  it("not strict, lists missing and surplus keys, and still refuses wrong shapes", () => {
    const m = model();
    const dict = { "0.bias": [1, 2], more: [1] };
    expect(m.loadStateDict(dict, { strict: false })).toEqual({
      missingKeys: KEYS.filter((key) => key !== "0.bias"),
      unexpectedKeys: ["more"],
    });
    expect((m.layers[0] as Linear).bias!.toArray()).toEqual([1, 2]);
    expect(() => m.loadStateDict({ "0.bias": [1] }, { strict: false })).toThrow(ShapeError);
    expect(() => m.loadStateDict(dict, { strikt: false } as object)).toThrow('unknown option "strikt"');
  });
});
