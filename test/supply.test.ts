// What comes to a user by way of the package, and to a developer by way of the lock file.
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, hostname, tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { differences } from "../scripts/release/cleanBuild";
import { obstacles, unnamed } from "../scripts/release/ready";
import { inlined, sbom } from "../scripts/release/sbom";
import { environment } from "./fixtures/exec";
import { pack } from "./fixtures/fixtures";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "nablas-supply-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (name: string): string => readFileSync(join(root, name), "utf8");
const manifest = JSON.parse(read("package.json"));
const lock: Record<string, Locked> = JSON.parse(read("package-lock.json")).packages;

interface Locked {
  version: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
  hasInstallScript?: boolean;
}

function run(cwd: string, program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd, env: environment(), encoding: "utf8", stdio: "pipe" });
}

describe("the package", () => {
  const user = join(folder, "user");
  const installed = join(user, "node_modules", "nablas");
  let said: string;

  beforeAll(async () => {
    mkdirSync(user);
    writeFileSync(join(user, "package.json"), '{ "name": "user", "private": true }');
    const options = [
      "--offline",
      "--no-audit",
      "--no-fund",
      "--ignore-scripts=false",
      "--foreground-scripts",
    ];
    said = run(user, "npm", "install", ...options, await pack(folder));
  });

  test("installs without a script, and alone", () => {
    expect(said.trim()).toMatch(/^added 1 package in \S+$/);
    expect(readdirSync(join(user, "node_modules")).filter((name) => name !== ".package-lock.json")).toEqual([
      "nablas",
    ]);
    const { packages } = JSON.parse(readFileSync(join(user, "package-lock.json"), "utf8"));
    expect(packages["node_modules/nablas"].version).toBe(manifest.version);
    expect(packages["node_modules/nablas"]).not.toHaveProperty("hasInstallScript");
    // What npm runs when somebody installs the package, a folder or a repository of it.
    const scripts = [
      "preinstall",
      "install",
      "postinstall",
      "prepublish",
      "preprepare",
      "prepare",
      "postprepare",
    ];
    expect(Object.keys(manifest.scripts).filter((name) => scripts.includes(name))).toEqual([]);
  });

  const files = () =>
    readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name));

  test("tells nothing of the machine that built it", () => {
    expect(files().length).toBeGreaterThan(20);
    const here = [root, hostname(), homedir()].filter((name) => name.length > 5);
    const path = /(?<![\w.:/-])\/(?:home|Users|root|tmp|var|private|builds|github)\/[\w.-]+|[A-Z]:\\\\?Users/;
    const found = files().flatMap((file) => {
      const text = readFileSync(file, "latin1");
      const name = file.slice(installed.length + 1);
      return [...here.filter((one) => text.includes(one)), path.exec(text)?.[0] ?? []]
        .flat()
        .map((one) => `${name}: ${one}`);
    });
    expect(found).toEqual([]);
  });

  test("has source maps whose sources are relative, and inside", () => {
    const maps = files().filter((file) => file.endsWith(".map"));
    expect(maps.length).toBeGreaterThan(0);
    for (const map of maps) {
      const { sources, sourceRoot = "", sourcesContent } = JSON.parse(readFileSync(map, "utf8"));
      expect(sourceRoot).toBe("");
      expect(sources.filter((source: string) => !/^\.\.\/(src|assembly|build)\//.test(source))).toEqual([]);
      expect(sourcesContent).toHaveLength(sources.length);
    }
  });

  test("shows an error that nobody catches on a few lines, and by the maps where it was raised", () => {
    writeFileSync(join(user, "wrong.mjs"), 'import { tensor } from "nablas";\ntensor([1]).add([1]);\n');
    const told = (...args: string[]) =>
      spawnSync(process.execPath, args, { cwd: user, encoding: "utf8" }).stderr;
    const plain = told("wrong.mjs");
    expect(plain).toMatch(/DTypeError: add: expected a tensor, got an array/);
    expect(plain.length).toBeLessThan(6000);
    const mapped = told("--enable-source-maps", "wrong.mjs");
    expect(mapped).toMatch(/src\/tensor\.ts:\d+\n.*throw new DTypeError/);
    expect(mapped).toMatch(/at \S+ \(\S+src\/ops\/\w+\.ts:\d+:\d+\)/);
  });

  test("evaluates no text: neither its code can, nor does it need to", () => {
    const found = files()
      .filter((file) => file.endsWith(".js"))
      .flatMap((file) => evaluations(readFileSync(file, "utf8")).map((one) => [file, one]));
    expect(found).toEqual([]);
    expect(evaluations("eval(x); (0, eval)(x); new Function(x); import(x); setTimeout('x')")).toHaveLength(5);

    writeFileSync(join(user, "files.mjs"), READ_EVERYTHING);
    const output = run(user, process.execPath, "--disallow-code-generation-from-strings", "files.mjs");
    expect(output.trim()).toBe("safetensors npz onnx tfjs idx checkpoint");
  });
});

