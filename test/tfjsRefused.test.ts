// tfjs layers models that are not read: what there is no module for, and files that lie.
import { describe, expect, test } from "vitest";
import { FormatError } from "../src/index";
import { fromTfjs } from "../src/tfjs/index";
import { type ModelJson, named } from "./tfjsCases";

async function refusal(model: unknown, shards: unknown): Promise<string> {
  const error = await fromTfjs(model as never, shards as never).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(FormatError);
  return (error as Error).message;
}

describe("what is refused", () => {
  test("all that is missing, in one list, before any shard is asked for", async () => {
    const { model, layers } = named("several layers");
    layers[1]!.config.activation = "hard_sigmoid";
    layers.splice(2, 0, { class_name: "Conv1D", config: { name: "conv" } });
    layers.push({ class_name: "LSTM", config: { name: "lstm" } });
    layers.push({ class_name: "Activation", config: { name: "last", activation: "exponential" } });
    const unasked = () => expect.unreachable();
    const message = await refusal(model, unasked);
    expect(message).toMatch(
      /^fromTfjs: there is nothing here for: "dense_Dense\d+" \(Dense\): the activation "hard_sigmoid", 0.2 x/,
    );
    expect(message).toContain(
      '; "conv" (Conv1D); "lstm" (LSTM); "last" (Activation): the activation "exponential"',
    );
  });

  const option = (name: string, change: (config: Record<string, unknown>) => void) => {
    const { model, shards, layers } = named(name);
    change(layers[0]!.config);
    return refusal(model, shards);
  };

  test.each<[string, string, Record<string, unknown>]>([
    ["reLU", "the threshold 0.5", { threshold: 0.5 }],
    ["reLU to 6", "negative_slope together with max_value", { negative_slope: 0.1 }],
    ["embedding", "mask_zero", { mask_zero: true }],
    ["batch normalization of rank 3", "axis 2 of 3 dimensions", { axis: -1 }],
    ["layer normalization over two", "axes 1 of 3", { axis: [1] }],
    ["layer normalization", "rms_scaling", { rms_scaling: true }],
    ["softmax of rank 3", "several axes at once", { axis: [1, 2] }],
    ["softmax", "axis are dimensions of 2", { axis: 2 }],
    ["dense without bias", "use_bias is a boolean", { use_bias: 1 }],
    ["dense without bias", "expected kernel [3, 3], got [3, 2]", { units: 3 }],
    ["dense without bias", "/bias", { use_bias: true }],
    ["dense without bias", "expected the shape of the input", { batch_input_shape: undefined }],
    ["dense without bias", "dimension 1 is not known", { batch_input_shape: [null, null] }],
    ["prelu", "slopes [5] for rows [4]", { batch_input_shape: [null, 4] }],
    [
      "prelu of rank 3, shared along the last",
      "slopes [3, 1] for rows [4, 3]",
      { batch_input_shape: [null, 4, 3] },
    ],
    ["batch normalization", "momentum from 0 to 1", { momentum: 2 }],
  ])("%s: %s", async (name, message, options) => {
    expect(await option(name, (config) => Object.assign(config, options))).toContain(message);
  });

  test("a model that is no chain", async () => {
    const { model, shards, layers } = named("functional");
    const [input] = model.modelTopology.config.input_layers as [[string]];
    layers[2]!.inbound_nodes = [
      [
        [input[0], 0, 0, {}],
        [layers[1]!.config.name, 0, 0, {}],
      ],
    ];
    expect(await refusal(model, shards)).toContain('no chain: not called once, with one input: "batch_');
    layers[2]!.inbound_nodes = [[[input[0], 0, 0, {}]]];
    expect(await refusal(model, shards)).toContain("3 of 4 layers lead from its input to its output");
    layers[2]!.inbound_nodes = [[[layers[3]!.config.name, 0, 0, {}]]];
    expect(await refusal(model, shards)).toContain("the model is no chain");
    model.modelTopology.config.input_layers = [input, input];
    expect(await refusal(model, shards)).toContain("only models of one input and one output");
  });

  test("shards that are missing, too short, too long, or too many", async () => {
    const { model, shards } = named("in three shards");
    const size = shards.reduce((sum, { length }) => sum + length, 0);
    expect(await refusal(model, shards.slice(1))).toMatch(
      /expected 3 shards \(group1-shard1of3.bin, .*\), got 2$/,
    );
    const short = [shards[0], shards[1]!.slice(1), shards[2]];
    expect(await refusal(model, short)).toContain(`the weights take ${size} bytes, got ${size - 1}`);
    const whole = Buffer.concat([...shards, new Uint8Array(3)]);
    expect(await refusal(model, whole)).toContain(`the weights take ${size} bytes, got ${size + 3}`);
    expect(await refusal(model, () => undefined)).toContain("expected the bytes of a shard, got undefined");
    expect(await refusal(model, undefined)).toContain("expected the bytes of a shard");
    const missing = new Error("404");
    await expect(fromTfjs(model, () => Promise.reject(missing))).rejects.toBe(missing);
  });

  test.each<[string, (model: ModelJson) => unknown, string]>([
    ["no JSON", () => "{", "the model.json cannot be read"],
    ["no object", () => "[]", "expected a model.json, got an array of 0"],
    ["a graph model", (model) => ({ ...model, format: "graph-model" }), "expected a layers-model"],
    ["no topology", (model) => ({ ...model, modelTopology: null }), "there is no modelTopology"],
    ["no weights", (model) => ({ ...model, weightsManifest: undefined }), "there is no weightsManifest"],
    [
      "a path out of the folder",
      (model) => {
        model.weightsManifest[0]!.paths = ["../secret"];
        return model;
      },
      "paths below its folder",
    ],
    [
      "a weight of no layer",
      (model) => {
        model.weightsManifest[0]!.weights.push({ name: "lost/kernel", shape: [0], dtype: "float32" });
        return model;
      },
      "weights of no layer: lost/kernel",
    ],
    [
      "an unknown quantization",
      (model) => {
        model.weightsManifest[0]!.weights[0]!.quantization = { dtype: "uint4" };
        return model;
      },
      "expected a quantization by float16, or by uint8 or uint16",
    ],
    [
      "integers",
      (model) => {
        model.weightsManifest[0]!.weights[0]!.dtype = "int32";
        return model;
      },
      "expected kernel as float32, got int32",
    ],
    [
      "a huge weight",
      (model) => {
        model.weightsManifest[0]!.weights[0]!.shape = [1e9, 1e9];
        return model;
      },
      "its shape is too large",
    ],
    [
      "two weights of a name",
      (model) => {
        const { weights } = model.weightsManifest[0]!;
        weights.push(weights[0]!);
        return model;
      },
      "2 weights have the name",
    ],
    [
      "a weight of two layers",
      () => {
        const dense = (name: string) => ({
          class_name: "Dense",
          config: { name, units: 1, use_bias: false, batch_input_shape: [null, 1] },
        });
        const config = [dense("dense"), dense("x/dense")];
        const weights = [{ name: "x/dense/kernel", shape: [1, 1], dtype: "float32" }];
        return {
          modelTopology: { class_name: "Sequential", config },
          weightsManifest: [{ paths: ["a"], weights }],
        };
      },
      'the weight "x/dense/kernel" would belong to two layers',
    ],
    [
      "two layers of a name",
      (model) => {
        const { layers } = model.modelTopology.config;
        layers.push(layers[0]!);
        return model;
      },
      "two layers have the same name",
    ],
    ["nesting beyond the stack", () => `{"format":${"[".repeat(1e5)}${"]".repeat(1e5)}}`, "an array of 1"],
    [
      "a crowd of layers",
      (model) => {
        const layer = (i: number) => ({ class_name: "ELU", config: { name: `elu${i}` } });
        model.modelTopology.config.layers = Array.from({ length: 200_000 }, (_, i) => layer(i));
        return model;
      },
      "more than 10000 layers",
    ],
  ])("%s", async (_, change, message) => {
    const { model, shards } = named("several layers");
    expect(await refusal(change(model), shards)).toContain(message);
  });
});

test("10,000 layers, whose weights have names that are alike, take no longer than they are long", async () => {
  const config = Array.from({ length: 10_000 }, (_, i) => ({
    class_name: "Dense",
    config: { name: `${i}/dense`, units: 1, use_bias: false, batch_input_shape: [null, 1] },
  }));
  const weights = config.map((layer) => ({
    name: `model/${layer.config.name}/kernel`,
    shape: [1, 1],
    dtype: "float32",
  }));
  const model = {
    modelTopology: { class_name: "Sequential", config },
    weightsManifest: [{ paths: ["a"], weights }],
  };
  const read = await fromTfjs(model, new Uint8Array(40_000));
  expect(read.layers).toHaveLength(10_000);
  read.dispose();
});
