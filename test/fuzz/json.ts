// Changes of files of JSON, and of headers in it.
import { type Change, type Draw, inText, replaced } from "./mutate";

/** JSON that its readers may not expect. */
const VALUES = [
  ...["0", "-0", "1", "-1", "1.5", "1e2", "1e400", "-1e400", "1e-400", "4294967296", "9007199254740991"],
  ...["9007199254740992", "18446744073709551616", "NaN", "Infinity", "null", "true", "false"],
  ...['""', '"\\ud800"', '"\\udc00x"', '"__proto__"', '"constructor"', '"\\u0000"', '"F32"', '"I64"', '"x"'],
  ...[
    "[]",
    "{}",
    "[[]]",
    "[0]",
    "[2,2]",
    "[-0]",
    "[1e308,1e308,0]",
    "[9007199254740991,0]",
    "[4294967296,0]",
  ],
  ...['{"toString":1,"valueOf":1}', '[{"toString":0}]', '{"__proto__":{"polluted":1}}', '{"constructor":0}'],
  ...['{"$tensor":"model.weight"}', '{"$tensor":{"toString":1}}', '{"$tensor":0}', '{"$tensor":"__proto__"}'],
  ...[
    '{"$number":"-0"}',
    '{"$number":{"toString":1}}',
    '{"$number":"NaN"}',
    '{"$number":[[]]}',
    '{"length":1}',
  ],
  ...["[0,0]", "[0,8]", "[8,0]", "[4,12]", '"sigmoid"', '"Dense"', "[null,2]", "[1,2,3,4,5]"],
  `${"[".repeat(3000)}${"]".repeat(3000)}`,
  `${'{"a":'.repeat(3000)}0${"}".repeat(3000)}`,
];
const KEYS = [
  "__proto__",
  "constructor",
  "toString",
  "length",
  "",
  "\\ud800",
  "$tensor",
  "$number",
  "0",
  "name",
];

const VALUE =
  /"(?:[^"\\]|\\.)*"(?!\s*:)|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|\[[^[\]{}]*\]|\{[^{}]*\}/g;
const KEY = /"(?:[^"\\]|\\.)*"(?=\s*:)/g;

const changes: ((json: string, draw: Draw) => string)[] = [
  (json, draw) => replaced(json, VALUE, draw.of(VALUES), draw),
  (json, draw) => replaced(json, VALUE, draw.of(json.match(VALUE) ?? [""]), draw),
  (json, draw) => replaced(json, KEY, `"${draw.of(KEYS)}"`, draw),
  (json, draw) => replaced(json, KEY, draw.of(json.match(KEY) ?? ['""']), draw),
  // A key twice, or another one.
  (json, draw) => {
    const key = draw.of([...(json.match(KEY) ?? []), `"${draw.of(KEYS)}"`]);
    return replaced(json, /\{/g, `{${key}:${draw.of(VALUES)},`, draw);
  },
  (json, draw) => replaced(json, /,"(?:[^"\\]|\\.)*":(?:\d+|"[^"]*"|\[[^[\]]*\]|\{[^{}]*\})/g, "", draw),
  (json, draw) => draw.of(["\ufeff", " ", "\n\t", "\u0000", "[", "/**/"]) + json,
  (json, draw) => json + draw.of([" ", "\u0000", "}", "]", ",", "{}"]),
];

export const change = (json: string, draw: Draw): string => draw.of(changes)(json, draw);

export const jsonChanges: readonly Change[] = [inText(change)];

/** Changes of a safetensors file: the header, whose length is put right, its length, and what is in `nablas` of its metadata. */
export const headerChanges: readonly Change[] = [
  (bytes, draw) => withHeader(bytes, (json) => change(json, draw)),
  (bytes, draw) =>
    withHeader(bytes, (json) => {
      const header = JSON.parse(json) as { __metadata__?: { nablas?: string } };
      const inner = header.__metadata__?.nablas;
      if (typeof inner === "string") header.__metadata__!.nablas = change(inner, draw);
      return JSON.stringify(header);
    }),
  (bytes, draw) => {
    const file = Buffer.from(bytes);
    if (file.length >= 8)
      file.writeBigUInt64LE(BigInt(draw.of([0, 1, 7, file.length - 8, 2 ** 32, 2 ** 53])));
    return file;
  },
];

function withHeader(bytes: Uint8Array, change: (json: string) => string): Uint8Array {
  try {
    const file = Buffer.from(bytes);
    const end = 8 + Number(file.readBigUInt64LE());
    const header = Buffer.from(change(file.toString("utf8", 8, end)));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, header, file.subarray(end)]);
  } catch {
    // Already damaged beyond that.
    return bytes;
  }
}
