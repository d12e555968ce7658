// The weights of a tfjs model: groups of them one after another, each group cut into files (shards).
import { half } from "../io/half";
import { field, isObject, isSizes, type Json, refuse, told } from "./json";

/** What reads a number of a weight. */
type Read = (view: DataView, index: number) => number;

/** A weight as the manifest describes it. */
export interface Weight {
  name: string;
  shape: number[];
  /** In the file. */
  bytes: number;
  dtype: string;
  /** Undefined for what no layer has: integers, booleans. */
  read: Read | undefined;
  /** Of an optimizer. */
  isForeign: boolean;
}

/** Weights that follow each other, and the files that hold them. */
export interface Group {
  paths: string[];
  weights: Weight[];
}

/** Bytes of a file. */
export type Bytes = Uint8Array | ArrayBuffer;

/** Numbers that are stored as they are: bytes of one, and how it is read if layers have such. */
const TYPES = new Map<string, { bytes: number; read?: Read }>([
  ["float32", { bytes: 4, read: (view, i) => view.getFloat32(4 * i, true) }],
  ["int32", { bytes: 4 }],
  ["uint8", { bytes: 1 }],
  ["bool", { bytes: 1 }],
  ["complex64", { bytes: 8 }],
]);

/** @throws FormatError for what is no manifest */
export function readManifest(model: Json): Group[] {
  if (Array.isArray(model.weightSpecs)) return [{ paths: [], weights: model.weightSpecs.map(readWeight) }];
  const { weightsManifest } = model;
  if (!Array.isArray(weightsManifest))
    return refuse("there is no weightsManifest: a topology without weights?");
  const groups = weightsManifest.map((group, i): Group => {
    const { paths, weights } = (isObject(group) ? group : {}) as Partial<Record<string, unknown>>;
    if (!Array.isArray(paths) || !paths.every(isPath) || !Array.isArray(weights)) {
      return refuse(`group ${i} of the weightsManifest needs weights, and paths below its folder`);
    }
    return { paths, weights: weights.map(readWeight) };
  });
  const paths = groups.flatMap((group) => group.paths);
  if (new Set(paths).size !== paths.length) refuse("the weightsManifest has a path twice");
  return groups;
}

/** Relative, and not out of the folder: callers join it with theirs. */
function isPath(path: unknown): path is string {
  if (typeof path !== "string" || /[\\:\0]/.test(path)) return false;
  return path.split("/").every((part) => part !== "" && part !== "..");
}

function readWeight(spec: unknown): Weight {
  const { name, shape, dtype, quantization, group } = (isObject(spec) ? spec : {}) as Partial<Json>;
  if (typeof name !== "string" || !isSizes(shape) || typeof dtype !== "string") {
    return refuse("each weight of the manifest needs a name, a shape and a dtype");
  }
  const label = `the weight "${name}"`;
  const count = shape.reduce((product, n) => product * n, 1);
  const type = quantization == null ? TYPES.get(dtype) : quantized(label, dtype, quantization);
  if (type === undefined) return refuse(`${label}: the dtype ${told(dtype)} is not known`);
  const bytes = count * type.bytes;
  if (!Number.isSafeInteger(bytes)) refuse(`${label}: its shape is too large`);
  return { name, shape, dtype, bytes, read: type.read, isForeign: group === "optimizer" };
}

/** value = scale · integer + min, or a float16. */
function quantized(label: string, dtype: string, quantization: unknown): { bytes: number; read?: Read } {
  const fields = isObject(quantization) ? quantization : {};
  const kind = fields.dtype;
  const floats = dtype === "float32";
  if (kind === "float16" && floats) return { bytes: 2, read: (view, i) => half(view.getUint16(2 * i, true)) };
  const [scale, min] = [field(fields, "scale"), field(fields, "min")];
  if ((kind !== "uint8" && kind !== "uint16") || !isNumber(scale) || !isNumber(min)) {
    return refuse(`${label}: expected a quantization by float16, or by uint8 or uint16 with scale and min`);
  }
  const bytes = kind === "uint8" ? 1 : 2;
  if (!floats) return { bytes };
  const integer: Read =
    bytes === 1 ? (view, i) => view.getUint8(i) : (view, i) => view.getUint16(2 * i, true);
  return { bytes, read: (view, i) => scale * integer(view, i) + min };
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

/**
 * For each weight its bytes.
 * @param files all bytes in one, or the files of all groups in order
 * @throws FormatError if they are not exactly as many as the weights take
 */
export function cut(groups: readonly Group[], files: Bytes | readonly Bytes[]): Map<Weight, Uint8Array> {
  const isWhole = !Array.isArray(files);
  const parts = (isWhole ? [files] : files).map(bytesOf);
  const paths = groups.flatMap((group) => group.paths);
  if (!isWhole && paths.length > 0 && parts.length !== paths.length) {
    refuse(`expected ${paths.length} shards (${paths.join(", ")}), got ${parts.length}`);
  }
  const slices = new Map<Weight, Uint8Array>();
  if (isWhole || paths.length === 0) {
    cutGroup({ paths: ["the weights"], weights: groups.flatMap((group) => group.weights) }, parts, slices);
    return slices;
  }
  let at = 0;
  for (const group of groups) {
    cutGroup(group, parts.slice(at, at + group.paths.length), slices);
    at += group.paths.length;
  }
  return slices;
}

function bytesOf(file: unknown): Uint8Array {
  if (file instanceof ArrayBuffer) return new Uint8Array(file);
  return file instanceof Uint8Array ? file : refuse(`expected the bytes of a shard, got ${told(file)}`);
}

function cutGroup({ paths, weights }: Group, parts: Uint8Array[], slices: Map<Weight, Uint8Array>): void {
  const wanted = weights.reduce((sum, { bytes }) => sum + bytes, 0);
  const given = parts.reduce((sum, { length }) => sum + length, 0);
  if (given !== wanted) refuse(`${paths.join(", ")}: the weights take ${wanted} bytes, got ${given}`);
  const bytes = parts.length === 1 ? parts[0]! : joined(parts, given);
  let at = 0;
  for (const weight of weights) {
    slices.set(weight, bytes.subarray(at, at + weight.bytes));
    at += weight.bytes;
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The numbers of a weight that layers have. */
export function numbers({ shape, read }: Weight, bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
  for (let i = 0; i < values.length; i++) values[i] = read!(view, i);
  return values;
}
