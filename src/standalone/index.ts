// A trained network as the text of a module of its own, for places where even the library is too much.
import { text as told } from "../errors";
import { type AnyModule, type Layer, Module, NablasError, OptionError, Sequential } from "../index";
import { type Sizes, size, Text } from "./text";
import { rowOf, writerOf } from "./writers";

/** The options of `toModule`. */
export interface StandaloneOptions {
  /**
   * The shape of the input, [null, 64] for rows of 64 numbers. Default: what the first layer takes, if it is a Linear, a
   * BatchNorm1d or a LayerNorm.
   */
  input?: readonly (number | null)[];
  /** "inline" (default) for weights in the text, as base64; "beside" for a file of their own. */
  weights?: "inline" | "beside";
}

/** What `toModule` writes. */
export interface Standalone {
  /**
   * The text of an ES module, which exports `predict`, and with weights beside it `load`, which takes their bytes, a
   * Uint8Array or an ArrayBuffer, before the first prediction.
   */
  code: string;
  /** Its declarations for TypeScript: the text of a .d.ts file. */
  types: string;
  /** The bytes of the file beside it, float32 and little-endian; null if there is none. */
  weights: Uint8Array | null;
}

/**
 * A network in evaluation mode as plain JavaScript that needs nothing: no library, no wasm, no `eval`. It runs in Node,
 * browsers and workers, and has only the functions that the network uses. Weights are float32, sums float64; results agree
 * with those of the model to 1e-5 relative to max(1, |y|). The model is left as it is, whatever its mode.
 *
 * `predict(x)` takes the numbers of any number of rows, one row after another, as a Float32Array or an array, and gives a new
 * Float32Array of as many results, row after row; the comment above it gives both shapes. Another number of numbers is a
 * RangeError, as is an index that an Embedding does not have.
 *
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { Linear, ReLU, Sequential } from "nablas";
 * import { toModule } from "nablas/standalone";
 *
 * const model = new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 1)); // trained
 * writeFileSync("network.js", toModule(model).code);
 * // elsewhere: import { predict } from "./network.js"; predict(Float32Array.of(0, 1));
 * ```
 * @param model a module of the library, or Sequential ones of them
 * @throws OptionError for modules of one's own, which it lists, for a BatchNorm1d without running statistics, and without
 *   an `input` where the first layer does not tell it; ShapeError for an input that does not fit
 */
export function toModule(model: Layer, options: StandaloneOptions = {}): Standalone {
  const { input, weights } = read(options);
  const modules = flat(model);
  const start: Sizes = { lead: 1, rest: input ?? inputOf(modules) };
  const text = new Text();
  let sizes = start;
  for (const { path, module } of modules) sizes = write(path, module, sizes, text);
  const stored = text.weights.length > 0;
  const isBeside = weights === "beside" && stored;
  const bytes = bytesOf(text);
  const parts = [
    `// A trained network, written by nablas: ${shape(start)} to ${shape(sizes)}.`,
    predict(text, start, sizes, isBeside),
    ...text.functions(),
    ...(isBeside ? [load(text, bytes.length)] : stored ? [inline(text, bytes)] : []),
  ];
  const types = [
    `${about(start, sizes)}\nexport declare function predict(input: ArrayLike<number>): Float32Array;`,
  ];
  if (isBeside)
    types.push(`${ABOUT_LOAD}\nexport declare function load(bytes: Uint8Array | ArrayBuffer): void;`);
  return {
    code: `${parts.join("\n\n")}\n`,
    types: `${types.join("\n\n")}\n`,
    weights: isBeside ? bytes : null,
  };
}

/** As long may base64 be beside its name, for a line of 110 columns. */
const SHORT = 96;
const ABOUT_LOAD = "/** Takes the weights from the bytes of the file beside this one. */";

function read(options: StandaloneOptions): { input: number[] | undefined; weights: string } {
  if (typeof options !== "object" || options === null)
    throw new OptionError(`toModule: options are an object, got ${told(options)}`);
  const unknown = Object.keys(options).find((name) => name !== "input" && name !== "weights");
  if (unknown !== undefined)
    throw new OptionError(`toModule: unknown option "${unknown}"; it takes input, weights`);
  const { input, weights = "inline" } = options;
  if (weights !== "inline" && weights !== "beside")
    throw new OptionError(`toModule: weights is "inline" or "beside", got ${told(weights)}`);
  if (input === undefined) return { input, weights };
  const [rows, ...rest] = Array.isArray(input) ? input : [];
  if (rows !== null || !rest.every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new OptionError(`toModule: input is [null, …] with sizes ≥ 1, got ${told(input)}`);
  }
  return { input: rest, weights };
}

