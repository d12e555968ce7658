// tfjs layers models give what tfjs predicts.
import { describe, expect, test } from "vitest";
import { getRngState, type Linear, manualSeed, noGrad, Sequential, scope, tensor } from "../src/index";
import { fromTfjs } from "../src/tfjs/index";
import { bytesOf, cases, named, type Plain } from "./tfjsCases";

/** The largest |error| / max(1, |y|). */
function errorOf(model: Sequential, x: Plain, y: Plain): number {
  return scope(() => {
    const isIndex = String(model).includes("Embedding");
    const input = tensor(x.data, { shape: x.shape, dtype: isIndex ? "i32" : "f32" });
    const got = noGrad(() => model.forward(input));
    expect(got.shape).toEqual(y.shape);
    return Math.max(
      ...y.data.map((value, i) => Math.abs(got.data[i]! - value) / Math.max(1, Math.abs(value))),
    );
  });
}

describe("models that tfjs saved", () => {
  test.each(cases.map((one) => [one.name, one] as const))("%s", async (_, { model, shards, x, y }) => {
    const read = await fromTfjs(model, shards.map(bytesOf));
    expect(read).toBeInstanceOf(Sequential);
    expect(errorOf(read, x, y)).toBeLessThan(1e-5);
    read.dispose();
  });

  test("all have the modules that one expects", async () => {
    const { model, shards } = named("several layers");
    const read = await fromTfjs(model, shards);
    expect(String(read)).toBe(
      "Sequential(Linear(6 → 8), ReLU, Dropout, BatchNorm1d(8), Linear(8 → 5), Tanh, LayerNorm(5), Linear(5 → 3), Softmax)",
    );
    expect(read.layers.map(({ training }) => training)).not.toContain(true);
    expect((read.layers[3] as never as { options: object }).options).toEqual({
      eps: 1e-3,
      momentum: 1 - 0.99,
    });
    const [kernel] = named("several layers").model.weightsManifest[0]!.weights;
    const bytes = shards[0]!.slice(0, 4 * 48);
    expect(kernel!.shape).toEqual([6, 8]);
    const values = new Float32Array(bytes.buffer);
    const { weight } = read.layers[0] as Linear;
    expect(weight.data[1]).toBe(values[8]);
    expect(weight.data[6]).toBe(values[1]);
  });

  test("come from text, bytes and objects; as one piece, as a list, by path", async () => {
    const { model, shards, x, y } = named("in three shards");
    expect(shards).toHaveLength(3);
    const text = JSON.stringify(model);
    const whole = new Uint8Array(Buffer.concat(shards));
    const files = new Map(model.weightsManifest[0]!.paths.map((path, i) => [path, shards[i]!]));
    const asked: string[] = [];
    const byPath = async (path: string) => {
      asked.push(path);
      return files.get(path)!;
    };
    const read = [
      await fromTfjs(text, whole),
      await fromTfjs(Buffer.from(text), whole.buffer),
      await fromTfjs(new TextEncoder().encode(text).buffer as ArrayBuffer, shards),
      await fromTfjs(model, byPath),
      await fromTfjs(model, (path) => files.get(path)!),
    ];
    for (const one of read) expect(errorOf(one, x, y)).toBeLessThan(1e-5);
    expect(asked).toEqual(model.weightsManifest[0]!.paths);
  });

  test("come as the artifacts that a save handler gets", async () => {
    const { model, shards, x, y } = named("several layers");
    const { modelTopology, weightsManifest } = model;
    const artifacts = { modelTopology, weightSpecs: weightsManifest[0]!.weights };
    expect(errorOf(await fromTfjs(artifacts, shards[0]!), x, y)).toBeLessThan(1e-5);
  });

  test("come from tensorflowjs_converter, with the names that it writes", async () => {
    const { model, shards, x, y } = named("several layers");
    for (const { weights } of model.weightsManifest) {
      for (const weight of weights) weight.name = `sequential/${weight.name}`;
    }
    expect(errorOf(await fromTfjs(model, shards), x, y)).toBeLessThan(1e-5);
  });

  test("come from Keras 3, functional and with its options", async () => {
    const { model, shards, layers, x, y } = named("functional");
    const { config } = model.modelTopology;
    model.modelTopology.class_name = "Functional";
    layers[0]!.config.batch_shape = layers[0]!.config.batch_input_shape;
    delete layers[0]!.config.batch_input_shape;
    for (const layer of layers.slice(1)) {
      const [[[source]]] = layer.inbound_nodes as [[[string]]];
      const config = { shape: [null, 4], keras_history: [source, 0, 0] };
      layer.inbound_nodes = [{ args: [{ class_name: "__keras_tensor__", config }], kwargs: {} }];
      layer.config.dtype = { module: "keras", class_name: "DTypePolicy", config: { name: "float32" } };
    }
    config.input_layers = (config.input_layers as unknown[])[0];
    config.output_layers = (config.output_layers as unknown[])[0];
    layers.reverse();
    expect(errorOf(await fromTfjs(model, shards), x, y)).toBeLessThan(1e-5);
  });

  test("come with the shape for which they were built", async () => {
    const { model, shards, layers, x, y } = named("dense without bias");
    model.modelTopology.config.build_input_shape = layers[0]!.config.batch_input_shape;
    delete layers[0]!.config.batch_input_shape;
    expect(errorOf(await fromTfjs(model, shards), x, y)).toBeLessThan(1e-5);
  });

  test("leave the random numbers as they were", async () => {
    const { model, shards } = named("embedding");
    manualSeed(5);
    const before = [...getRngState()];
    await fromTfjs(model, shards);
    expect([...getRngState()]).toEqual(before);
  });

  test("the options of Keras that tfjs leaves out", async () => {
    const shown = async (name: string, options: Record<string, unknown>) => {
      const { model, shards, layers } = named(name);
      Object.assign(layers[0]!.config, options);
      const [layer] = (await fromTfjs(model, shards)).layers;
      return [String(layer), (layer as { options?: object }).options];
    };
    expect(await shown("reLU", { negative_slope: 0.25 })).toEqual(["LeakyReLU", { negativeSlope: 0.25 }]);
    expect(await shown("elu", { alpha: 0.5 })).toEqual(["ELU", { alpha: 0.5 }]);
    const slope = { alpha: undefined, negative_slope: 0.4 };
    expect(await shown("leakyReLU", slope)).toEqual(["LeakyReLU", { negativeSlope: 0.4 }]);
    expect(await shown("softmax of rank 3", { axis: 1 })).toEqual(["Softmax", { dim: 1 }]);
    expect(await shown("softmax of rank 3", { axis: [-1] })).toEqual(["Softmax", { dim: -1 }]);
  });
});
