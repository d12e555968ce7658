// What loadSafetensors allocates for headers that are made to let it allocate: processes of the built package that would run out
// of memory.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const root = new URL("../", import.meta.url);

/** Bytes of heap for each byte of the header. loadSafetensors states this bound. */
const BOUND = 64;
/** What a process has before. */
const START = 24e6;

const script = `
  import { readFileSync } from "node:fs";
  import { loadSafetensors } from "nablas";
  let outcome = "read";
  try {
    loadSafetensors(readFileSync(0));
  } catch (error) {
    outcome = error.constructor.name;
  }
  console.log(outcome);`;

function outcomeOf(header: string): string {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const heap = Math.ceil((START + BOUND * json.length) / 2 ** 20);
  const options = [`--max-old-space-size=${heap}`, "--input-type=module", "--eval", script];
  const input = Buffer.concat([length, json]);
  return spawnSync(process.execPath, options, { cwd: root, input, encoding: "utf8" }).stdout.trim();
}

const entry = (shape: string) => `{"dtype":"F32","shape":[${shape}],"data_offsets":[0,0]}`;
const many = () =>
  `{${Array.from({ length: 120_000 }, (_, i) => `"${i.toString(36)}":${entry("0")}`).join(",")}}`;
const keys = () => `{${Array.from({ length: 500_000 }, (_, i) => `"${i.toString(36)}":0`).join(",")}}`;

test.each<[string, () => string, string]>([
  ["empty tensors", many, "read"],
  ["sizes of one digit", () => `{"a":${entry(`${"0,".repeat(3_000_000)}0`)}}`, "read"],
  ["short keys", keys, "FormatError"],
  ["empty arrays", () => `{"a":[${"[],".repeat(1_500_000)}[]]}`, "FormatError"],
])("%s: at most 64 bytes for each byte of the header", (_, header, outcome) => {
  expect(outcomeOf(header())).toBe(outcome);
});
