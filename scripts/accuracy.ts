// The error of every elementwise op of test/cases.ts, in both binaries.
//
//   npm run accuracy                   a sample of float32; fails where a figure is above that of docs/accuracy.md
//   npm run accuracy -- --all [OP …]   every float32, a minute or two for each op; writes a row of docs/accuracy.md as soon as
//                                      it is measured, and leaves those of other ops alone
import { readFileSync, writeFileSync } from "node:fs";
import { type Case, cases, type Variant } from "../test/cases";
import { measurePairs, PAIRS } from "./accuracy/pairs";
import type { Worst } from "./accuracy/sweep";
import { fromZero, MARGIN, measure } from "./accuracy/unary";

const names = process.argv.slice(2).filter((argument) => argument !== "--all");
const all = process.argv.includes("--all");
/** Of the 65,536 chunks every how many-th is visited. */
const stride = all ? 1 : 61;
const path = new URL("../docs/accuracy.md", import.meta.url);

/** Why the figures of an op are what they are. */
const remarks: Record<string, string> = {
  celu: "in float64 unless alpha is 1",
  gelu: "tanh: the exponent is formed in float64",
  softplus: "in float64 unless beta is 1",
  pow: "in float64",
};

const HEADER = `# Accuracy

Written by \`npm run accuracy -- --all\`, which tries every float32, with both binaries: SIMD / with fused multiply-add.

* **ULP**: the largest error of the values, in units of the float32 spacing at the true value; 0.5 is correct rounding.
  Subnormal and infinite results are included.
* **gradient**: the largest relative error of the derivative at finite arguments, 0 where every value is correctly
  rounded; in units of 2^−126 below the normal numbers.
* Options are float32 numbers: 0.3 is 0.300000012, as in PyTorch.
* Functions of two numbers are tried on ${(2 * PAIRS).toLocaleString("en")} pairs: random bit patterns, and as many whose result is a
  number of float32. Their gradient is the worse of two.

The true values are float64, and agree to 1e-10 with the references of the tests. Where the derivative of \`gelu\`, \`silu\`, \`mish\` or
\`hardswish\` changes its sign, ${MARGIN} to both sides is left out: there it is a difference of numbers near each other, small in
absolute error alone.

| op | options | domain | ULP | at | gradient | at | remark |
|---|---|---|---|---|---|---|---|
`;

/** The calls of an op that differ in more than size. */
function calls(c: Case): Variant[] {
  const seen = new Map(c.variants.map((v) => [JSON.stringify([v.shapes.length, v.args]), v]));
  return [...seen.values()].filter(({ shapes }) => shapes.length === c.inputs.length);
}

const both = (worst: Worst[], show: (w: Worst) => string) => {
  const shown = worst.map(show);
  return shown[0] === shown[1] ? shown[0]! : shown.join(" / ");
};
const places = (worst: Worst[]) => both(worst, ({ at }) => at.map((x) => x.toPrecision(9)).join(", "));
/** Rounded up, so that it is a bound. */
const ulp = ({ error }: Worst) => (Math.ceil(error * 1000) / 1000).toFixed(3);
const relative = ({ error }: Worst) => {
  if (error === 0) return "0";
  const unit = 10 ** (Math.floor(Math.log10(error)) - 2);
  return (Math.ceil(error / unit) * unit).toExponential(2);
};

const progress = (name: string) => (what: string, share: number) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${name} ${what} ${Math.floor(share * 100)} %  `);
};

/** The first cells of a row, by which it is found. */
function title(c: Case, variant: Variant): string {
  const options = variant.args.flatMap((given) => Object.entries(given as object));
  return `| \`${c.name}\` | ${options.map(([key, value]) => `${key}: ${value}`).join(", ")} |`;
}

function line(c: Case, variant: Variant): string {
  const { values, gradients } =
    c.inputs.length === 1
      ? measure(c, variant, stride, progress(c.name))
      : measurePairs(c, variant, PAIRS / stride, progress(c.name));
  const domain = c.inputs.length > 1 ? "pairs" : fromZero.has(c.name) ? "x ≥ 0" : "all";
  const cells = [
    domain,
    both(values, ulp),
    places(values),
    gradients ? both(gradients, relative) : "–",
    gradients ? places(gradients) : "",
    remarks[c.name] ?? "",
  ];
  return `${title(c, variant)} ${cells.join(" | ")} |`;
}

const rowsOf = (text: string) => text.split("\n").filter((row) => row.startsWith("| `"));

/** The figures of a row. */
const figures = (row: string) =>
  [3, 5].flatMap((cell) => {
    const shown = row.split("|")[cell + 1]!.split("/").map(Number);
    return shown.length === 1 ? [shown[0]!, shown[0]!] : shown;
  });

const elementwise = cases
  .filter((c) => c.elementwise)
  .flatMap((c) => calls(c).map((variant) => ({ c, variant })));
const known = new Map<string, string>();
for (const row of rowsOf(readFileSync(path, "utf8"))) {
  const at = elementwise.find(({ c, variant }) => row.startsWith(title(c, variant)));
  if (at) known.set(title(at.c, at.variant), row);
}

for (const { c, variant } of elementwise) {
  if (names.length > 0 && !names.includes(c.name)) continue;
  const key = title(c, variant);
  const [row, before] = [line(c, variant), known.get(key)];
  console.log(row);
  if (all) {
    known.set(key, row);
    const rows = elementwise.flatMap((e) => known.get(title(e.c, e.variant)) ?? []);
    writeFileSync(path, `${HEADER}${rows.join("\n")}\n`);
  } else if (before === undefined || figures(row).some((figure, i) => figure > figures(before)[i]!)) {
    console.error(`above docs/accuracy.md: ${before ?? "no row"}`);
    process.exitCode = 1;
  }
}
