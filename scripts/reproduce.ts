// Builds the package of HEAD from a clean clone: twice, and compares the tarballs; or once, and compares it with a given one.
//   npm run reproduce [-- TARBALL]
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cleanBuild, differences, elsewhere, integrity, run } from "./release/cleanBuild";

const folder = mkdtempSync(join(tmpdir(), "nablas-reproduce-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

const given = process.argv[2];
const commit = run("git", ["rev-parse", "HEAD"]).trim();
const built = cleanBuild(commit, join(folder, "one"));
const other =
  given === undefined ? cleanBuild(commit, join(folder, "another"), elsewhere(folder)) : resolve(given);

const found = differences(built, other, folder);
console.log(found.length === 0 ? `the same bytes: ${integrity(readFileSync(built))}` : found.join("\n"));
process.exitCode = found.length === 0 ? 0 : 1;
