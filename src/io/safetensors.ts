// safetensors (huggingface/safetensors, format.md): the length of the header as 64 bits, the header as JSON, in which
// each tensor has a dtype, a shape and offsets, then the values; everything little-endian and without gaps.
import { FormatError, show } from "../errors";
import type { Shape, Tensor } from "../tensor";
import { type NumberType, numberTypes, readNumbers } from "./numbers";

/** A tensor of a file: its values are still in the file's bytes. */
export interface Stored {
  readonly name: string;
  /** How the file holds its values. */
  readonly type: NumberType;
  readonly shape: Shape;
  /** Little-endian. */
  readonly bytes: Uint8Array;
}

export interface Contents {
  readonly tensors: ReadonlyMap<string, Stored>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [start: number, end: number];
}

export const METADATA = "__metadata__";
/** The format's own limit. */
const LONGEST_HEADER = 100_000_000;
const CODES = { f32: "F32", i32: "I32" } as const;
const TYPES = new Map<string, NumberType>([
  ["F32", numberTypes.f32],
  ["F16", numberTypes.f16],
  ["BF16", numberTypes.bf16],
  ["I32", numberTypes.i32],
  ["I64", numberTypes.i64],
]);
/** Of what is written: float32 and int32. */
const ITEM_BYTES = 4;

/** The bytes of a file with these tensors. */
export function encode(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: [string, Entry | typeof metadata][] = [[METADATA, metadata]];
  let size = 0;
  for (const [name, { dtype, shape, size: elements }] of tensors) {
    const end = size + ITEM_BYTES * elements;
    header.push([name, { dtype: CODES[dtype], shape: [...shape], data_offsets: [size, end] }]);
    size = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + padded + size).fill(0x20, 8, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(json, 8);
  let at = 8 + padded;
  for (const { data } of tensors.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * The tensors of a file.
 * @throws FormatError, after `op`, that says where the bytes are not what the format asks for
 */
export function decode(op: string, bytes: Uint8Array): Contents {
  const refuse = (text: string): never => {
    throw new FormatError(`${op}: ${text}`);
  };
  const { header, values } = splitFile(bytes, refuse);
  const { [METADATA]: metadata = {}, ...entries } = header;
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    refuse(`${METADATA} has to be an object of strings`);
  }
  const tensors = new Map<string, Stored>();
  for (const [name, entry] of Object.entries(entries)) tensors.set(name, stored(name, entry, values, refuse));
  checkCovered(tensors, values, refuse);
  return { tensors, metadata: metadata as Record<string, string> };
}

type Refuse = (text: string) => never;

function splitFile(
  bytes: Uint8Array,
  refuse: Refuse,
): { header: Record<string, unknown>; values: Uint8Array } {
  if (bytes.length < 8) refuse(`a file has at least 8 bytes, got ${bytes.length}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const most = Math.min(bytes.length - 8, LONGEST_HEADER);
  if (length > most) refuse(`the header's length is ${length}, but there is room for ${most} bytes`);
  const end = 8 + Number(length);
  const header = parse(bytes.subarray(8, end), refuse);
  return { header, values: bytes.subarray(end) };
}

function parse(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
  let header: unknown;
  let keys = 0;
  let colons = 0;
  try {
    const json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(json);
    keys = keysIn(header);
    colons = colonsIn(json);
  } catch (error) {
    return refuse(`the header cannot be read: ${(error as Error).message}`);
  }
  if (!isObject(header)) return refuse("the header has to be an object");
  // JSON.parse keeps the last of several equal keys. Outside of strings each key has one colon.
  if (colons !== keys) refuse("the header has a key twice");
  return header;
}

function keysIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, item) => sum + keysIn(item), own);
}

/** Outside of strings; of valid JSON. */
function colonsIn(json: string): number {
  let colons = 0;
  let isText = false;
  for (let i = 0; i < json.length; i++) {
    const letter = json[i];
    if (letter === '"') isText = !isText;
    else if (!isText && letter === ":") colons++;
    else if (letter === "\\") i++;
  }
  return colons;
}

function stored(name: string, entry: unknown, values: Uint8Array, refuse: Refuse): Stored {
  const label = JSON.stringify(name);
  const { dtype: code, shape, data_offsets: offsets } = (isObject(entry) ? entry : {}) as Partial<Entry>;
  if (typeof code !== "string" || !isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    return refuse(`${label} needs dtype, shape and data_offsets`);
  }
  const type =
    TYPES.get(code) ?? refuse(`${label}: dtype is one of ${[...TYPES.keys()].join(", ")}, got ${code}`);
  const [start, end] = offsets as [number, number];
  if (start > end || end > values.length) {
    refuse(`${label}: data_offsets ${show(offsets)} are not within the ${values.length} bytes of values`);
  }
  const elements = shape.reduce((product, n) => product * n, 1);
  if (end - start !== type.bytes * elements) {
    refuse(`${label}: ${show(shape)} of ${code} takes ${type.bytes * elements} bytes, got ${end - start}`);
  }
  return { name, type, shape, bytes: values.subarray(start, end) };
}

/** Every byte of values belongs to one tensor. */
function checkCovered(tensors: ReadonlyMap<string, Stored>, values: Uint8Array, refuse: Refuse): void {
  const parts = [...tensors.values()]
    .map(({ bytes }) => bytes)
    .sort((a, b) => a.byteOffset - b.byteOffset || a.length - b.length);
  let end = values.byteOffset;
  for (const { byteOffset, length } of parts) {
    if (byteOffset !== end)
      refuse(`tensors overlap or leave a gap at offset ${byteOffset - values.byteOffset}`);
    end += length;
  }
  const covered = end - values.byteOffset;
  if (covered !== values.length) refuse(`the tensors have ${covered} bytes, the file has ${values.length}`);
}

/** The values of a tensor. @throws FormatError, after `op`, for an integer beyond 32 bits */
export function readStored(op: string, { name, type, shape, bytes }: Stored): Tensor {
  return readNumbers(`${op}: ${JSON.stringify(name)}`, type, shape, bytes);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Integers ≥ 0, and not −0. */
function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && 1 / n > 0);
}
