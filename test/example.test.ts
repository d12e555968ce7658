import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { type Digits, INK, PIXELS, shuffledBatches, split } from "../examples/digits/data";
import { generateDigits } from "../examples/digits/generate";
import { InputError } from "../examples/digits/input-error";
import { randomNumbers } from "../examples/digits/random";
import { readDigits } from "../examples/digits/read";

const folder = mkdtempSync(join(tmpdir(), "nablas-digits-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function toCsv({ pixels, labels }: Digits): string {
  const rows = Array.from(labels, (label, i) =>
    [...pixels.subarray(i * PIXELS, (i + 1) * PIXELS), label].join(","),
  );
  return `${rows.join("\n")}\n`;
}

function runExample(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const root = join(import.meta.dirname, "..");
  return new Promise((resolve) => {
    execFile(
      "node",
      ["--import", "tsx", "examples/digits.ts", ...args],
      { cwd: root },
      (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
  });
}

const digits = generateDigits(100, 1);
const csv = toCsv(digits);

/** A row of the file: 64 pixels of paper, apart from the one at `column`, then the label. */
function csvRow({ column = 0, value = 0 as unknown, label = 3 as unknown } = {}): string {
  const pixels = Array.from({ length: PIXELS }, (_, i) => (i === column ? value : 0));
  return `${[...pixels, label].join(",")}\n`;
}

const good = csvRow();

describe("generateDigits", () => {
  test("draws the same digits for the same seed, others for another", () => {
    expect(generateDigits(100, 1)).toEqual(digits);
    expect(generateDigits(100, 2)).not.toEqual(digits);
  });

  test("draws all ten digits in whole numbers from 0 to 16", () => {
    expect(new Set(digits.labels)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    expect(digits.pixels.every((pixel) => Number.isInteger(pixel) && pixel >= 0 && pixel <= INK)).toBe(true);
  });

  test("leaves paper and ink in each image", () => {
    for (let i = 0; i < digits.labels.length; i++) {
      const inked = digits.pixels
        .subarray(i * PIXELS, (i + 1) * PIXELS)
        .filter((pixel) => pixel > INK / 2).length;
      expect(inked).toBeGreaterThan(1);
      expect(inked).toBeLessThan(PIXELS / 2);
    }
  });
});

describe("split and shuffledBatches", () => {
  test("split 1797 digits into 1437 and 360, pixels from 0 to 1", () => {
    const { train, test } = split(generateDigits(1797, 0));
    expect([train.labels.length, train.x.length]).toEqual([1437, 1437 * PIXELS]);
    expect([test.labels.length, test.x.length]).toEqual([360, 360 * PIXELS]);
    expect(Math.max(...train.x)).toBe(1);
  });

  test("go through every digit once, each with its label", () => {
    const data = { x: digits.pixels, labels: digits.labels };
    const batches = shuffledBatches(data, 32, randomNumbers(0));
    const shuffled = {
      pixels: Float32Array.from(batches.flatMap(({ x }) => [...x])),
      labels: Int32Array.from(batches.flatMap(({ labels }) => [...labels])),
    };
    expect(batches.map(({ labels }) => labels.length)).toEqual([32, 32, 32, 4]);
    expect(shuffled.labels).not.toEqual(digits.labels);
    expect(toCsv(shuffled).split("\n").sort()).toEqual(csv.split("\n").sort());
  });
});

describe("readDigits", () => {
  test("reads plain and gzipped files, whatever their names", () => {
    expect(readDigits(write("plain.gz", csv))).toEqual(digits);
    expect(readDigits(write("gzipped.csv", gzipSync(csv)))).toEqual(digits);
  });

  test("reads Windows line ends, blank lines, spaces, a byte order mark, and no last line end", () => {
    const variant = `\uFEFF${csv.trim().replaceAll("\n", "\r\n\r\n").replaceAll(",", ", ")}`;
    expect(readDigits(write("variant.csv", variant))).toEqual(digits);
  });

  const wrong: [name: string, content: string | Buffer, message: string][] = [
    ["no label", good + good.slice(0, -3), "row 2: expected 65 columns (64 pixels, label), got 64"],
    ["a column too many", `${good}${good}0,${good}`, "row 3: expected 65 columns (64 pixels, label), got 66"],
    [
      "much ink",
      good + csvRow({ column: 9, value: 17 }),
      "row 2, column 10: expected a pixel from 0 to 16, got 17",
    ],
    ["negative ink", good + csvRow({ value: -1 }), "row 2, column 1: expected a pixel from 0 to 16, got -1"],
    ["label 3.5", good + csvRow({ label: 3.5 }), "row 2, column 65: expected a label from 0 to 9, got 3.5"],
    ["an empty cell", good + csvRow({ value: "" }), 'row 2, column 1: expected a number, got ""'],
    ["Infinity", good + csvRow({ value: "Infinity" }), 'row 2, column 1: expected a number, got "Infinity"'],
    ["a header", good.replaceAll(/\d/g, "a") + good, 'row 1, column 1: expected a number, got "a"'],
    ["a stray quote", `${good}"${good}`, 'row 2, column 1: expected a number, got "\\"0"'],
    ["a fault below blank lines", `${good}\n\n1,2\n`, "row 4: expected 65 columns"],
    ["a single row", good, "one row is too few"],
    ["damaged gzip", Buffer.from([0x1f, 0x8b, 1, 2, 3]), "the gzip data is damaged"],
  ];
  test.each(wrong)("refuses %s", (name, content, message) => {
    const path = write(name, content);
    expect(() => readDigits(path)).toThrow(InputError);
    expect(() => readDigits(path)).toThrow(`${path}${message.startsWith("row") ? ", " : ": "}${message}`);
  });
});

describe("npm start", () => {
  const wrong: [name: string, args: string[], message: string][] = [
    ["a missing file", ["--data", "missing.csv"], "missing.csv: no such file"],
    ["a directory", ["--data", folder], `${folder}: a directory, not a file`],
    ["an empty file", ["--data", write("empty.csv", "")], `${join(folder, "empty.csv")}: the file is empty`],
    [
      "63 columns",
      ["--data", write("63.csv", good + good.slice(4))],
      `${join(folder, "63.csv")}, row 2: expected 65 columns (64 pixels, label), got 63`,
    ],
    [
      "label 12",
      ["--data", write("12.csv", good + good + csvRow({ label: 12 }))],
      `${join(folder, "12.csv")}, row 3, column 65: expected a label from 0 to 9, got 12`,
    ],
    [
      "a word",
      ["--data", write("word.csv", good + csvRow({ column: 4, value: "ink" }))],
      `${join(folder, "word.csv")}, row 2, column 5: expected a number, got "ink"`,
    ],
    [
      "truncated gzip",
      ["--data", write("half.csv", gzipSync(csv).subarray(0, 500))],
      `${join(folder, "half.csv")}: the gzip data is damaged (unexpected end of file)`,
    ],
    ["an unknown option", ["--epoch", "3"], "Unknown option '--epoch'; --help lists the options"],
    ["no number", ["--epochs", "many"], '--epochs must be a whole number from 1 to 10000, got "many"'],
  ];
  test.concurrent.each(wrong)("refuses %s in one line", async (_name, args, message) => {
    expect(await runExample(...args)).toEqual({ status: 1, stdout: "", stderr: `digits: ${message}\n` });
  });

  test.concurrent("trains on generated digits", async () => {
    const { status, stdout, stderr } = await runExample("--epochs", "2");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const accuracy = Number(/test accuracy +([\d.]+)/.exec(stdout)?.[1]);
    expect(accuracy).toBeGreaterThan(0.8);
    expect(accuracy).toBeLessThanOrEqual(1);
    expect(stdout).toMatch(/ratio +[\d.]+ +times faster/);
  });

  test.concurrent("trains on a file with several seeds", async () => {
    const path = write("digits.csv.gz", gzipSync(csv));
    const { status, stdout } = await runExample(
      "--data",
      path,
      "--epochs",
      "1",
      "--seeds",
      "2",
      "--seed",
      "7",
    );
    expect(status).toBe(0);
    expect(stdout).toContain(path);
    expect(stdout).toMatch(/seed 7 .*\nseed 8 .*\ntest accuracy .* mean of the seeds/);
  });
});
