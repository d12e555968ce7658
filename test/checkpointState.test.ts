// What is in a checkpoint, and which ones are refused.
import { describe, expect, test } from "vitest";
import {
  FormatError,
  getRngState,
  Linear,
  loadCheckpoint,
  memory,
  OptionError,
  ones,
  randn,
  Sequential,
  SGD,
  ShapeError,
  Standardise,
  saveCheckpoint,
  setRngState,
  tensor,
  zeros,
} from "../src/index";
import { epochs, training, values } from "./trainings";

/** The entries of a safetensors header that the tests below break. */
interface Header {
  [name: string]: Record<string, unknown>;
  "model.weight": Record<string, unknown>;
  __metadata__: Record<string, unknown>;
}

describe("a checkpoint", () => {
  test("hands on what has no state as it is", () => {
    const saved = {
      step: 12,
      best: Number.POSITIVE_INFINITY,
      worst: Number.NaN,
      zero: -0,
      tenth: 0.1,
      name: "ünïcode \u0000",
      flags: [true, false, null],
      nested: { mean: tensor([[1, 2]]), count: tensor([3], { dtype: "i32" }), empty: zeros([0, 3]) },
    };
    const loaded = loadCheckpoint(saveCheckpoint(saved), {}) as typeof saved;
    expect({ ...loaded, nested: null }).toEqual({ ...saved, nested: null });
    expect(Object.is(loaded.zero, -0)).toBe(true);
    expect(loaded.nested.mean.toArray()).toEqual([[1, 2]]);
    expect(loaded.nested.count.dtype).toBe("i32");
    expect(loaded.nested.empty.shape).toEqual([0, 3]);
  });

  test("is a safetensors file of weights under their paths", () => {
    const model = new Sequential(new Linear(2, 3));
    const bytes = saveCheckpoint({ model });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header["model.0.weight"]).toEqual({ dtype: "F32", shape: [3, 2], data_offsets: [0, 24] });
    expect(header["model.0.bias"]).toEqual({ dtype: "F32", shape: [3], data_offsets: [24, 36] });
    expect((8 + length) % 8).toBe(0);
    const floats = new Float32Array(bytes.slice(8 + length).buffer);
    expect([...floats.subarray(0, 6)]).toEqual([...model.parameters()[0]!.data]);
  });

  test("takes what else has stateDict and loadStateDict, scalers among it, and only what is asked for", () => {
    const counter = {
      count: 3,
      stateDict: () => ({ count: counter.count }),
      loadStateDict: (state: { count: number }) => {
        counter.count = state.count;
      },
    };
    const scaler = new Standardise().fit([[1], [3]]);
    const bytes = saveCheckpoint({ scaler, counter, model: new Linear(2, 2) });
    counter.count = 0;
    const fresh = new Standardise();
    loadCheckpoint(bytes, { scaler: fresh, counter });
    expect(counter.count).toBe(3);
    expect(fresh.apply([[5]]).toArray()).toEqual([[3]]);
  });

  test("leaves nothing in memory", () => {
    const { model, optimizer, run } = training("Adam");
    const bytes = saveCheckpoint({ model, optimizer, run });
    loadCheckpoint(bytes, { model, optimizer, run });
    const before = memory();
    for (let i = 0; i < 5; i++)
      loadCheckpoint(saveCheckpoint({ model, optimizer, run }), { model, optimizer, run });
    expect(memory()).toEqual(before);
  });

  test("that does not fit in one part changes no part", () => {
    const saved = { model: new Linear(2, 2), other: new Linear(3, 3) };
    const bytes = saveCheckpoint(saved);
    const parts = { model: new Linear(2, 2), other: new Linear(3, 4) };
    const before = [values(parts.model), values(parts.other), getRngState()];
    expect(() => loadCheckpoint(bytes, parts)).toThrow(ShapeError);
    expect([values(parts.model), values(parts.other), getRngState()]).toEqual(before);
  });

  const bytes = saveCheckpoint({ model: new Linear(2, 2), step: 1 });
  const edited = (change: (header: Header) => void, written = JSON.stringify) => {
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    change(header);
    const json = new TextEncoder().encode(written(header));
    const values = bytes.subarray(-24);
    const file = new Uint8Array(8 + json.length + values.length);
    new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
    file.set(json, 8);
    file.set(values, 8 + json.length);
    return file;
  };
  const none = () => {};
  const weight = "model.weight";

  test.each<[string, Uint8Array, string]>([
    ["no bytes", new Uint8Array(), "at least 8 bytes"],
    ["a file that is cut off", bytes.subarray(0, -1), "not within"],
    ["a file that goes on", new Uint8Array([...bytes, 0]), "the tensors have 24 bytes, the file has 25"],
    ["a header beyond the file", new Uint8Array(16).fill(255), "room for 8 bytes"],
    ["other bytes", new Uint8Array(64), "cannot be read"],
    ["a list", edited(none, () => "[]"), "has to be an object"],
    ["nesting without end", edited(none, () => "[".repeat(200_000)), "cannot be read"],
    ["a key twice", edited(none, () => '{"a": 1, "a": 1}'), "has a key twice"],
    [
      "a tensor without a shape",
      edited((h) => void delete h[weight].shape),
      `"${weight}" needs dtype, shape and`,
    ],
    ["a negative size", edited((h) => (h[weight].shape = [-2, -2])), `"${weight}" needs dtype, shape and`],
    [
      "a dtype that is not known",
      edited((h) => (h[weight].dtype = "F8")),
      "dtype is one of F32, F16, BF16, I32, I64, got F8",
    ],
    [
      "a shape of other length",
      edited((h) => (h[weight].shape = [2, 3])),
      "[2, 3] of F32 takes 24 bytes, got 16",
    ],
    ["offsets in reverse", edited((h) => (h[weight].data_offsets = [16, 0])), "not within the 24 bytes"],
    [
      "tensors that overlap",
      edited((h) => (h[weight].data_offsets = [8, 24])),
      "overlap or leave a gap at offset 8",
    ],
    ["metadata that are no strings", edited((h) => (h.__metadata__ = { a: 1 })), "an object of strings"],
    [
      "another safetensors file",
      edited((h) => void Reflect.deleteProperty(h, "__metadata__")),
      "not one that saveCheckpoint made",
    ],
    [
      "metadata of another kind",
      edited((h) => (h.__metadata__.nablas = "[]")),
      "not one that saveCheckpoint made",
    ],
    [
      "a state without its tensor",
      edited((h) => {
        h.x = { ...h[weight] };
        Reflect.deleteProperty(h, weight);
      }),
      `no tensor "${weight}"`,
    ],
  ])("refuses %s", (_, file, message) => {
    const model = new Linear(2, 2);
    const before = [values(model), getRngState(), memory()];
    expect(() => loadCheckpoint(file, { model })).toThrow(FormatError);
    expect(() => loadCheckpoint(file, { model })).toThrow(message);
    expect([values(model), getRngState(), memory()]).toEqual(before);
  });

  test("says which states there are, and what cannot be saved", () => {
    expect(() => loadCheckpoint(bytes, { optimizer: new SGD([ones([1], { requiresGrad: true })]) })).toThrow(
      'loadCheckpoint: no state of "optimizer" in the file; it has those of: model',
    );
    expect(() => saveCheckpoint({ f: (() => 1) as never })).toThrow("saveCheckpoint: f: expected numbers");
    expect(() => saveCheckpoint({ a: { $b: 1 } })).toThrow('the key "$b" begins with a $');
    expect(() => loadCheckpoint("file" as never, {})).toThrow(FormatError);
  });
});

