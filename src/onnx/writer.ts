// The nodes and initialisers of a graph that is being written.
import type { AnyModule, Tensor } from "../index";
import { ATTRIBUTE, type AttributeProto, FLOAT, INT64, type NodeProto, type TensorProto } from "./proto";

/** A size, or the name of one that is left open. */
export type Dim = number | string;

/** A value of the graph. */
export interface Value {
  readonly name: string;
  readonly shape: readonly Dim[];
}

/** Integers, floats and texts by name; floats are those written as { float }. */
export type Attributes = Readonly<Record<string, number | string | { float: number }>>;

export class GraphWriter {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  /** Of the module that is written: "0.1". */
  path = "";
  private readonly taken = new Set<string>();
  private readonly written = new Set<Tensor>();

  /** @param states the names of parameters and buffers */
  constructor(private readonly states: ReadonlyMap<Tensor, string>) {}

  /** Adds a node with one output, of which it returns the name; named as PyTorch names them: "/0/Gemm_output_0". */
  node(opType: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const name = this.unused(`${this.path === "" ? "" : `/${this.path.replaceAll(".", "/")}`}/${opType}`);
    const output = `${name}_output_0`;
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    this.nodes.push({ name, opType, input: [...inputs], output: [output], attribute });
    return output;
  }

  /** The initialiser of a parameter or buffer; a shared one is written once. */
  state(t: Tensor): string {
    const name = this.states.get(t)!;
    if (this.written.has(t)) return name;
    this.written.add(t);
    const rawData = bytesOf(t.data).slice();
    this.initializers.push({ name, dims: [...t.shape], dataType: FLOAT, rawData });
    return name;
  }

  /** A constant of float32, [] or [sizes]. */
  float(values: number | Float32Array, dims: readonly number[] = []): string {
    const rawData = bytesOf(typeof values === "number" ? Float32Array.of(values) : values);
    return this.constant({ dims: [...dims], dataType: FLOAT, rawData });
  }

  /** A constant of int64, [n]. */
  ints(values: readonly number[]): string {
    const rawData = bytesOf(BigInt64Array.from(values, BigInt));
    return this.constant({ dims: [values.length], dataType: INT64, rawData });
  }

  private constant(t: TensorProto): string {
    const output = this.node("Constant", []);
    this.nodes.at(-1)!.attribute = [{ name: "value", type: ATTRIBUTE.t, t }];
    return output;
  }

  private unused(name: string): string {
    let free = name;
    for (let n = 1; this.taken.has(free); n++) free = `${name}_${n}`;
    this.taken.add(free);
    return free;
  }
}

/** Adds the nodes of a layer to the graph. */
export type Write<M> = (graph: GraphWriter, layer: M, x: Value) => Value;

/** Layers are known by their forward pass, so that a class that takes over another's is known as well. */
export type Layers = ReadonlyMap<unknown, Write<AnyModule>>;

export function layer<M extends AnyModule>(
  Layer: new (...args: never[]) => M,
  write: Write<M>,
): [unknown, Write<AnyModule>] {
  return [Layer.prototype.forward, write as unknown as Write<AnyModule>];
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function attributeOf(name: string, value: Attributes[string]): AttributeProto {
  if (typeof value === "number") return { name, type: ATTRIBUTE.i, i: value };
  if (typeof value === "string") return { name, type: ATTRIBUTE.s, s: new TextEncoder().encode(value) };
  return { name, type: ATTRIBUTE.f, f: value.float };
}
