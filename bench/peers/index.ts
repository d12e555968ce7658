/**
 * Times the library against others, and writes bench/RESULTS.md and docs/bench.svg: `npm run bench:peers`, or
 * `npm run bench:peers -- --help`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { machine } from "../machine";
import { chart } from "./chart";
import { libraries } from "./protocol";
import { markdown, type Report } from "./report";
import { rows } from "./rows";
import { measureAll, QUICK, THOROUGH } from "./run";

const HELP = `npm run bench:peers -- [options]

  --filter PATTERN  only the rows whose name matches this regular expression, and only to the terminal
  --node MAJOR      a version of Node to measure in; may be repeated; default: --node 20 --node 24
  --quick           less time and more noise
  --json FILE       writes the figures there, too
  --from FILE       report and chart of figures that --json wrote, without measuring
  --help            this text`;

const file = (path: string) => new URL(path, import.meta.url);

async function main(): Promise<void> {
  const { filter, node, quick, json, from, help } = parseArgs({
    options: {
      filter: { type: "string" },
      node: { type: "string", multiple: true, default: ["20", "24"] },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      from: { type: "string" },
      help: { type: "boolean", default: false },
    },
  }).values;
  if (help) {
    console.log(HELP);
    return;
  }
  const report =
    from === undefined
      ? await measure(node, filter, quick)
      : (JSON.parse(readFileSync(from, "utf8")) as Report);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  const text = markdown(report);
  console.log(text);
  if (filter !== undefined) return;
  writeFileSync(file("../RESULTS.md"), text);
  writeFileSync(file("../../docs/bench.svg"), `${chart(report.sections.at(-1)!)}\n`);
}

async function measure(
  versionsOfNode: string[],
  filter: string | undefined,
  quick: boolean,
): Promise<Report> {
  const pattern = new RegExp(filter ?? "", "i");
  const chosen = rows.filter(({ name }) => pattern.test(name));
  if (chosen.length === 0)
    throw new Error(`no row matches ${filter}; there are\n${rows.map(({ name }) => name).join("\n")}`);
  const sections = [];
  for (const major of versionsOfNode)
    sections.push(await measureAll(major, chosen, quick ? QUICK : THOROUGH));
  return { machine: machine(), versions: installedVersions(), quick, sections };
}

function installedVersions(): Report["versions"] {
  const { dependencies } = JSON.parse(readFileSync(file("package.json"), "utf8"));
  const { version } = JSON.parse(readFileSync(file("../../package.json"), "utf8"));
  return Object.fromEntries([
    ["nablas", version],
    ...libraries.flatMap((library) => (library in dependencies ? [[library, dependencies[library]]] : [])),
  ]);
}

main().catch((error: Error) => {
  console.error(`bench:peers: ${error.message}`);
  process.exitCode = 1;
});
