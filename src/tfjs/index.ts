// tfjs layers models: a model.json with the topology as Keras has it and a manifest of the weights, and files of weights.
import { getRngState, Sequential, scope, setRngState } from "../index";
import { activation } from "./activations";
import { isObject, type Json, refuse, told } from "./json";
import { Layer, type Plan, type Shape, Weights } from "./layer";
import { READERS } from "./layers";
import { type Bytes, cut, type Group, numbers, readManifest } from "./manifest";
import { type Chain, readChain } from "./topology";

/**
 * The files of weights beside a model.json: all their bytes in one, or the files in the order of the manifest, or what gives
 * a file, or a promise of it, for its path in the manifest.
 */
export type TfjsShards = Bytes | readonly Bytes[] | ((path: string) => Bytes | Promise<Bytes>);

/**
 * The model of a tfjs layers model (`LayersModel.save` of tfjs, or the `tfjs_layers_model` of tensorflowjs_converter), in
 * evaluation mode: for training on, call `train()`. Read are Sequential models and functional ones that are chains, of
 * InputLayer, Dense, Activation, ReLU, LeakyReLU, PReLU, ELU, Softmax, Flatten, BatchNormalization, LayerNormalization,
 * Embedding and Dropout; GaussianNoise, GaussianDropout, AlphaDropout and SpatialDropout1D become Identity, which they are in
 * evaluation. Weights quantised to uint8, uint16 or float16 become float32.
 *
 * An activation is a module of its own behind its Dense, whose kernel [in, out] is transposed. Where BatchNormalization or
 * LayerNormalization has only one of scale and center, the other starts as ones or zeros, and is learned. Weights of the
 * optimizer, regularizers and constraints are left behind. An Embedding takes i32 tensors. What is allocated is in proportion to
 * the files: four bytes for each number of the weights, and copies of the shards and of one weight at a time.
 *
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { fromTfjs } from "nablas/tfjs";
 *
 * const read = (path: string) => readFile(`tfjs/${path}`);
 * const model = await fromTfjs(await read("model.json"), read);
 * ```
 * ```ts in page
 * import { fromTfjs } from "nablas/tfjs";
 *
 * const get = async (path: string) => (await fetch(`/tfjs/${path}`)).arrayBuffer();
 * const model = await fromTfjs(await get("model.json"), get);
 * ```
 * @param model the model.json: its bytes, its text, or parsed
 * @param shards the weights; of a function's errors nothing is caught. It is not called for a model that is refused
 * @throws FormatError for a file that is not as tfjs has it, for weights that are missing, left over or of another size, and
 *   with a list of them for layers, activations and options that there are no modules for
 */
export async function fromTfjs(model: string | Bytes | object, shards: TfjsShards): Promise<Sequential> {
  const json = parse(model);
  if (json.format !== undefined && json.format !== "layers-model") {
    refuse(`expected a layers-model, got a ${told(json.format)}; a graph model has no layers to read`);
  }
  const groups = readManifest(json);
  const plans = plan(readChain(json.modelTopology), groups);
  const slices = cut(groups, await read(shards, groups));
  const state = getRngState();
  try {
    return scope(() => {
      const modules = plans.flatMap((one) => one.modules((weight) => numbers(weight, slices.get(weight)!)));
      return new Sequential(...modules).eval();
    });
  } finally {
    // What modules draw at their start is overwritten: reading draws nothing.
    setRngState(state);
  }
}

function parse(model: unknown): Json {
  const bytes = model instanceof ArrayBuffer ? new Uint8Array(model) : model;
  let json = bytes;
  try {
    const given =
      bytes instanceof Uint8Array ? new TextDecoder("utf-8", { fatal: true }).decode(bytes) : bytes;
    json = typeof given === "string" ? JSON.parse(given) : given;
  } catch (error) {
    refuse(`the model.json cannot be read: ${(error as Error).message}`);
  }
  return isObject(json) ? json : refuse(`expected a model.json, got ${told(json)}`);
}

/** What makes each layer. @throws FormatError, after all have been looked at, for what there is no module for */
function plan({ layers, input }: Chain, groups: readonly Group[]): Plan[] {
  const weights = new Weights(groups.flatMap((group) => group.weights));
  const missing: string[] = [];
  const plans: Plan[] = [];
  let shape: Shape | undefined = input;
  for (const json of layers) {
    const layer = new Layer(json, weights, missing);
    const reader = READERS.get(json.className);
    if (reader === undefined) missing.push(layer.label);
    else if (shape === undefined) activation(layer);
    if (reader === undefined || shape === undefined) {
      // Nobody knows what comes out of a layer that is not known.
      shape = undefined;
      continue;
    }
    const one: Plan = reader(layer, shape);
    plans.push(one);
    shape = one.output;
  }
  if (missing.length > 0) refuse(`there is nothing here for: ${missing.join("; ")}`);
  const left = weights.left().map(({ name }) => name);
  if (left.length > 0) refuse(`weights of no layer: ${left.join(", ")}`);
  return plans;
}

async function read(shards: TfjsShards, groups: readonly Group[]): Promise<Bytes | readonly Bytes[]> {
  if (typeof shards !== "function") return shards;
  const paths = groups.flatMap((group) => group.paths);
  return Promise.all(paths.map((path) => shards(path)));
}
