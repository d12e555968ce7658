// Tables: those of the examples, and the files of the playground.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readRows } from "../../examples/digits/csv";
import { InputError } from "../../examples/digits/input-error";
import { toDigits } from "../../examples/digits/read";
import { isTable, toTable } from "../../examples/digits/table";
import { Refusal, readFile as readDigitFile } from "../../playground/engine/digits/files";
import { csv, idx } from "../playground/digitFiles";
import { idxChanges, idxFiles } from "./arrays";
import { headerChanges } from "./json";
import { type Change, type Draw, inText, replaced } from "./mutate";
import { hold, type Reader } from "./reader";
import { half } from "./states";

const CELLS = [
  ...[
    "",
    " ",
    "NaN",
    "Infinity",
    "-0",
    "1e999",
    "0x10",
    "1_000",
    "٣",
    "17",
    "-1",
    "9.5",
    '"1"',
    '"',
    "'",
    "\0",
  ],
  ...["=1+1", "1;2", "\ufeff1", "\t3 ", "1,2", "\n", "\r", "\r\n\r\n", "9".repeat(2000), "constructor"],
];
const csvChanges: readonly Change[] = [
  inText((text, draw) => replaced(text, /[^,\n\r]+/g, draw.of(CELLS), draw)),
  inText((text, draw) => replaced(text, /[,\n]/g, draw.of([",", "\n", "", ",,", "\r", "\r\n", ";"]), draw)),
  inText((text, draw) =>
    replaced(text, /[^\n]*\n/g, draw.of(text.match(/[^\n]*\n/g) ?? [""]).repeat(2), draw),
  ),
  inText((text, draw: Draw) => draw.of(["\ufeff", "\ufeff\ufeff", "\n\n", "5,64\n", "2,3,a,b\n"]) + text),
  (bytes) => gzipSync(bytes),
];

const tables = [csv(3), Buffer.from("4,2,red,green\n1,2,0\n3,4,1\n5,6e1,1\n-7,.8,0\n")];

/** The folder of the files that are read by their names. */
const folder = mkdtempSync(join(tmpdir(), "nablas-fuzz-"));
export const removeFolder = () => rmSync(folder, { recursive: true });

export function csvReader(): Reader {
  const path = join(folder, "data.csv");
  const read = (bytes: Uint8Array) => {
    writeFileSync(path, bytes);
    const rows = readRows(path);
    const { labels, ...rest } = isTable(rows) ? toTable(path, rows) : toDigits(path, rows);
    const [values, width] = "values" in rest ? [rest.values, rest.features] : [rest.pixels, 64];
    hold(values.length === labels.length * width, "a row for each label");
    hold(
      values.every((value) => !Number.isNaN(value)),
      "numbers",
    );
    hold(labels.length > 1, "two rows");
  };
  return { name: "CSV of the example", files: tables, changes: csvChanges, read, throws: InputError };
}

export function playgroundFiles(): Reader {
  const read = async (bytes: Uint8Array) => {
    const contents = await readDigitFile(new File([Uint8Array.from(bytes)], "digits"));
    if (contents.kind !== "csv") return;
    const { pixels, labels, side, ink } = contents.data;
    hold(pixels.length === labels.length * side * side, "an image for each label");
    hold(
      pixels.every((pixel) => pixel >= 0 && pixel <= ink),
      "pixels within the ink",
    );
  };
  const images = idx([2, 4, 4], new Uint8Array(32).fill(9));
  return {
    ...{ name: "files of the playground", files: [csv(3), images, idxFiles[1]!, half], read },
    changes: [...csvChanges, ...idxChanges, ...headerChanges],
    throws: Refusal,
  };
}
