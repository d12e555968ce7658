import type { Experiment, Outcome, Table } from "./experiment";

const INTRODUCTION = `# The lab

Why does a network not learn? Each of these experiments shows one reason, in a program short enough to read, with its formula,
its figures and what to do about it. \`npm run lab\` runs them all and writes this page; every claim is asserted as it runs, and
by the tests for several seeds. The programs are in [examples/lab](../examples/lab): change a number and run one again with
\`npm run lab -- neuron\`.

What to know beforehand: what a layer, a loss and a step down its gradient are. The first three experiments are about gradients
that vanish, the next three about what a layer and an output should pass on, the last four about what a loss asks for.

The symbols: a layer takes x, or the answers a of the one before, and forms z = wx + b with its weights w and its bias b; its activation f
makes a = f(z) of it. One of these is the sigmoid, σ(z) = 1 / (1 + e^−z), another relu, max(0, z). The target is y, the loss C, and f′ the
slope of f. A step is w ← w − η ∂C/∂w, where η is the learning rate; λ is the strength of a penalty.
`;

interface Done {
  experiment: Experiment;
  outcome: Outcome;
}

/** The figures for a terminal. */
export function describe({ name, title }: Experiment, { table: { head, rows }, sees }: Outcome): string {
  const lines = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const text = lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
  return [`${name}: ${title}`, "", ...text, "", wrapped(sees)].join("\n");
}

/** All experiments as a page of Markdown; the charts are beside it in lab/. */
export function chapter(done: readonly Done[]): string {
  const contents = done.map(({ experiment: { title } }, i) => `${i + 1}. [${title}](#${anchor(i, title)})`);
  return `${[INTRODUCTION, contents.join("\n"), ...done.map(section)].join("\n")}`;
}

function section({ experiment, outcome }: Done, i: number): string {
  const { name, title, asks, formula, advice } = experiment;
  return `
## ${i + 1}. ${title}

${wrapped(asks)}

${wrapped(`**The formula.** ${formula}`)}

![${outcome.alt}](lab/${name}.svg)

${markdown(outcome.table)}

${wrapped(`**What one sees.** ${outcome.sees}`)}

${wrapped(`**What to do.** ${advice}`)}

<sub>The program: [examples/lab/${name}.ts](../examples/lab/${name}.ts)</sub>
`;
}

/** A paragraph in lines of 120 characters, none of which begins with a sign, or like an item of a list. */
function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1)!;
    if (line.length + word.length < 120 || /^(\d+[.)]|[-+*#>=·/−]+)$/.test(word)) {
      lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
    } else lines.push(word);
  }
  return lines.join("\n");
}

function markdown({ head, rows }: Table): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** The anchor that GitHub makes of a heading. */
function anchor(i: number, title: string): string {
  const text = `${i + 1}. ${title}`.toLowerCase();
  return text.replaceAll(/[^\p{L}\p{N} -]/gu, "").replaceAll(" ", "-");
}