/** Calls by which text could become code. */
function evaluations(code: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const [argument] = node.arguments ?? [];
      const name = node.expression.getText();
      const isText = argument !== undefined && ts.isStringLiteralLike(argument);
      const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword && !isText;
      const isTimer = /^(window\.|globalThis\.)?set(Timeout|Interval)$/.test(name) && isText;
      // `model.eval()` is a method of modules.
      const isEval = /(^|[., ])(eval|Function)\)?$/.test(name) && argument !== undefined;
      if (isImport || isTimer || isEval) found.push(node.getText().slice(0, 60));
    }
    node.forEachChild(visit);
  };
  visit(ts.createSourceFile("code.js", code, ts.ScriptTarget.Latest, true));
  return found;
}

const READ_EVERYTHING = `
  import * as n from "nablas";
  import { loadNpz, saveNpz } from "nablas/numpy";
  import { fromOnnx, toOnnx } from "nablas/onnx";
  import { fromTfjs } from "nablas/tfjs";
  const refused = (() => { try { new Function("return 1"); } catch { return true; } })();
  if (!refused) throw new Error("this engine evaluates text");
  const done = [];
  const model = new n.Sequential(new n.Linear(2, 3), new n.ReLU());
  const x = n.tensor([[1, 2]]);
  const same = (name, a, b) => { if (String(a) === String(b)) done.push(name); };
  const { tensors } = n.loadSafetensors(n.saveSafetensors(model.stateDict()));
  same("safetensors", tensors["0.weight"].data, model.layers[0].weight.data);
  same("npz", loadNpz(saveNpz({ x }, { compress: true })).x.data, x.data);
  same("onnx", fromOnnx(toOnnx(model, { input: [null, 2] })).forward(x).data, model.forward(x).data);
  const layer = { class_name: "Dense", config: { name: "d", units: 1, batch_input_shape: [null, 2] } };
  const spec = (name, shape) => ({ name: "d/" + name, shape, dtype: "float32" });
  const json = {
    modelTopology: { class_name: "Sequential", config: [layer] },
    weightSpecs: [spec("kernel", [2, 1]), spec("bias", [1])],
  };
  const dense = await fromTfjs(json, new Uint8Array(Float32Array.of(1, 2, 3).buffer));
  same("tfjs", dense.forward(x).data, [8]);
  same("idx", (await n.readIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 5, 6))).data, [5, 6]);
  same("checkpoint", n.loadCheckpoint(n.saveCheckpoint({ model, text: "eval(1)" }), { model }).text, "eval(1)");
  console.log(done.join(" "));
`;

