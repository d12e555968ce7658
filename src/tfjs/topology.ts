// The layers of a Keras model as JSON: a Sequential's list, or a functional model's layers with what each takes.
import { field, isObject, type Json, refuse, told } from "./json";

/** A layer as the file has it. */
export interface LayerJson {
  className: string;
  name: string;
  config: Json;
}

/** Layers one after another, and the shape of what the first takes, in which null stands for any size. */
export interface Chain {
  layers: LayerJson[];
  input: (number | null)[];
}

/** More than people make; a file with more is refused before it takes time and memory. */
const MOST_LAYERS = 10_000;
const MOST_DIMENSIONS = 16;

/** @throws FormatError for what is no chain of layers with the shape of its input */
export function readChain(topology: unknown): Chain {
  const outer = isObject(topology) ? topology : refuse("there is no modelTopology");
  const model = field(outer, "model_config") ?? outer;
  if (!isObject(model)) return refuse("model_config is no object");
  const className = field(model, "class_name");
  const config = model.config;
  if (className === "Sequential") {
    const layers = Array.isArray(config) ? config : isObject(config) ? config.layers : undefined;
    if (!Array.isArray(layers)) return refuse("the Sequential has no list of layers");
    const input = isObject(config) ? field(config, "build_input_shape") : undefined;
    return withInput(layers.map(readLayer), input);
  }
  if (className === "Model" || className === "Functional") {
    if (!isObject(config)) return refuse(`the ${className} has no config`);
    return withInput(functional(config), undefined);
  }
  return refuse(`expected a Sequential, Functional or Model, got the class ${told(className)}`);
}

function readLayer(json: unknown, index: number): LayerJson {
  const layer = isObject(json) ? json : {};
  const className = field(layer, "class_name");
  const config = layer.config;
  const name = isObject(config) ? (config.name ?? layer.name) : undefined;
  if (typeof className !== "string" || !isObject(config) || typeof name !== "string") {
    return refuse(`layer ${index} needs a class_name and a config with a name`);
  }
  return { className, name, config };
}

function withInput(layers: LayerJson[], built: unknown): Chain {
  if (layers.length > MOST_LAYERS) refuse(`more than ${MOST_LAYERS} layers`);
  const names = layers.map(({ name }) => name);
  if (new Set(names).size < names.length) refuse("two layers have the same name");
  const config = layers[0]?.config ?? {};
  const input = field(config, "batch_input_shape") ?? field(config, "batch_shape") ?? built;
  if (isShape(input)) return { layers, input };
  return refuse(`expected the shape of the input, [null, …], in the first layer, got ${told(input)}`);
}

function isShape(value: unknown): value is (number | null)[] {
  const isSize = (n: unknown) => n === null || (Number.isSafeInteger(n) && (n as number) > 0);
  return Array.isArray(value) && value.length > 1 && value.length <= MOST_DIMENSIONS && value.every(isSize);
}

/** The layers from the input to the output. */
function functional(config: Json): LayerJson[] {
  const list = Array.isArray(config.layers) ? config.layers : refuse("the model has no list of layers");
  const layers = list.map(readLayer);
  const [input, ...otherInputs] = endpoints(config, "input_layers");
  const [output, ...otherOutputs] = endpoints(config, "output_layers");
  if (input === undefined || output === undefined || otherInputs.length + otherOutputs.length > 0) {
    refuse("only models of one input and one output are chains of layers");
  }
  const sources = new Map(layers.map(({ name }, i) => [name, sourcesOf(list[i])]));
  const forks = layers.filter(({ name }) => sources.get(name)!.length !== (name === input ? 0 : 1));
  if (forks.length > 0) {
    const shown = forks.map(({ name, className }) => `"${name}" (${className})`).join(", ");
    refuse(`the model is no chain: not called once, with one input: ${shown}`);
  }
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const chain: LayerJson[] = [];
  for (let name: string | undefined = output; chain.length < layers.length; name = sources.get(name!)![0]) {
    const layer = name === undefined ? undefined : byName.get(name);
    if (layer === undefined) break;
    chain.push(layer);
  }
  chain.reverse();
  if (chain.length < layers.length || chain[0]?.name !== input) {
    refuse(
      `the model is no chain: ${chain.length} of ${layers.length} layers lead from its input to its output`,
    );
  }
  return chain;
}

/** ["dense", 0, 0], or a list of such. */
function endpoints(config: Json, name: string): (string | undefined)[] {
  const given = field(config, name);
  if (!Array.isArray(given)) return [];
  return typeof given[0] === "string" ? [given[0]] : given.map(nameOf);
}

function nameOf(history: unknown): string | undefined {
  return Array.isArray(history) && typeof history[0] === "string" ? history[0] : undefined;
}

/** The layers whose results this one takes, over all its calls. */
function sourcesOf(layer: unknown): (string | undefined)[] {
  const nodes = isObject(layer) ? field(layer, "inbound_nodes") : undefined;
  return Array.isArray(nodes) ? nodes.flatMap(sourcesOfCall) : [];
}

/** A call is [["dense", 0, 0, {}]] in Keras 2, { args: [{ config: { keras_history: ["dense", 0, 0] } }] } in Keras 3. */
function sourcesOfCall(node: unknown): (string | undefined)[] {
  if (Array.isArray(node)) return typeof node[0] === "string" ? [node[0]] : node.map(nameOf);
  const args = isObject(node) && Array.isArray(node.args) ? node.args : [undefined];
  return args.map((arg) => {
    const config = isObject(arg) && isObject(arg.config) ? arg.config : {};
    return nameOf(field(config, "keras_history"));
  });
}
