import { text } from "../errors";
import { FormatError, scope } from "../index";
import { Graph } from "./graph";
import { OnnxModel, type Program } from "./model";
import { stepsOf } from "./program";
import { decodeModel, type ModelProto } from "./proto";

/** The versions of the operators whose meaning is known. */
const OLDEST = 9;
const NEWEST = 25;

/**
 * The network of an ONNX file as a module that runs its nodes with the ops of this library: those that `toOnnx` writes, and those that
 * PyTorch's exporters write for the same layers (opsets 9 to 25). What these spell out in several nodes, such as silu, gelu or a
 * linear layer of more than two dimensions, is one op again; of a file of `toOnnx` the results have the bits of the model that was
 * written, in evaluation.
 *
 * float32 initialisers of at least one dimension are the parameters, those that batch normalization takes for statistics
 * the buffers, under their names; numbers (shape []), integers and what `Constant` makes stay what they are. float64 becomes
 * float32, int64 what i32 can hold.
 *
 * A file is read whole or not at all. While it reads, it holds at most 128 bytes for each byte of the file, of which
 * 80 were measured, for one of nothing but the shortest nodes.
 * @throws FormatError for bytes that are no ONNX file, weights in another file, more than one output, other types, and for
 *   everything that the graph does and this library does not: with the list of the nodes, by operator
 */
export function fromOnnx(bytes: Uint8Array | ArrayBuffer): OnnxModel {
  const op = "fromOnnx";
  const file = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
  if (!(file instanceof Uint8Array))
    throw new FormatError(`${op}: expected a Uint8Array, got ${text(bytes)}`);
  try {
    const { graph: proto, opsetImport = [] } = decoded(file);
    if (proto === undefined) throw new FormatError("there is no graph in it; it is no ONNX file");
    const { version = 0 } =
      opsetImport.find(({ domain = "" }) => domain === "" || domain === "ai.onnx") ?? {};
    if (version < OLDEST || version > NEWEST) {
      throw new FormatError(`opset ${version} is not known; export with one from ${OLDEST} to ${NEWEST}`);
    }
    const graph = new Graph(proto, version);
    const program: Program = { inputs: graph.inputs, steps: stepsOf(graph), output: graph.output };
    return scope(() => new OnnxModel(program));
  } catch (error) {
    if (error instanceof FormatError) error.message = `${op}: ${error.message}`;
    throw error;
  }
}

function decoded(file: Uint8Array): ModelProto {
  try {
    return decodeModel(file);
  } catch (error) {
    throw new FormatError(`it is no ONNX file, or a broken one: ${(error as Error).message}`);
  }
}
