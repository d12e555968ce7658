import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./cleanBuild";

const manifest = (folder: string) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Why what is in `folder` cannot be released as it is. */
export function obstacles(folder: string): string[] {
  const git = (...args: string[]) => run("git", args, folder).trimEnd();
  const { version } = manifest(folder);
  const lines = readFileSync(join(folder, "CHANGELOG.md"), "utf8").split("\n");
  const changed = git("status", "--porcelain");
  return [
    changed === "" ? [] : [`there are changes that are not committed:\n${changed}`],
    lines.some((line) => line.startsWith(`## ${version} (`))
      ? []
      : [`CHANGELOG.md has no section "## ${version} (date)"`],
    git("tag", "--list", `v${version}`) === "" ? [] : [`the tag v${version} exists`],
  ].flat();
}

/** What a public registry asks for beside that: it compares the repository with where provenance says the package was built. */
export function unnamed(folder: string): string[] {
  const { repository } = manifest(folder);
  return typeof (repository?.url ?? repository) === "string"
    ? []
    : ['package.json needs the "repository" from which it is published'];
}
