// Writes test/tfjs.json: models as @tensorflow/tfjs saves them, with inputs and what it predicts for them, and the same
// models in other forms of the format that it loads.  npm install --prefix bench/peers && node scripts/tfjs-models.mjs
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const tf = createRequire(new URL("../bench/peers/package.json", import.meta.url))("@tensorflow/tfjs");
const { layers: L, sequential, input, model: functional } = tf;
const cases = [];
const BYTES = { float32: 4, int32: 4, uint8: 1, uint16: 2, float16: 2 };
let seed = 1;

const ACTIVATIONS =
  "linear relu relu6 elu selu gelu gelu_new swish mish sigmoid tanh softplus softsign softmax logSoftmax".split(
    " ",
  );
for (const activation of ACTIVATIONS) {
  await add(`activation ${activation}`, [L.dense({ units: 4, activation, inputShape: [3] })]);
}
await add("activations as layers", [
  L.activation({ activation: "tanh", inputShape: [5] }),
  L.activation({ activation: "logSoftmax" }),
]);
await add("dense without bias", [L.dense({ units: 2, useBias: false, inputShape: [3] })]);
await add("dense of rank 3", [L.dense({ units: 4, inputShape: [2, 3] }), L.flatten(), L.dense({ units: 2 })]);
await add("several layers", [
  L.inputLayer({ inputShape: [6] }),
  L.dense({ units: 8, activation: "relu" }),
  L.dropout({ rate: 0.4 }),
  L.batchNormalization(),
  L.dense({ units: 5, activation: "tanh" }),
  L.layerNormalization(),
  L.dense({ units: 3, activation: "softmax" }),
]);
await add("reLU", [L.reLU({ inputShape: [6] })]);
await add("reLU to 6", [L.reLU({ maxValue: 6, inputShape: [6] })]);
await add("reLU to 2.5", [L.reLU({ maxValue: 2.5, inputShape: [6] })]);
await add("leakyReLU", [L.leakyReLU({ inputShape: [6] }), L.leakyReLU({ alpha: 0.1 })]);
await add("elu", [L.elu({ inputShape: [6] })]);
await add("softmax", [L.softmax({ axis: -1, inputShape: [6] })]);
await add("softmax of rank 3", [L.softmax({ axis: 2, inputShape: [3, 4] })]);
await add("prelu", [L.prelu({ inputShape: [5] })]);
await add("prelu, shared", [L.prelu({ inputShape: [5], sharedAxes: 1 })]);
await add("prelu of rank 3, shared along the last", [L.prelu({ inputShape: [3, 4], sharedAxes: [2] })]);
await add("batch normalization", [L.batchNormalization({ inputShape: [4], epsilon: 0.01, momentum: 0.9 })]);
await add("batch normalization, no scale", [L.batchNormalization({ inputShape: [4], scale: false })]);
await add("batch normalization, no center", [L.batchNormalization({ inputShape: [4], center: false })]);
await add("batch normalization, neither", [
  L.batchNormalization({ inputShape: [4], center: false, scale: false }),
]);
// The CPU backend of tfjs takes the statistics in turns of the last dimension, whatever the axis.
await add("batch normalization of rank 3", [L.batchNormalization({ inputShape: [3, 4], axis: 1 })], {
  predict(model, x) {
    const [gamma, beta, mean, variance] = model.getWeights().map((weight) => weight.reshape([3, 1]));
    return x.sub(mean).div(variance.add(1e-3).sqrt()).mul(gamma).add(beta);
  },
});
await add("layer normalization", [L.layerNormalization({ inputShape: [4], epsilon: 0.02 })]);
await add("layer normalization over two", [L.layerNormalization({ inputShape: [3, 4], axis: [1, 2] })]);
await add("layer normalization, no scale", [L.layerNormalization({ inputShape: [2, 4], scale: false })]);
await add("layer normalization, no center", [L.layerNormalization({ inputShape: [4], center: false })]);
await add("embedding", [
  L.embedding({ inputDim: 7, outputDim: 3, inputLength: 4 }),
  L.flatten(),
  L.dense({ units: 2 }),
]);
await add("noise", [
  L.dense({ units: 4, inputShape: [3] }),
  L.gaussianNoise({ stddev: 1 }),
  L.gaussianDropout({ rate: 0.5 }),
  L.alphaDropout({ rate: 0.5 }),
]);

const small = () => [
  L.dense({ units: 4, activation: "logSoftmax", inputShape: [3] }),
  L.batchNormalization(),
  L.dense({ units: 2, useBias: false }),
];
await add("functional", chained(input({ shape: [3] }), small()));
await add("in three shards", small(), { shards: 3 });
await add("in two groups", small(), { groups: 2 });
await add("with an optimizer", small(), { optimizer: true });
await add("names with JavaScript's capitals", small(), { topology: (json) => renamed(json, camelCase) });
await add("layers as a list, in model_config", small(), {
  topology: ({ class_name, config }) => ({
    keras_version: "2.1.6",
    backend: "tensorflow",
    model_config: { class_name, config: config.layers },
    training_config: null,
  }),
});
for (const dtype of ["uint8", "uint16", "float16"]) await add(`as ${dtype}`, small(), { dtype });

writeFileSync(new URL("../test/tfjs.json", import.meta.url), `${lines(cases)}\n`);

