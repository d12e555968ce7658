import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "nablas-package-"));
afterAll(() => rmSync(folder, { recursive: true }));

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
let files: string[];

/** Runs a program in the project that has the package installed. */
function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function runScript(name: string, source: string): string {
  writeFileSync(join(folder, name), source);
  return run(process.execPath, name).trim();
}

beforeAll(() => {
  // Scripts of the package would build it anew under the feet of other tests.
  const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ filename, files: list }] = JSON.parse(packed);
  files = list.map(({ path }: { path: string }) => path);
  writeFileSync(join(folder, "package.json"), '{ "name": "user", "private": true }');
  const installed = join(folder, "node_modules", "nablas");
  mkdirSync(installed, { recursive: true });
  run("tar", "-xzf", filename, "-C", installed, "--strip-components=1");
});

const PAPERS = ["CHANGELOG.md", "LICENSE", "README.md", "THIRD-PARTY-NOTICES.txt", "package.json"];

test("holds the build, its types and the papers, nothing else", () => {
  const built = (path: string) => /^dist\/[\w.-]+\.(js|js\.map|d\.ts|wasm)$/.test(path);
  const entries = Object.values(manifest.exports as Record<string, string | Record<string, string>>)
    .flatMap((paths) => (typeof paths === "string" ? [paths] : Object.values(paths)))
    .map((path) => path.replace("./", ""));
  expect(files).toEqual(expect.arrayContaining(entries));
  expect(files.filter((path) => !built(path)).sort()).toEqual(PAPERS);
});

test("needs no other package at run time", () => {
  for (const kind of ["dependencies", "peerDependencies", "optionalDependencies", "bundleDependencies"]) {
    expect(Object.keys(manifest[kind] ?? {})).toEqual([]);
  }
  const code = readFileSync(join(root, "dist", "index.js"), "utf8");
  const imported = [...code.matchAll(/\b(?:from|import|require)\s*\(?\s*["']([^"']+)["']/g)].map(
    ([, name]) => name!,
  );
  expect(imported.filter((name) => !name.startsWith("node:"))).toEqual([]);
});

test("declares what it has", () => {
  expect(manifest.type).toBe("module");
  expect(manifest.sideEffects).toBe(false);
  for (const path of [manifest.main, ...Object.values<string>(manifest.exports["."])]) {
    expect(statSync(join(folder, "node_modules", "nablas", path)).size).toBeGreaterThan(0);
  }
});

test("the lockfile names no hosts", () => {
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  expect(lock).not.toMatch(/"resolved"/);
  expect(lock).toMatch(/"lockfileVersion"/);
});

const xor = `
manualSeed(1);
const model = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
const optimizer = new Adam(model.parameters(), { lr: 0.05 });
const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
const y = tensor([[0], [1], [1], [0]]);
const step = () => scope(() => {
  const loss = bceWithLogitsLoss(model.forward(x), y);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return loss.item();
});
const first = step();
let last = first;
for (let i = 0; i < 300; i++) last = step();
console.log(JSON.stringify({ first, last }));
`;
const names = "Adam, bceWithLogitsLoss, Linear, manualSeed, scope, Sequential, Tanh, tensor";

function checkTraining(output: string): void {
  const { first, last } = JSON.parse(output);
  expect(first).toBeGreaterThan(0.5);
  expect(last).toBeLessThan(0.1);
}

test("trains after an import, and the process ends by itself", () => {
  checkTraining(runScript("xor.mjs", `import { ${names} } from "nablas";${xor}`));
});

test("has one instance of the library for all that is beside it", () => {
  const source = `
    import { FormatError, Linear, OptionError, tensor } from "nablas";
    import { fromTfjs } from "nablas/tfjs";
    import { toModule } from "nablas/standalone";
    const refused = await fromTfjs("{}", []).catch((error) => error instanceof FormatError);
    const layer = { class_name: "Dense", config: { name: "d", units: 1, batch_input_shape: [null, 2] } };
    const modelTopology = { class_name: "Sequential", config: [layer] };
    const weight = (name, shape) => ({ name: "d/" + name, shape, dtype: "float32" });
    const weightSpecs = [weight("kernel", [2, 1]), weight("bias", [1])];
    const weights = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
    const model = await fromTfjs({ modelTopology, weightSpecs }, weights);
    const { predict } = await import("data:text/javascript," + encodeURIComponent(toModule(model).code));
    let known = false;
    try { toModule({}); } catch (error) { known = error instanceof OptionError; }
    const y = model.forward(tensor([[4, 5]])).item();
    console.log(JSON.stringify([refused, known, model.layers[0] instanceof Linear, y, predict([4, 5])[0]]));`;
  expect(JSON.parse(runScript("beside.mjs", source))).toEqual([true, true, true, 17, 17]);
});

test("does nothing at import but define", () => {
  const source = `
    const before = Object.keys(globalThis).length;
    const { memory } = await import("nablas");
    console.log(JSON.stringify([Object.keys(globalThis).length - before, memory()]));`;
  expect(JSON.parse(runScript("import.mjs", source))).toEqual([0, { bytes: 0, reserved: 0, tensors: 0 }]);
});

const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
const requires = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
test.runIf(requires)("trains after a require", () => {
  checkTraining(runScript("xor.cjs", `const { ${names} } = require("nablas");${xor}`));
});

test("has no any in its declarations", () => {
  const declarations = files.filter((path) => path.endsWith(".d.ts"));
  const found: string[] = [];
  let statements = 0;
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(node.parent.getText());
    node.forEachChild(visit);
  };
  for (const path of declarations) {
    const source = readFileSync(join(root, path), "utf8");
    const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
    statements += file.statements.length;
    visit(file);
  }
  expect(declarations).toContain("dist/index.d.ts");
  expect(statements).toBeGreaterThan(200);
  expect(found).toEqual([]);
});

test("has types that a strict project accepts", () => {
  writeFileSync(
    join(folder, "user.ts"),
    `import { Linear, type Module, ReLU, Sequential, type Tensor, tensor } from "nablas";
     import { loadNpy } from "nablas/numpy";
     import { toModule } from "nablas/standalone";
     import { fromTfjs } from "nablas/tfjs";
     const model = new Sequential(new Linear(2, 1), new ReLU());
     const y: Tensor = model.forward(tensor([[1, 2]])).mul(2).sum({ dim: 1, keepdim: true });
     export const shape: readonly number[] = y.shape;
     export const read: Promise<Module> = fromTfjs("", []);
     export const text: string = toModule(model).code;
     export const size: number = loadNpy(new Uint8Array()).data.length;
     // @ts-expect-error: the option is dim
     export const wrong = (x: Tensor) => x.softmax({ axis: 1 });`,
  );
  const compilerOptions = {
    ...{ noEmit: true, strict: true, target: "ES2022", lib: ["ES2022"], types: [] },
    ...{ module: "nodenext", moduleResolution: "nodenext" },
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["user.ts"] }));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  let output = "";
  try {
    output = run(process.execPath, tsc);
  } catch (error) {
    output = String((error as { stdout?: unknown }).stdout);
  }
  expect(output).toBe("");
});
