// The messages of onnx.proto (ONNX 1.15, IR version 9) with the fields that matter here. Since an attribute has no graph here,
// they nest six deep and no deeper: model, graph, node, attribute, tensor.
import { decode, encode, type Fields, many, one } from "./wire";

/** TensorProto.DataType; of the others only the names are known. */
export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;
export const DOUBLE = 11;

const TYPES = [
  ...[
    "undefined",
    "float",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "int32",
    "int64",
    "string",
    "bool",
    "float16",
  ],
  ...["double", "uint32", "uint64", "complex64", "complex128", "bfloat16"],
];

/** A TensorProto.DataType in words. */
export const typeName = (type: number | undefined): string => TYPES[type ?? 0] ?? `type ${type}`;

export interface TensorProto {
  name?: string;
  dims?: number[];
  dataType?: number;
  /** Little-endian values; otherwise they are in one of the lists. */
  rawData?: Uint8Array;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: number[];
  doubleData?: number[];
  /** 1 if the values are in another file. */
  dataLocation?: number;
}

/** AttributeProto.AttributeType */
export const ATTRIBUTE = { f: 1, i: 2, s: 3, t: 4, floats: 6, ints: 7 } as const;

export interface AttributeProto {
  name?: string;
  type?: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorProto;
  floats?: number[];
  ints?: number[];
}

export interface NodeProto {
  name?: string;
  opType?: string;
  domain?: string;
  /** "" for an optional one that is left out. */
  input?: string[];
  output?: string[];
  attribute?: AttributeProto[];
}

export interface Dimension {
  dimValue?: number;
  /** The name of a size that is left open. */
  dimParam?: string;
}

export interface ValueInfoProto {
  name?: string;
  type?: { tensorType?: { elemType?: number; shape?: { dim?: Dimension[] } } };
}

export interface GraphProto {
  name?: string;
  node?: NodeProto[];
  initializer?: TensorProto[];
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
}

export interface ModelProto {
  irVersion?: number;
  opsetImport?: { domain?: string; version?: number }[];
  producerName?: string;
  graph?: GraphProto;
}

const tensor: Fields = {
  1: many("dims", "int"),
  2: one("dataType", "int"),
  4: many("floatData", "float"),
  5: many("int32Data", "int"),
  7: many("int64Data", "int"),
  8: one("name", "string"),
  9: one("rawData", "bytes"),
  10: many("doubleData", "double"),
  14: one("dataLocation", "int"),
};

const attribute: Fields = {
  1: one("name", "string"),
  2: one("f", "float"),
  3: one("i", "int"),
  4: one("s", "bytes"),
  5: one("t", tensor),
  7: many("floats", "float"),
  8: many("ints", "int"),
  20: one("type", "int"),
};

const node: Fields = {
  1: many("input", "string"),
  2: many("output", "string"),
  3: one("name", "string"),
  4: one("opType", "string"),
  5: many("attribute", attribute),
  7: one("domain", "string"),
};

const dimension: Fields = { 1: one("dimValue", "int"), 2: one("dimParam", "string") };
const tensorType: Fields = { 1: one("elemType", "int"), 2: one("shape", { 1: many("dim", dimension) }) };
const valueInfo: Fields = { 1: one("name", "string"), 2: one("type", { 1: one("tensorType", tensorType) }) };

const graph: Fields = {
  1: many("node", node),
  2: one("name", "string"),
  5: many("initializer", tensor),
  11: many("input", valueInfo),
  12: many("output", valueInfo),
};

const model: Fields = {
  1: one("irVersion", "int"),
  2: one("producerName", "string"),
  7: one("graph", graph),
  8: many("opsetImport", { 1: one("domain", "string"), 2: one("version", "int") }),
};

/** The bytes of a model. */
export const encodeModel = (proto: ModelProto): Uint8Array => encode(proto, model);

/** @throws Error for bytes that are no such message */
export const decodeModel = (bytes: Uint8Array): ModelProto => decode(bytes, model);
