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
import { describeTable } from "../examples/digits/table";
import { readTask } from "../examples/digits/task";

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

/** A table of three features of very different scales; the class is the sign of their sum in units of the scale. */
function tableCsv(header = "200,3,low,high"): string {
  const random = randomNumbers(9);
  const lines = Array.from({ length: 200 }, () => {
    const units = [random() - 0.5, random() - 0.5, random() - 0.5];
    const label = Number(units[0]! + units[1]! + units[2]! > 0);
    return [units[0]! * 1e-3, 500 + units[1]! * 1e3, 7 + units[2]!, label].join(",");
  });
  return `${[header, ...lines].join("\n")}\n`;
}

describe("readTask", () => {
  test("takes a file without a header for digits", () => {
    const task = readTask(write("digits.csv", csv));
    expect(task).toMatchObject({ things: "digits", features: 64, classes: 10 });
    expect(task.split(0)).toEqual(split(digits));
    expect(task.split(1)).toEqual(task.split(0));
  });

  test.each([
    ["plain", tableCsv()],
    ["gzipped", gzipSync(tableCsv())],
    ["padded with commas", tableCsv("200,3,low,high,,,")],
  ])("takes a header for a table, %s", (_, content) => {
    const task = readTask(write("table.csv", content));
    expect(task).toMatchObject({ things: "rows", features: 3, classes: 2 });
    const { train, test } = task.split(0);
    expect([train.labels.length, train.x.length]).toEqual([160, 480]);
    expect([test.labels.length, test.x.length]).toEqual([40, 120]);
  });

  test("draws the rows to test by the seed and standardises by the others", () => {
    const task = readTask(write("table.csv", tableCsv()));
    expect(task.split(1)).toEqual(task.split(1));
    expect(task.split(2)).not.toEqual(task.split(1));
    const { x } = task.split(1).train;
    for (const column of [0, 1, 2]) {
      const values = [...x].filter((_, i) => i % 3 === column);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + value * value, 0) / values.length;
      expect(mean).toBeCloseTo(0, 5);
      expect(squares).toBeCloseTo(1, 5);
    }
  });

  const head = "2,2,a,b\n";
  test.each<[string, string, string]>([
    ["fewer rows than promised", `${head}1,2,0\n`, ": the first line promises 2 rows, but there are 1"],
    ["more rows", `${head}1,2,0\n1,2,0\n1,2,1\n`, ": the first line promises 2 rows, but there are 3"],
    ["a single row", "1,2,a,b\n1,2,0\n", ": one row is too few"],
    ["one class", "2,2,a,,\n1,2,0\n1,2,0\n", ", row 1: expected two classes or more, got a"],
    ["a feature missing", `${head}1,2,0\n1,0\n`, ", row 3: expected 3 columns (2 features, class), got 2"],
    ["a word", `${head}1,2,0\n1,x,0\n`, ', row 3, column 2: expected a number, got "x"'],
    ["a class beyond", `${head}1,2,0\n1,2,2\n`, ", row 3, column 3: expected a class from 0 to 1, got 2"],
    ["names without counts", "a,b,c\n1,2,0\n", ", row 1: expected 65 columns"],
  ])("refuses %s", (name, content, message) => {
    const path = write(`${name}.csv`, content);
    expect(() => readTask(path)).toThrow(InputError);
    expect(() => readTask(path)).toThrow(`${path}${message}`);
  });
});

test("describeTable counts what was taken for what", () => {
  expect(describeTable(["a", "long name"], Int32Array.of(0, 1, 1, 1), Int32Array.of(0, 0, 1, 1))).toBe(
    "taken for  a  long name\na          1          0\nlong name  1          2\n",
  );
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
    expect(stdout).toMatch(/ratio +[\d.]+ +times (faster|as fast)/);
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

  test.concurrent("trains on a table, with a network of its size", async () => {
    const path = write("signs.csv", tableCsv());
    const { status, stdout, stderr } = await runExample("--data", path, "--epochs", "20");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(`160 rows to train on, 40 to test, from ${path}\n3-8-2 network`);
    expect(stdout).toMatch(/taken for +low +high\nlow +\d+ +\d+\nhigh +\d+ +\d+\n/);
    expect(Number(/test accuracy +([\d.]+)/.exec(stdout)?.[1])).toBeGreaterThan(0.85);
  });
});
