// The nodes of a graph that was read, and the values between them.
import { FormatError, type Tensor } from "../index";
import type { Constant } from "./constant";
import type { AttributeProto, NodeProto } from "./proto";

/** What nodes read and make. */
export interface Value {
  readonly name: string;
  readonly isFloat: boolean;
  /** The node whose output it is. */
  readonly producer?: Node;
  /** The numbers, where they are in the file. */
  readonly constant?: Constant;
  /** Whether those are a parameter or a buffer: float32 of at least one dimension, in an initialiser. */
  readonly isState?: boolean;
  /** Which output of its node it is. */
  readonly place: number;
  /** How often nodes read it, the output of the graph counting as one. */
  uses: number;
}

/** What a node does: the values that it needs as tensors, and what it makes of them. */
export interface Step {
  readonly inputs: readonly Value[];
  /** Those of the inputs that are running statistics. */
  readonly buffers?: readonly Value[];
  run(inputs: readonly Tensor[], training: boolean): Tensor;
}

export class Node {
  readonly op: string;
  readonly outputs: readonly Value[];

  constructor(
    readonly proto: NodeProto,
    /** Undefined for an optional one that is left out. */
    readonly inputs: readonly (Value | undefined)[],
    /** The version of ONNX' operators. */
    readonly opset: number,
    /** Whether what it makes is float. */
    isFloat: boolean,
  ) {
    const { domain = "", opType = "" } = proto;
    this.op = domain === "" || domain === "ai.onnx" ? opType : `${domain}.${opType}`;
    const outputs = proto.output ?? [];
    this.outputs = outputs.map((name, place) => ({ name, isFloat, producer: this, place, uses: 0 }));
  }

  /** Its own, or else that of its output. */
  get name(): string {
    return this.proto.name || this.outputs[0]!.name;
  }

  /** @throws FormatError with what hinders */
  refuse(message: string): never {
    throw new FormatError(message);
  }

  /** An input of floats. */
  input(i: number): Value {
    const value = this.any(i);
    if (!value.isFloat) this.refuse(`input ${i} is not float`);
    return value;
  }

  /** An input of whatever type. */
  any(i: number): Value {
    return this.inputs[i] ?? this.refuse(`input ${i} is missing`);
  }

  /** An input that may be left out. */
  optional(i: number): Value[] {
    return this.inputs[i] === undefined ? [] : [this.input(i)];
  }

  /** The numbers of an input that has to be in the file; undefined if it is left out. */
  numbers(i: number): number[] | undefined {
    const value = this.inputs[i];
    if (value === undefined) return undefined;
    if (value.constant === undefined) return this.refuse(`input ${i} is computed, and has to be in the file`);
    return [...value.constant.data];
  }

  /** The same of a single number. */
  number(i: number): number | undefined {
    const numbers = this.numbers(i);
    if (numbers !== undefined && numbers.length !== 1) this.refuse(`input ${i} is not one number`);
    return numbers?.[0];
  }

  attribute(name: string): AttributeProto | undefined {
    return this.proto.attribute?.find((attribute) => attribute.name === name);
  }

  int(name: string, otherwise: number): number {
    return this.attribute(name)?.i ?? (this.attribute(name) ? 0 : otherwise);
  }

  float(name: string, otherwise: number): number {
    const attribute = this.attribute(name);
    return attribute === undefined ? otherwise : decimal(attribute.f ?? 0);
  }

  ints(name: string): number[] | undefined {
    return this.attribute(name) && (this.attribute(name)!.ints ?? []);
  }

  text(name: string, otherwise: string): string {
    const attribute = this.attribute(name);
    return attribute === undefined ? otherwise : new TextDecoder().decode(attribute.s);
  }
}

/**
 * The shortest decimal of a float32: what someone wrote who wrote 1e-5, which the file holds as 0.00000999999974. Of that the
 * float32 is the same again.
 */
export function decimal(float: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return float;
}

/** The node behind a value, if it is of this kind. */
export function made(value: Value | undefined, op: string): Node | undefined {
  return value?.producer?.op === op ? value.producer : undefined;
}

/** Whether a value is this one number in the file, to within rounding. */
export function isNumber(value: Value | undefined, wanted: number): boolean {
  const number = numberOf(value);
  return number !== undefined && Math.abs(number - wanted) <= 1e-6 * Math.abs(wanted);
}

/** The number that a value is in the file, and no parameter. */
export function numberOf(value: Value | undefined): number | undefined {
  if (value?.constant === undefined || value.isState) return undefined;
  const { shape, data } = value.constant;
  return data.length === 1 && shape.length < 2 ? data[0] : undefined;
}