test("gives the same bytes, built in another place with another clock and language", () => {
  const elsewhere = join(folder, "a longer name than that of the other place");
  mkdirSync(elsewhere);
  const parts = ["src", "build", "assembly", "package.json", "tsconfig.json", "tsup.config.ts"];
  for (const name of parts) cpSync(join(root, name), join(elsewhere, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(elsewhere, "node_modules"));
  // Without the declarations, which take half a minute, and what is made as index is: npm run reproduce compares everything.
  writeFileSync(
    join(elsewhere, "build.mts"),
    `import { build } from "tsup";
     import configs from "./tsup.config";
     const quick = configs.filter(({ dts, entry }) => dts === undefined && !("slim" in entry || "edge" in entry));
     for (const one of quick) await build({ ...one, config: false, silent: true });`,
  );
  execFileSync(process.execPath, [join(root, "node_modules/tsx/dist/cli.mjs"), "build.mts"], {
    cwd: elsewhere,
    env: environment({ TZ: "Asia/Kathmandu", LC_ALL: "tr_TR.UTF-8", HOME: elsewhere }),
    stdio: "pipe",
  });
  const built = readdirSync(join(elsewhere, "dist")).sort();
  expect(built).toEqual(expect.arrayContaining(["index.js", "index.js.map", "onnx.js", "baseline.wasm"]));
  const differing = built.filter(
    (name) => !readFileSync(join(root, "dist", name)).equals(readFileSync(join(elsewhere, "dist", name))),
  );
  expect(differing, "dist/ is older than src/, or the build depends on where and when it runs").toEqual([]);
});

describe("the lock file", () => {
  const entries = Object.entries(lock).filter(([path]) => path !== "");

  test("has a hash of everything, and takes everything from the registry", () => {
    expect(entries.length).toBeGreaterThan(100);
    const unsure = entries.filter(
      ([path, { integrity, resolved, link }]) =>
        !path.startsWith("node_modules/") ||
        link ||
        resolved ||
        !/^sha512-[\w+/]{86}==$/.test(integrity ?? ""),
    );
    expect(unsure.map(([path]) => path)).toEqual([]);
    const requested = Object.values<string>(manifest.devDependencies);
    expect(requested.filter((range) => !/^[\^~]?\d+(\.\d+){0,2}$/.test(range))).toEqual([]);
  });

  test("has install scripts of two packages only, and npm ci runs none", () => {
    const names = entries.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
    const known = ["esbuild", "protobufjs"];
    expect([...new Set(names.map((path) => path.replace(/.*node_modules\//, "")))].sort()).toEqual(known);
    expect(read(".npmrc").split("\n")).toContain("ignore-scripts=true");
  });
});

describe("what is inside of others", () => {
  test("is named, with the licences", async () => {
    const names = await inlined();
    expect(names).toEqual(expect.arrayContaining(["assemblyscript", "fflate", "pbf"]));
    const notices = read("THIRD-PARTY-NOTICES.txt");
    for (const name of names) {
      const license = read(`node_modules/${name}/LICENSE`).trim();
      expect(notices, name).toContain(license);
    }
    expect(manifest.files).toContain("THIRD-PARTY-NOTICES.txt");
  });

  test("is in the bill of materials, which is the same for the same package", async () => {
    const [bytes, date] = [Buffer.from("a tarball"), new Date("2026-11-21T00:00:00Z")];
    const text = await sbom(bytes, date);
    expect(await sbom(bytes, date)).toBe(text);
    const { metadata, components, dependencies } = JSON.parse(text);
    expect(metadata.component).toMatchObject({ name: "nablas", version: manifest.version });
    expect(metadata.component.hashes[0].content).toMatch(/^[0-9a-f]{128}$/);
    for (const { name, version, licenses } of components) {
      expect(version).toBe(lock[`node_modules/${name}`]!.version);
      expect(licenses[0].license.id).toBe(JSON.parse(read(`node_modules/${name}/package.json`)).license);
    }
    expect(components.map(({ name }: { name: string }) => name)).toEqual(await inlined());
    expect(dependencies[0].dependsOn).toHaveLength(components.length);
  });
});

describe("a release", () => {
  const repository = join(folder, "repository");
  const settings = ["user.name=A", "user.email=a@example.org", "commit.gpgsign=false"].flatMap((one) => [
    "-c",
    one,
  ]);
  const git = (...args: string[]) => run(repository, "git", ...settings, ...args);
  const wants = (version: string, more: object = {}) =>
    writeFileSync(join(repository, "package.json"), JSON.stringify({ version, ...more }));

  test("wants everything committed, a section of the changelog, and a new tag", () => {
    mkdirSync(repository);
    git("init", "--quiet");
    wants("1.2.0");
    writeFileSync(join(repository, "CHANGELOG.md"), "# Changelog\n\n## 1.2.0 (2026-11-21)\n");
    expect(obstacles(repository)).toEqual([expect.stringMatching(/not committed:\n.*CHANGELOG\.md/)]);
    git("add", ".");
    git("commit", "--quiet", "--message", "All");
    expect(obstacles(repository)).toEqual([]);
    git("tag", "v1.2.0");
    expect(obstacles(repository)).toEqual(["the tag v1.2.0 exists"]);
    wants("1.2");
    git("commit", "--quiet", "--all", "--message", "A version");
    expect(obstacles(repository)).toEqual(['CHANGELOG.md has no section "## 1.2 (date)"']);
    expect(unnamed(repository)).toHaveLength(1);
    wants("1.2", { repository: { type: "git", url: "git+https://example.org/nablas.git" } });
    expect(unnamed(repository)).toEqual([]);
  });

  test("of this version has its section of the changelog", () => {
    expect(obstacles(root).filter((line) => !/not committed|the tag/.test(line))).toEqual([]);
  });

  test("tells tarballs apart, by file", async () => {
    const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz"))!);
    expect(differences(tarball, tarball, folder)).toEqual([]);
    const changed = join(folder, "changed");
    mkdirSync(changed);
    run(changed, "tar", "-xzf", tarball);
    appendFileSync(join(changed, "package", "dist", "index.js"), " ");
    rmSync(join(changed, "package", "LICENSE"));
    const other = join(changed, "other.tgz");
    run(changed, "tar", "-czf", other, "package");
    expect(differences(tarball, other, join(folder, "told"))).toEqual([
      "LICENSE is only in the first",
      "dist/index.js differs",
    ]);
    expect(existsSync(join(folder, "told"))).toBe(true);
  });
});