/** The layers of a Sequential, or a model, as files, with what tfjs predicts by it. */
async function add(name, layersOrModel, options = {}) {
  const model = Array.isArray(layersOrModel) ? sequential({ layers: layersOrModel }) : layersOrModel;
  model.setWeights(model.weights.map((weight) => values(weight.shape, weight.name.includes("variance"))));
  const artifacts = await saved(model, options.optimizer);
  if (options.topology) artifacts.modelTopology = options.topology(artifacts.modelTopology);
  if (options.dtype) quantise(artifacts, options.dtype);
  // tfjs saves gelu_new, but does not know its name when it loads it: only what was changed here has to be loaded.
  const isChanged = options.topology ?? options.dtype;
  const loaded = isChanged ? await tf.loadLayersModel(tf.io.fromMemory(artifacts)) : model;
  const [first] = loaded.inputs;
  const shape = [4, ...first.shape.slice(1)];
  const isIndex = loaded.layers[0].getClassName() === "Embedding";
  const x = isIndex ? tf.floor(tf.randomUniform(shape, 0, 7, "float32", seed++)) : values(shape).mul(2);
  const y = options.predict ? options.predict(model, x) : loaded.predict(x);
  cases.push({ name, ...files(artifacts, options), x: plain(x), y: plain(y) });
}

function values(shape, isPositive = false) {
  const drawn = tf.randomNormal(shape, 0, 1, "float32", seed++);
  return isPositive ? drawn.square().add(0.1) : drawn;
}

function plain(tensor) {
  return { shape: tensor.shape, data: [...tensor.dataSync()] };
}

function chained(start, layers) {
  return functional({ inputs: start, outputs: layers.reduce((x, layer) => layer.apply(x), start) });
}

async function saved(model, includeOptimizer = false) {
  if (includeOptimizer) {
    model.compile({ loss: "meanSquaredError", optimizer: tf.train.adam() });
    await model.fit(tf.ones([4, 3]), tf.ones([4, 2]), { epochs: 1, verbose: 0 });
  }
  let artifacts;
  const keep = async (given) => {
    artifacts = given;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
  };
  await model.save(tf.io.withSaveHandler(keep), { includeOptimizer });
  return artifacts;
}

/** A model.json and its shards. */
function files({ modelTopology, weightSpecs, weightData, format }, { shards = 1, groups = 1 }) {
  const bytes = new Uint8Array(weightData);
  const manifest = [];
  const parts = [];
  let at = 0;
  for (let g = 0; g < groups; g++) {
    const weights = weightSpecs.slice(
      ...[g, g + 1].map((n) => Math.round((n / groups) * weightSpecs.length)),
    );
    const size = weights.reduce((sum, spec) => sum + sizeOf(spec), 0);
    const cut = (n) => at + Math.round((n / shards) * size);
    const paths = Array.from({ length: shards }, (_, n) => `group${g + 1}-shard${n + 1}of${shards}.bin`);
    for (let n = 0; n < shards; n++)
      parts.push(Buffer.from(bytes.slice(cut(n), cut(n + 1))).toString("base64"));
    manifest.push({ paths, weights });
    at += size;
  }
  return { model: { format, modelTopology, weightsManifest: manifest }, shards: parts };
}

function sizeOf({ shape, dtype, quantization }) {
  return BYTES[quantization?.dtype ?? dtype] * shape.reduce((product, n) => product * n, 1);
}

/** As tensorflowjs_converter quantises: each weight from its least to its largest value. */
function quantise(artifacts, dtype) {
  const all = new Float32Array(artifacts.weightData);
  const parts = [];
  let at = 0;
  for (const spec of artifacts.weightSpecs) {
    const data = all.slice(at, at + spec.shape.reduce((product, n) => product * n, 1));
    at += data.length;
    if (dtype === "float16") {
      spec.quantization = { dtype, original_dtype: "float32" };
      parts.push(Uint16Array.from(data, half));
      continue;
    }
    const min = Math.min(...data);
    const most = dtype === "uint8" ? 255 : 65535;
    const scale = (Math.max(...data) - min) / most || 1;
    spec.quantization = { dtype, min, scale, original_dtype: "float32" };
    const Kind = dtype === "uint8" ? Uint8Array : Uint16Array;
    parts.push(Kind.from(data, (value) => Math.round((value - min) / scale)));
  }
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part.buffer)));
  artifacts.weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

/** The float16 next to a number between 2⁻¹⁴ and 65504. */
function half(value) {
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const mantissa = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) + ((exponent + 15) << 10) + mantissa;
}

/** Keys, and the names of functions, in another spelling. */
function renamed(json, rename) {
  if (Array.isArray(json)) return json.map((item) => renamed(item, rename));
  if (typeof json !== "object" || json === null) return json;
  const entries = Object.entries(json).map(([key, value]) => [
    rename(key),
    key === "activation" ? rename(value) : renamed(value, rename),
  ]);
  return Object.fromEntries(entries);
}

function camelCase(name) {
  return name.replaceAll(/_(\w)/g, (_, letter) => letter.toUpperCase());
}

/** A line for each case. */
function lines(list) {
  return `[\n${list.map((item) => JSON.stringify(item)).join(",\n")}\n]`;
}
