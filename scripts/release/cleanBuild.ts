import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { environment } from "../../test/fixtures/exec";

export const root = join(import.meta.dirname, "..", "..");

/** What a program prints; its errors go to the terminal. */
export function run(program: string, args: readonly string[], cwd = root, env = environment()): string {
  return execFileSync(program, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** The package of `commit`, built in a clone of its own within `folder`, with the toolchain of the lock file; gives the tarball. */
export function cleanBuild(commit: string, folder: string, more: NodeJS.ProcessEnv = {}): string {
  const [clone, env] = [join(folder, "nablas"), environment(more)];
  mkdirSync(folder, { recursive: true });
  // npm writes the permissions of the files into the tarball.
  const umask = process.umask(0o022);
  try {
    run("git", ["clone", "--quiet", "--no-checkout", root, clone]);
    run("git", ["checkout", "--quiet", "--detach", commit], clone);
    run("npm", ["ci", "--loglevel=error"], clone, env);
    run("npm", ["run", "--silent", "build"], clone, env);
    run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], clone, env);
  } finally {
    process.umask(umask);
  }
  return join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz"))!);
}

/** What should not matter: the time zone, the language, whose computer it is. */
export function elsewhere(folder: string): NodeJS.ProcessEnv {
  const [npm_config_cache, npm_config_userconfig] = ["cache", "userconfig"].map((key) =>
    run("npm", ["config", "get", key]).trim(),
  ) as [string, string];
  const HOME = join(folder, "home");
  mkdirSync(HOME, { recursive: true });
  return { TZ: "Asia/Kathmandu", LC_ALL: "tr_TR.UTF-8", HOME, npm_config_cache, npm_config_userconfig };
}

/** As npm and lock files give it. */
export const integrity = (bytes: Uint8Array): string =>
  `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

/** How two tarballs differ, a line for each file; none if they have the same bytes. `folder` is for unpacking them. */
export function differences(a: string, b: string, folder: string): string[] {
  if (readFileSync(a).equals(readFileSync(b))) return [];
  const [first, second] = [a, b].map((tarball, i) => unpacked(tarball, join(folder, `unpacked-${i}`))) as [
    Map<string, Buffer>,
    Map<string, Buffer>,
  ];
  const names = [...new Set([...first.keys(), ...second.keys()])].sort();
  const lines = names.flatMap((name) => {
    const [one, other] = [first.get(name), second.get(name)];
    if (one === undefined || other === undefined)
      return [`${name} is only in the ${one === undefined ? "second" : "first"}`];
    return one.equals(other) ? [] : [`${name} differs`];
  });
  return lines.length > 0
    ? lines
    : ["the files are the same, but packed otherwise: permissions, or another zlib"];
}

function unpacked(tarball: string, folder: string): Map<string, Buffer> {
  mkdirSync(folder, { recursive: true });
  run("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return new Map(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(folder.length + 1), readFileSync(path)];
    }),
  );
}
