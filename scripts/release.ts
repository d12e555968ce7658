// Publishes what is committed (docs/release.md): npm run release, or npm run release -- --help.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { environment } from "../test/fixtures/exec";
import { cleanBuild, differences, elsewhere, integrity, root, run } from "./release/cleanBuild";
import { obstacles, unnamed } from "./release/ready";
import { sbom } from "./release/sbom";

const HELP = `npm run release -- [options]

  --dry-run         everything but publishing and the tag
  --no-check        with --dry-run: without the tests
  --tag NAME        npm's tag of the version; default latest
  --help            this text

Without --dry-run it publishes, and tags the commit. docs/release.md says what it wants beforehand.`;

const { values } = parseArgs({
  options: {
    "dry-run": { type: "boolean", default: false },
    "no-check": { type: "boolean", default: false },
    tag: { type: "string", default: "latest" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}
// Without the --, npm keeps the option to itself, and says so here.
const isDry = values["dry-run"] || process.env.npm_config_dry_run === "true";

const folder = mkdtempSync(join(tmpdir(), "nablas-release-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

/** Runs npm for all to see, and ends here if it fails. Gives what it says on standard error, if that is a pipe. */
function npm(args: string[], cwd: string, stderr: "pipe" | "inherit"): string {
  console.log(`> npm ${args.join(" ")}`);
  const stdio = ["ignore", "inherit", stderr] as const;
  const ran = spawnSync("npm", args, { cwd, env: environment(), encoding: "utf8", stdio: [...stdio] });
  process.stderr.write(ran.stderr ?? "");
  if (ran.status !== 0) fail([`npm ${args.join(" ")} failed`]);
  return ran.stderr ?? "";
}

function fail(lines: string[]): never {
  console.error(lines.join("\n"));
  process.exit(1);
}

/** The tarball that two clean builds agree upon. */
function packTwice(commit: string): string {
  const [one, another] = [join(folder, "one"), join(folder, "another")];
  const built = cleanBuild(commit, one);
  const found = differences(built, cleanBuild(commit, another, elsewhere(folder)), folder);
  if (found.length > 0) fail(["two clean builds of the same commit differ:", ...found]);
  return built;
}

const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const obstructed = [...obstacles(root), ...(isDry ? [] : unnamed(root))];
if (obstructed.length > 0) fail(obstructed);
if (isDry) console.log(["a dry run", ...unnamed(root)].join("; to publish, "));
if (values["no-check"] && !isDry) fail(["--no-check is for --dry-run"]);

const commit = run("git", ["rev-parse", "HEAD"]).trim();
const built = packTwice(commit);
console.log(`two clean builds of ${commit} gave the same bytes: ${integrity(readFileSync(built))}`);

if (!values["no-check"]) {
  for (const script of ["check", "test:matrix"])
    npm(["run", script], join(folder, "one", "nablas"), "inherit");
}

const release = join(root, "build", "release");
mkdirSync(release, { recursive: true });
const tarball = join(release, `${name}-${version}.tgz`);
copyFileSync(built, tarball);
const date = new Date(run("git", ["show", "--no-patch", "--format=%cI", commit]).trim());
writeFileSync(join(release, `${name}-${version}.cdx.json`), await sbom(readFileSync(tarball), date));

const publish = [
  "publish",
  tarball,
  "--provenance",
  "--access",
  "public",
  "--tag",
  values.tag,
  "--loglevel",
  "notice",
];
const said = npm(isDry ? [...publish, "--dry-run"] : publish, root, "pipe");
// About the login of whoever tries, and about settings of the machine, it says nothing of the package.
const warnings = said
  .split("\n")
  .filter((line) => line.startsWith("npm warn") && !/logged in|Unknown (user|env|global) config/.test(line));
if (isDry) {
  if (warnings.length > 0) fail(["npm has warnings about the package"]);
  console.log(`${tarball} would be published, and ${commit} tagged v${version}`);
} else {
  run("git", ["tag", `v${version}`, commit]);
  console.log(`tagged; now: git push origin v${version}`);
}