interface Placed {
  path: string;
  module: AnyModule;
}

/** The modules one after another. @throws OptionError that lists those of one's own */
function flat(model: AnyModule): Placed[] {
  if (!(model instanceof Module)) throw new OptionError(`toModule: expected a module, got ${told(model)}`);
  const placed = inside(model, "");
  const foreign = placed.filter(({ module }) => writerOf(module) === undefined);
  if (foreign.length === 0) return placed;
  const names = foreign.map(({ path, module }) => `${JSON.stringify(path)} (${module.constructor.name})`);
  throw new OptionError(
    `toModule: only modules of the library, in Sequential ones, can be written, got ${names.join(", ")}`,
  );
}

function inside(module: AnyModule, path: string): Placed[] {
  const kind: unknown = module.constructor;
  if (kind !== Sequential) return [{ path, module }];
  return module
    .namedChildren()
    .flatMap(([name, child]) => inside(child, path === "" ? name : `${path}.${name}`));
}

function inputOf(modules: readonly Placed[]): readonly number[] {
  const row = modules.map(({ module }) => rowOf(module)).find((one) => one !== "any");
  if (row !== undefined) return row;
  throw new OptionError("toModule: the first layer does not tell its input; pass { input: [null, 64] }");
}

function write(path: string, module: AnyModule, sizes: Sizes, text: Text): Sizes {
  text.enter(path);
  try {
    return writerOf(module)!(module, sizes, text);
  } catch (error) {
    if (error instanceof NablasError) error.message = `toModule: ${module} "${path}": ${error.message}`;
    throw error;
  }
}

function shape({ lead, rest }: Sizes): string {
  return `[${[lead === 1 ? "rows" : `${lead} · rows`, ...rest].join(", ")}]`;
}

function about(start: Sizes, end: Sizes): string {
  return `/** ${shape(start)} to ${shape(end)}, the numbers of one row after another. */`;
}

function predict(text: Text, start: Sizes, end: Sizes, isBeside: boolean): string {
  const width = size(start.rest);
  const unloaded = `  if (${text.weights[0]?.name} === undefined) throw new Error("predict: load the weights first");\n`;
  return `${about(start, end)}
export function predict(input) {
${isBeside ? unloaded : ""}  const rows = input.length / ${width};
  if (!Number.isInteger(rows)) {
    throw new RangeError(\`predict: expected rows of ${width} numbers, got \${input.length} numbers\`);
  }
${body(text)}
}`;
}

function body({ steps }: Text): string {
  if (steps.length === 0) return "  return new Float32Array(input);";
  return ["let x = new Float32Array(input);", ...steps, "return x;"].map((line) => `  ${line}`).join("\n");
}

/** All weights, one after another. */
function bytesOf({ weights }: Text): Uint8Array {
  const total = weights.reduce((sum, { tensor }) => sum + tensor.size, 0);
  const floats = new Float32Array(total);
  let at = 0;
  for (const { tensor } of weights) {
    floats.set(tensor.data, at);
    at += tensor.size;
  }
  return new Uint8Array(floats.buffer);
}

/** Lines that name the parts of an array `weights`. */
function parts({ weights }: Text, declare: string, indent: string): string {
  let at = 0;
  const lines = weights.map(({ name, tensor }) => {
    const start = at;
    at += tensor.size;
    return `${indent}${declare}${name} = weights.subarray(${start}, ${at});`;
  });
  return lines.join("\n");
}

function load(text: Text, length: number): string {
  const names = text.weights.map(({ name }) => `let ${name};`).join("\n");
  return `${names}

${ABOUT_LOAD}
export function load(bytes) {
  if (bytes.byteLength !== ${length}) {
    throw new RangeError(\`load: expected ${length} bytes, got \${bytes.byteLength}\`);
  }
  const weights = new Float32Array(new Uint8Array(bytes).buffer);
${parts(text, "", "  ")}
}`;
}

function inline(text: Text, bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const base64 = `"${btoa(binary)}";`;
  return `const base64 =${base64.length < SHORT ? " " : "\n  "}${base64}
const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const weights = new Float32Array(bytes.buffer);
${parts(text, "const ", "")}`;
}
