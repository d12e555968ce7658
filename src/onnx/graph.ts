// From the messages of a file to nodes and the values between them.
import { text } from "../errors";
import { FormatError } from "../index";
import { type Constant, constantOf } from "./constant";
import { Node, type Value } from "./node";
import {
  type AttributeProto,
  DOUBLE,
  FLOAT,
  type GraphProto,
  INT32,
  INT64,
  type NodeProto,
  typeName,
  type ValueInfoProto,
} from "./proto";

/** An input of a model. */
export interface OnnxInput {
  readonly name: string;
  /** i32 stands for int64, too. */
  readonly dtype: "f32" | "i32";
  /** null for a size that is left open; undefined if nothing is known. */
  readonly shape: readonly (number | null)[] | undefined;
}

/** Operators whose output has the type of their input. */
const FOLLOWERS = new Set(["Flatten", "Gather", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"]);

/** The values and nodes of a graph. */
export class Graph {
  readonly inputs: readonly { readonly info: OnnxInput; readonly value: Value }[];
  /** In the order of the file, in which each comes after those that it reads. */
  readonly nodes: Node[] = [];
  readonly output: Value;
  private readonly values = new Map<string, Value>();

  /** @throws FormatError for a graph that contradicts itself, or has not one output */
  constructor(
    proto: GraphProto,
    private readonly opset: number,
  ) {
    for (const t of proto.initializer ?? []) {
      const constant = constantOf(t);
      this.define(t.name, { constant, isState: constant.isFloat && constant.shape.length > 0 });
    }
    // Before IR version 4 initialisers are inputs, too.
    const infos = (proto.input ?? []).filter(({ name = "" }) => !this.values.has(name)).map(inputOf);
    this.inputs = infos.map((info) => ({
      info,
      value: this.define(info.name, { isFloat: info.dtype === "f32" }),
    }));
    for (const node of proto.node ?? []) this.read(node);
    const names = (proto.output ?? []).map(({ name = "" }) => name);
    if (names.length !== 1) {
      throw new FormatError(`a module has one output, the graph has ${names.length}: export it with one`);
    }
    this.output = this.values.get(names[0]!) ?? missing("the graph", names[0]!);
    this.output.uses++;
  }

  private define(name = "", rest: { constant?: Constant; isState?: boolean; isFloat?: boolean }): Value {
    const isFloat = rest.constant?.isFloat ?? rest.isFloat ?? true;
    return this.named(name, { name, ...rest, isFloat, place: 0, uses: 0 });
  }

  /** Values have one name, apart from those that Identity gives to what is in the file. */
  private named(name: string, value: Value): Value {
    if (name === "") throw new FormatError("a value has no name");
    if (this.values.has(name)) throw new FormatError(`the value ${text(name)} is made twice`);
    this.values.set(name, value);
    return value;
  }

  private read(proto: NodeProto): void {
    const { input = [], output = [], opType = "" } = proto;
    const label = `${opType} ${text(proto.name ?? output[0] ?? "")}`;
    if (output.length === 0) throw new FormatError(`${label} makes nothing`);
    const inputs = input.map((name) =>
      name === "" ? undefined : (this.values.get(name) ?? missing(label, name)),
    );
    const [first] = inputs;
    if (opType === "Constant") {
      const constant = constantIn(proto.attribute ?? []);
      if (constant !== undefined) return void this.define(output[0], { constant });
    }
    if (first?.constant !== undefined) {
      if (opType === "Identity") return void this.named(output[0]!, first);
      const constant = opType === "Cast" && !first.isState ? converted(first.constant, proto) : undefined;
      if (constant !== undefined) return void this.define(output[0], { constant });
    }
    for (const value of inputs) if (value !== undefined) value.uses++;
    const node = new Node(proto, inputs, this.opset, isFloat(proto, first));
    this.nodes.push(node);
    for (const value of node.outputs) if (value.name !== "") this.named(value.name, value);
  }
}

function missing(label: string, name: string): never {
  throw new FormatError(`${label} reads ${text(name)}, which nothing before it makes`);
}

function inputOf({ name = "", type }: ValueInfoProto): OnnxInput {
  const { elemType, shape } = type?.tensorType ?? {};
  if (elemType !== FLOAT && elemType !== INT32 && elemType !== INT64) {
    throw new FormatError(
      `the input ${text(name)} is of ${typeName(elemType)}; float, int32 and int64 can be read`,
    );
  }
  const sizes = shape && (shape.dim ?? []).map(({ dimValue }) => dimValue ?? null);
  return { name, dtype: elemType === FLOAT ? "f32" : "i32", shape: sizes };
}

function isFloat({ opType = "", attribute = [] }: NodeProto, input: Value | undefined): boolean {
  if (opType === "Cast") return isFloatType(castTo(attribute));
  return FOLLOWERS.has(opType) ? (input?.isFloat ?? true) : true;
}

const isFloatType = (type: number) => type === FLOAT || type === DOUBLE;
const castTo = (attributes: readonly AttributeProto[]) =>
  attributes.find(({ name }) => name === "to")?.i ?? 0;

/** Undefined for texts and sparse tensors. */
function constantIn(attributes: readonly AttributeProto[]): Constant | undefined {
  const [{ name, t, f, i, floats, ints } = {}] = attributes;
  if (attributes.length !== 1) return undefined;
  if (name === "value" && t !== undefined) return constantOf(t);
  if (name === "value_float") return { shape: [], isFloat: true, data: Float32Array.of(f ?? 0) };
  if (name === "value_int") return { shape: [], isFloat: false, data: Float64Array.of(i ?? 0) };
  if (name === "value_floats" && floats !== undefined) {
    return { shape: [floats.length], isFloat: true, data: Float32Array.from(floats) };
  }
  if (name !== "value_ints" || ints === undefined) return undefined;
  return { shape: [ints.length], isFloat: false, data: Float64Array.from(ints) };
}

/** A constant in another type; undefined for one that is neither float nor integer, or if values would change. */
function converted({ shape, data }: Constant, { attribute = [] }: NodeProto): Constant | undefined {
  const to = castTo(attribute);
  if (isFloatType(to)) return { shape, isFloat: true, data: Float32Array.from(data) };
  if ((to !== INT32 && to !== INT64) || !data.every(Number.isSafeInteger)) return undefined;
  return { shape, isFloat: false, data: Float64Array.from(data) };
}