describe("the state of a training", () => {
  test.each<[string, object, string]>([
    ["another batch size", { batchSize: 4 }, "fit: expected the state of a training with batchSize 8, got 4"],
    ["other data", { rows: 40 }, "fit: expected the state of a training with rows 50, got 40"],
    ["a broken cursor", { batch: -1 }, "fit: expected an integer ≥ 0 for the state's batch, got -1"],
    ["no loss", { lossSum: "much" }, 'fit: expected a number for the state\'s lossSum, got "much"'],
  ])("of %s is refused", (_, change, message) => {
    const { run } = training("SGD");
    const before = run.stateDict();
    expect(() => run.loadStateDict({ ...before, ...change })).toThrow(OptionError);
    expect(() => run.loadStateDict({ ...before, ...change })).toThrow(message);
    expect(run.stateDict()).toEqual(before);
  });

  test("comes too late after the first epoch", async () => {
    const { run } = training("SGD");
    const state = run.stateDict();
    await run.next();
    expect(() => run.loadStateDict(state)).toThrow("fit: a state has to be loaded before the first epoch");
  });

  test("of one that has stopped early stops", async () => {
    const options = { earlyStopping: { patience: 1, minDelta: 10 }, epochs: 9 };
    const { run } = training("SGD", options);
    expect(await epochs(run)).toHaveLength(2);
    const again = training("SGD", options);
    again.run.loadStateDict(run.stateDict());
    expect(await epochs(again.run)).toEqual([]);
  });
});

test("the state of the random numbers can be kept and set", () => {
  const state = getRngState();
  const first = [...randn([5]).data];
  setRngState(state);
  expect([...randn([5]).data]).toEqual(first);
  expect(() => setRngState([1, 2])).toThrow(
    "setRngState: expected the five integers of getRngState(), got [1,2]",
  );
  expect(() => setRngState([1, 2, 3, 4, 0.5])).toThrow(OptionError);
});
