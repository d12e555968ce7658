import { text } from "../errors";
import { type AnyModule, Embedding, Flatten, type Layer, Module, OptionError, summary } from "../index";
import { faultOf, knownLayers, writerOf } from "./layers";
import { encodeModel, FLOAT, INT32, INT64, type ValueInfoProto } from "./proto";
import { type Dim, GraphWriter, type Layers } from "./writer";

/** The version of the operators, the first that has Gelu, and the version of the format that came with it (ONNX 1.15). */
const OPSET = 20;
const IR_VERSION = 9;

/** The options of `toOnnx`. */
export interface OnnxOptions {
  /** The shape of the input: [null, 64]. null leaves a size open, as that of the batch. */
  input: readonly (number | null)[];
  /** The type of the indices that go into an `Embedding`; default "int32", which is an Int32Array in JavaScript. */
  indices?: "int32" | "int64";
}

/**
 * The bytes of an ONNX file (opset 20, IR version 9) that computes what the model does in evaluation: of dropout nothing is left,
 * batch normalization uses its running statistics, and `RReLU` has the mean of its slopes. Its input is called "input", its
 * output "output". Parameters and running statistics are initialisers (float32, bit by bit) under the names of `stateDict()`; one
 * that is shared has the first of its names.
 *
 * The model consists of `Sequential` and the layers of this library; a class of one's own that inherits the forward pass of one
 * of them is taken for it. What a file cannot hold is left behind: the optimizer and its state, whether a parameter is frozen,
 * counts of batches, a momentum of null, `paddingIdx`. `saveCheckpoint` keeps all that.
 * @throws OptionError that names every module that cannot be written, with its path, or for another option
 * @throws what the model says of an input of that shape, with 1 for an open size
 */
export function toOnnx(model: Layer, options: OnnxOptions): Uint8Array {
  const op = "toOnnx";
  if (!(model instanceof Module)) throw new OptionError(`${op}: expected a module, got ${text(model)}`);
  const { input, indices } = checked(op, options);
  const layers = knownLayers();
  const faults = faultsIn(layers, model, "");
  if (faults.length > 0) {
    throw new OptionError(
      `${op}: cannot write ${faults.join("; ")}; build the model of Sequential and layers of nablas`,
    );
  }
  const isIndex = takesIndices(model);
  summary(
    model,
    input.map((size) => size ?? 1),
    { dtype: isIndex ? "i32" : "f32" },
  );
  const states = new Map(
    Object.entries(model.stateDict())
      .reverse()
      .map(([name, t]) => [t, name]),
  );
  const graph = new GraphWriter(states);
  const shape = input.map((size, d) => size ?? (d === 0 ? "batch" : `size${d}`));
  const y = writerOf(layers, model)!(graph, model, { name: "input", shape });
  const type = !isIndex ? FLOAT : indices === "int32" ? INT32 : INT64;
  if (y.name === "input") graph.node("Identity", ["input"]);
  graph.nodes.at(-1)!.output = ["output"];
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: "nablas",
    opsetImport: [{ domain: "", version: OPSET }],
    graph: {
      name: "main",
      node: graph.nodes,
      initializer: graph.initializers,
      input: [info("input", shape, type)],
      output: [info("output", y.shape, FLOAT)],
    },
  });
}

function checked(op: string, options: OnnxOptions): Required<OnnxOptions> {
  const unknown = Object.keys(options ?? {}).find((name) => name !== "input" && name !== "indices");
  if (unknown !== undefined) {
    throw new OptionError(`${op}: unknown option "${unknown}"; it takes input, indices`);
  }
  const { input, indices = "int32" } = options ?? {};
  const isSize = (size: unknown) => size === null || (Number.isSafeInteger(size) && (size as number) >= 0);
  if (!Array.isArray(input) || input.length === 0 || !input.every(isSize)) {
    throw new OptionError(`${op}: input is a shape such as [null, 64], got ${text(input)}`);
  }
  if (indices !== "int32" && indices !== "int64") {
    throw new OptionError(`${op}: indices is "int32" or "int64", got ${text(indices)}`);
  }
  return { input, indices };
}

/** The modules that cannot be written, with their paths. Within one of unknown forward pass it does not look. */
function faultsIn(layers: Layers, module: AnyModule, path: string): string[] {
  const label = path === "" ? String(module) : `${module} "${path}"`;
  if (writerOf(layers, module) === undefined) return [`${label}, whose forward pass is not known`];
  const fault = faultOf(module);
  if (fault !== undefined) return [`${label}, which ${fault}`];
  return module
    .namedChildren()
    .flatMap(([name, child]) => faultsIn(layers, child, path === "" ? name : `${path}.${name}`));
}

/** Whether the input goes into an Embedding. */
function takesIndices(model: AnyModule): boolean {
  return leaves(model).find((layer) => !(layer instanceof Flatten)) instanceof Embedding;
}

function leaves(module: AnyModule): AnyModule[] {
  const children = module.namedChildren();
  return children.length === 0 ? [module] : children.flatMap(([, child]) => leaves(child));
}

function info(name: string, shape: readonly Dim[], elemType: number): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
