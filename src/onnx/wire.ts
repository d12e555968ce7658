// Protocol Buffers: a message is described by a table of its fields, by which pbf reads and writes it.
import { PbfReader, PbfWriter } from "pbf";

/** What a field holds: numbers (varints and IEEE 754), text, bytes, or messages. */
export type Kind = "int" | "float" | "double" | "string" | "bytes" | Fields;

export interface Field {
  readonly name: string;
  readonly kind: Kind;
  readonly repeated: boolean;
}

/** The fields of a message by their numbers. */
export type Fields = Readonly<Record<number, Field>>;

/** A field that occurs once, or not at all. */
export const one = (name: string, kind: Kind): Field => ({ name, kind, repeated: false });
/** A field that occurs any number of times. */
export const many = (name: string, kind: Kind): Field => ({ name, kind, repeated: true });

type Message = Record<string, unknown>;

const VARINT = 0;
const DOUBLE = 1;
const LENGTH = 2;
const FLOAT = 5;

/** How a value follows its tag. */
function wireType(kind: Kind): number {
  if (kind === "int") return VARINT;
  if (kind === "float") return FLOAT;
  return kind === "double" ? DOUBLE : LENGTH;
}

const utf8 = new TextDecoder();

/**
 * The message in these bytes: a property for each field that is there, an array where it may be repeated. Fields that the table
 * does not have are passed over; bytes are views.
 * @throws Error where a length leads beyond what it is in, or a field has another type
 */
export function decode(bytes: Uint8Array, fields: Fields): object {
  return message(new PbfReader(bytes), fields, bytes.length);
}

function message(pbf: PbfReader, fields: Fields, end: number): Message {
  const result: Message = {};
  for (let tag = pbf.nextField(end); tag !== 0; tag = pbf.nextField(end)) {
    const field = fields[tag];
    if (field === undefined) continue;
    const { name, kind, repeated } = field;
    const packed = repeated && pbf.type === LENGTH && wireType(kind) !== LENGTH;
    if (!packed && pbf.type !== wireType(kind)) throw new Error(`${name} has the wire type ${pbf.type}`);
    if (!repeated) {
      result[name] = value(pbf, kind, end);
      continue;
    }
    result[name] ??= [];
    const values = result[name] as unknown[];
    const last = packed ? endOf(pbf, end) : pbf.pos + 1;
    while (pbf.pos < last) values.push(value(pbf, kind, packed ? last : end));
    if (packed && pbf.pos !== last) throw new Error(`${name} does not end where its length says`);
  }
  if (pbf.pos !== end) throw new Error(`a message of ${end} bytes ends at ${pbf.pos}`);
  return result;
}

function value(pbf: PbfReader, kind: Kind, end: number): unknown {
  if (kind === "int") return pbf.readVarint(true);
  if (kind === "float") return pbf.readFloat();
  if (kind === "double") return pbf.readDouble();
  const last = endOf(pbf, end);
  if (typeof kind === "object") return message(pbf, kind, last);
  const bytes = pbf.buf.subarray(pbf.pos, last);
  pbf.pos = last;
  return kind === "bytes" ? bytes : utf8.decode(bytes);
}

/** Where the part that begins here ends by its length, within `end`. */
function endOf(pbf: PbfReader, end: number): number {
  const length = pbf.readVarint();
  if (pbf.pos + length > end) throw new Error(`a length of ${length} at ${pbf.pos} leads beyond ${end}`);
  return pbf.pos + length;
}

/** The bytes of a message. */
export function encode(from: object, fields: Fields): Uint8Array {
  const pbf = new PbfWriter();
  write(from as Message, fields, pbf);
  return pbf.finish();
}

function write(from: Message, fields: Fields, pbf: PbfWriter): void {
  for (const [tag, { name, kind, repeated }] of Object.entries(fields)) {
    const given = from[name];
    if (given === undefined) continue;
    const values = repeated ? (given as unknown[]) : [given];
    if (repeated && kind === "int") pbf.writePackedVarint(Number(tag), values as number[]);
    else for (const one of values) writeOne(Number(tag), one, kind, pbf);
  }
}

function writeOne(tag: number, value: unknown, kind: Kind, pbf: PbfWriter): void {
  if (kind === "int") pbf.writeVarintField(tag, value as number);
  else if (kind === "float") pbf.writeFloatField(tag, value as number);
  else if (kind === "double") pbf.writeDoubleField(tag, value as number);
  else if (kind === "string") pbf.writeStringField(tag, value as string);
  else if (kind === "bytes") pbf.writeBytesField(tag, value as Uint8Array);
  else
    pbf.writeMessage(
      tag,
      (inner: Message, writer: PbfWriter) => write(inner, kind, writer),
      value as Message,
    );
}
