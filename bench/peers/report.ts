import type { Machine } from "../machine";
import { spread } from "../stats";
import { time } from "../table";
import { type Library, libraries, titles } from "./protocol";
import type { RowResult, Section } from "./run";

/** What `--json` writes. */
export interface Report {
  machine: Machine;
  versions: Partial<Record<Library, string>>;
  quick: boolean;
  sections: Section[];
}

const others = libraries.filter((library) => library !== "nablas");

export function markdown(report: Report): string {
  const { machine, quick, sections } = report;
  return `# Against other libraries

Written by \`npm run bench:peers${quick ? " -- --quick" : ""}\` on ${machine.date}: ${machine.cpu}, ${machine.platform}.

${HOW_TO_READ}

${sections.map((section) => sectionMarkdown(section, report)).join("\n")}`;
}

const HOW_TO_READ = `**How to read it.** Each cell is the median time of a call and half the distance of the quartiles in percent of it.
*Ahead* is the time of the best other library over that of nablas: above 1 nablas is the fastest, below 1 it lost the
row. Machines differ and are noisy, so only times of the same row may be compared. Everything has one thread.

* Each answer is checked before it is timed, and may be off by 1e-5 of its largest number; *wrong* says that it was not
  right. A dash says that a library has no such operation, or cannot train.
* Libraries take turns in rounds in one process, which is started several times. In rows with a ° each has processes of
  its own, which take turns: they are so short that some libraries are slower when they share an engine.
* Batches of calls in which the process had less than 90 % of its core do not count; if there are no others, the time
  that it had does.
* Every library is used as its documentation recommends: jax-js with everything under \`jit\`, onnxruntime-web with a
  graph per operation and weights as constants, nablas with its eager functions. The weights of a product stay the same
  from call to call, which favours libraries that pack them once.
* A training step is given its batch as typed arrays and gives its loss as a number: linear layers with ReLU between
  them, cross-entropy (2-8-1: the mean squared error), SGD with momentum. Inference is the logits of the same network.
* † brain.js learns from one sample after the other by the squared error: the same sizes, not the same mathematics. It
  does not count for *ahead*.
`;

function sectionMarkdown(section: Section, { versions }: Report): string {
  const used = libraries.filter((library) => library in section.about);
  const settings = used.map(
    (library) => `* ${[library, versions[library]].filter(Boolean).join(" ")}: ${section.about[library]}`,
  );
  return `## Node ${section.node}

${settings.join("\n")}

${tableRow(["", ...used.map((library) => titles[library]), "ahead"])}
${tableRow([":--", ...used.map(() => "--:"), "--:"])}
${section.rows.map((row) => tableRow([row.name + (row.alone ? " °" : ""), ...used.map((library) => cell(row, library)), ahead(row)])).join("\n")}

${verdict(section.rows)}
`;
}

const tableRow = (cells: string[]) => `| ${cells.join(" | ")} |`;

function cell({ outcomes }: RowResult, library: Library): string {
  const { timing, wrong, unlike } = outcomes[library] ?? {};
  if (wrong !== undefined) return "wrong";
  if (timing === undefined) return "–";
  return `${time(timing.median)} ±${spread(timing).toFixed(0)}%${unlike ? " †" : ""}`;
}

/** The time of each other library that gives an answer over that of nablas, the quickest first. */
function ratios({ outcomes }: RowResult): { library: Library; ratio: number; unlike: boolean }[] {
  const own = outcomes.nablas?.timing;
  if (own === undefined) return [];
  const all = others.flatMap((library) => {
    const { timing, unlike = false } = outcomes[library] ?? {};
    return timing === undefined ? [] : [{ library, ratio: timing.median / own.median, unlike }];
  });
  return all.sort((a, b) => a.ratio - b.ratio);
}

function ahead(row: RowResult): string {
  const best = ratios(row).find(({ unlike }) => !unlike);
  if (best === undefined) return "–";
  return best.ratio < 1 ? `**${best.ratio.toFixed(2)}**` : best.ratio.toFixed(2);
}

function verdict(rows: RowResult[]): string {
  const lost = rows.flatMap((row) => {
    const quicker = ratios(row).filter(({ ratio }) => ratio < 1);
    const list = quicker.map(
      ({ library, ratio, unlike }) => `${titles[library]}${unlike ? " †" : ""} ${ratio.toFixed(2)}`,
    );
    return list.length === 0 ? [] : [`* ${row.name}: ${list.join(", ")}`];
  });
  const wrong = rows.flatMap(({ name, outcomes }) =>
    libraries.flatMap((library) => {
      const reason = outcomes[library]?.wrong;
      return reason === undefined ? [] : [`* ${name}: ${titles[library]} is wrong, ${reason}`];
    }),
  );
  const summary =
    lost.length === 0
      ? `nablas is the fastest in all ${rows.length} rows.`
      : `nablas is not the fastest in ${lost.length} of ${rows.length} rows; who needs which part of its time:`;
  return [summary, "", ...lost, ...(wrong.length > 0 ? ["", ...wrong] : [])].join("\n").trimEnd();
}
