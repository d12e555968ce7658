import { readFileSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { minify } from "terser";
import { defineConfig, type Options } from "tsup";
import ts from "typescript";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/** Takes the kernels from src/binary/`name`.ts instead of inline.ts. */
const kernelsFrom = (name: string): Plugin => ({
  name: "kernels",
  setup(build) {
    build.onResolve({ filter: /\/inline$/ }, () => ({ path: resolve(`src/binary/${name}.ts`) }));
    build.onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path, external: true }));
  },
});

/**
 * Gives classes their names for good: errors and layers tell them, in a user's minified bundle too. And marks what a module
 * computes when it is loaded as pure, since of one file a bundler drops only what it knows to be so.
 */
const namedAndPure: Plugin = {
  name: "named and pure",
  setup(build) {
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
      const inserts = file.statements.flatMap((statement) =>
        ts.isVariableStatement(statement)
          ? pure(statement)
          : ts.isClassDeclaration(statement)
            ? named(statement)
            : [],
      );
      inserts.sort((a, b) => b.at - a.at);
      const contents = inserts.reduce(
        (text, { at, what }) => text.slice(0, at) + what + text.slice(at),
        source,
      );
      return { contents, loader: "ts" };
    });
  },
};

interface Insert {
  at: number;
  what: string;
}

/** Comments before the calls of an expression, except in functions, which run later. */
function pure(node: ts.Node): Insert[] {
  if (ts.isFunctionLike(node)) return [];
  const inner: Insert[] = [];
  node.forEachChild((child) => void inner.push(...pure(child)));
  if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return inner;
  return [{ at: node.getStart(), what: PURE }, ...inner];
}

const PURE = "/* @__PURE__ */ ";

/** What the package exports. */
const index = readFileSync("src/index.ts", "utf8");

/** A name within a class that users meet, and a function around one with computed keys, which bundlers take for side effects. */
function named(node: ts.ClassDeclaration): Insert[] {
  const name = node.name?.text;
  const exported = node.modifiers?.find(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  if (name === undefined || exported === undefined) return [];
  const inserts = (node.heritageClauses ?? []).flatMap(pure);
  // What index.ts exports by * extends a class.
  if (node.heritageClauses !== undefined || new RegExp(`\\b${name}\\b`).test(index)) {
    inserts.unshift({ at: node.members.pos, what: ` static override readonly name: string = "${name}";` });
  }
  if (!node.members.some((member) => member.name && ts.isComputedPropertyName(member.name))) return inserts;
  return [
    { at: exported.end, what: ` const ${name} = /* @__NOINLINE__ */ ${PURE}(() => {` },
    ...inserts,
    { at: node.end, what: ` return ${name}; })();` },
  ];
}

/** Takes the library itself from the package, of which there is to be one instance. */
const libraryFromPackage: Plugin = {
  name: "library",
  setup(build) {
    build.onResolve({ filter: /^\.\.\/index$/ }, () => ({ path: "nablas", external: true }));
  },
};

/** How long lines are, where they can be broken: Node prints the whole line of an error that nobody catches. */
const LINE = 2000;

/** Terser, with the map from what it gives to src: tsup's own leaves the map from what it got. */
const minified: NonNullable<Options["plugins"]>[number] = {
  name: "minified",
  async renderChunk(code, { path, map }) {
    if (!path.endsWith(".js")) return;
    const result = await minify(code, {
      module: true,
      ecma: 2020,
      compress: { passes: 3 },
      format: { preserve_annotations: true, max_line_len: LINE },
      ...(map ? { sourceMap: { content: String(map) } } : {}),
    });
    return { code: result.code!, map: result.map ?? null };
  },
};

/** An entry: the whole of src, with kernels from somewhere. */
const entry = (name: string, kernels: string): Options => ({
  entry: { [name]: "src/index.ts" },
  format: "esm",
  target: "es2022",
  plugins: [minified],
  sourcemap: name === "index",
  esbuildPlugins: [kernelsFrom(kernels), namedAndPure],
});

/** What is beside the library: "nablas/numpy" and the like. */
const subpaths = {
  numpy: "src/numpy/index.ts",
  onnx: "src/onnx/index.ts",
  standalone: "src/standalone/index.ts",
  tfjs: "src/tfjs/index.ts",
};

export default defineConfig([
  {
    ...entry("index", "inline"),
    async onSuccess() {
      for (const file of ["baseline.wasm", "relaxed.wasm"]) await copyFile(`build/${file}`, `dist/${file}`);
      await copyFile("build/worker.js", "dist/worker.js");
      // It is a script: whoever asks for its types is to learn that it exports nothing.
      await writeFile("dist/worker.d.ts", "export {};\n");
      await copyFile("src/binary/kernels.d.ts", "dist/kernels.d.ts");
    },
  },
  entry("slim", "none"),
  {
    entry: subpaths,
    splitting: false,
    format: "esm",
    target: "es2022",
    minify: true,
    noExternal: ["fflate", "pbf"],
    esbuildOptions: (options) => void Object.assign(options, { lineLimit: LINE }),
    esbuildPlugins: [libraryFromPackage, namedAndPure],
  },
  // Together, so that what the others declare is of the classes that the index declares.
  {
    entry: { index: "src/index.ts", ...subpaths },
    format: "esm",
    // For `using`, whatever the user's lib has.
    dts: { only: true, banner: '/// <reference lib="esnext.disposable" />' },
  },
  {
    ...entry("edge", "edge"),
    // Vercel's tools import a module, rather than an instance, under this name.
    async onSuccess() {
      const code = await readFile("dist/edge.js", "utf8");
      await writeFile("dist/edge-light.js", code.replace('"./baseline.wasm"', '"./baseline.wasm?module"'));
    },
  },
]);
