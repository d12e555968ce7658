import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { version } from "../build/abi";
import { hasRelaxedSimd } from "../src/binary/engine";
import { init, matmul, OptionError, scope, tensor } from "../src/index";

const wanted = process.env.NABLAS_SIMD;
const other = wanted === "relaxed" ? "baseline" : "relaxed";

const built = (file: string): string => JSON.stringify(new URL(`../dist/${file}`, import.meta.url));

/** What a process of its own prints that runs `code` with the package as it is built. */
function print(code: string, ...flags: string[]): unknown {
  return printFrom("index", code, ...flags);
}

/** The same with another entry. */
function printFrom(entry: string, code: string, ...flags: string[]): unknown {
  const script = `import { readFileSync } from "node:fs";
    const { init, tensor } = await import(${built(`${entry}.js`)});
    const files = {
      baseline: readFileSync(new URL(${built("baseline.wasm")})),
      relaxed: readFileSync(new URL(${built("relaxed.wasm")})),
    };
    const tried = async (run) => {
      try { return await run(); } catch (error) { return String(error); }
    };
    const asked = (options) => tried(() => init(options));
    console.log(JSON.stringify(await (async () => { ${code} })()));`;
  const args = [...flags, "--input-type=module", "-e", script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

const old = Number(process.versions.node.split(".")[0]) < 21;
const flags = old ? ["--experimental-wasm-relaxed-simd"] : [];

test("these tests run on the binary of their project", async () => {
  expect(await init()).toEqual({ simd: wanted, threads: Number(process.env.NABLAS_THREADS ?? 1) });
  // x² − r(x²) is what rounding took away, r being the rounding: only a fused multiply-add sees it.
  const x = 1 + 2 ** -12;
  const lost = scope(() => {
    const rows = tensor([[1, x]]).reshape([1, 2]);
    const columns = tensor([
      [-Math.fround(x * x), 0],
      [x, 0],
    ]);
    return matmul(rows, columns).data[0];
  });
  if (wanted === "baseline") expect(lost).toBe(0);
  else expect([0, 2 ** -24]).toContain(lost);
});

describe("init", () => {
  test("takes the best that the engine has", () => {
    expect(print("return init();", ...flags)).toEqual({ simd: "relaxed", threads: 1 });
    expect(print("return init();")).toEqual({ simd: old ? "baseline" : "relaxed", threads: 1 });
  });

  test("is obeyed, and may be called again", () => {
    expect(print('await init({ simd: "baseline" }); return init();', ...flags)).toMatchObject({
      simd: "baseline",
    });
    expect(print("await init({ deterministic: true }); return init();", ...flags)).toMatchObject({
      simd: "baseline",
    });
    const again =
      'await init({ simd: "relaxed" }); tensor([1]); return init({ simd: "relaxed", debug: true });';
    expect(print(again, ...flags)).toMatchObject({ simd: "relaxed" });
  });

  test("cannot exchange a binary that runs", async () => {
    const before = await init();
    if (other === "relaxed" && !hasRelaxedSimd()) return;
    await expect(init({ simd: other })).rejects.toThrow(OptionError);
    await expect(init({ simd: other })).rejects.toThrow(
      `init: expected to be called before the first tensor is made, to choose the ${other} binary; ${wanted} is running`,
    );
    expect(await init()).toEqual(before);
    const late = 'tensor([1]); return asked({ simd: "baseline" });';
    expect(print(late, ...flags)).toContain(
      "OptionError: init: expected to be called before the first tensor",
    );
  });

  test("says what it cannot do", async () => {
    await expect(init({ simd: "fast" as never })).rejects.toThrow(
      'init: simd is "baseline" or "relaxed", got "fast"',
    );
    await expect(init({ simd: "relaxed", deterministic: true })).rejects.toThrow(
      "deterministic keeps to the baseline",
    );
    await expect(init({ simd: null as never, thread: 2 } as object)).rejects.toThrow(
      'unknown option "thread"',
    );
  });

  test.runIf(old)("says which flag the engine lacks", () => {
    expect(print('return asked({ simd: "relaxed" });')).toContain(
      "OptionError: init: this engine has no relaxed SIMD; leave simd out, or in Node 20 pass --experimental-wasm-relaxed-simd",
    );
  });
});

describe("init takes the kernels", () => {
  const ways = {
    "bytes, a view": "{ bytes }",
    "bytes, a buffer": "{ bytes: Uint8Array.from(bytes).buffer }",
    "bytes of another realm": "{ bytes: runInNewContext('Uint8Array.from(bytes).buffer', { bytes }) }",
    "a module": "{ module: new WebAssembly.Module(bytes) }",
    "a module of another realm": "{ module: runInNewContext('new WebAssembly.Module(bytes)', { bytes }) }",
    "a URL": "{ url: inline }",
    "a URL as an object": "{ url: new URL(inline) }",
    "a response": "{ response: new Response(bytes) }",
    "a promise of a response": "{ response: Promise.resolve(new Response(bytes)) }",
  };

  describe.each(["slim", "index"])("of dist/%s.js from", (entry) => {
    test.each(Object.entries(ways))("%s", (_, options) => {
      for (const simd of ["baseline", "relaxed"]) {
        const code = `const { runInNewContext } = await import("node:vm");
          const bytes = files.${simd};
          const inline = "data:application/wasm;base64," + bytes.toString("base64");
          return [await init(${options}), tensor([1, 2]).add(1).toArray()];`;
        expect(printFrom(entry, code, ...flags)).toEqual([{ simd, threads: 1 }, [2, 3]]);
      }
    });
  });
});

describe("init refuses", () => {
  const refused = {
    "kernels in two forms": [
      "{ bytes: files.baseline, url: 'x' }",
      "OptionError: init: expected one of module, bytes, url and response, got bytes and url",
    ],
    "a module that is none": ["{ module: {} }", "OptionError: init: module is a WebAssembly.Module"],
    "bytes that are none": [
      "{ bytes: 'AGFzbQ' }",
      'OptionError: init: bytes are an ArrayBuffer or a view of one, got "AGFzbQ"',
    ],
    "another binary than simd names": [
      "{ simd: 'relaxed', bytes: files.baseline }",
      'OptionError: init: simd is "relaxed", but the kernels are those of baseline.wasm',
    ],
    "no kernels at all": [
      "{}",
      "LoadError: nablas/slim carries no kernels: call await init({ module | bytes",
    ],
    "a file cut off": [
      "{ bytes: files.baseline.subarray(0, 1000) }",
      "LoadError: the kernels cannot be compiled: CompileError: ",
    ],
    "another module": [
      "{ bytes: files.baseline.subarray(0, 8) }",
      "LoadError: init: expected the baseline.wasm or relaxed.wasm of nablas VERSION, got another WebAssembly module",
    ],
    "the kernels of another version": [
      "{ bytes: relabelled('nablas9') }",
      "LoadError: init: expected the baseline.wasm or relaxed.wasm of nablas VERSION, got the kernels of nablas 9",
    ],
    "a response without success": [
      "{ response: new Response('', { status: 404 }) }",
      "LoadError: init: expected the bytes of baseline.wasm or relaxed.wasm from the response, got status 404",
    ],
    "a response that does not come": [
      "{ response: Promise.reject(new TypeError('offline')) }",
      "LoadError: init: expected the bytes of baseline.wasm or relaxed.wasm from the response, got TypeError: offline",
    ],
    "a URL that cannot be fetched": [
      "{ url: 'baseline.wasm' }",
      "LoadError: init: expected the bytes of baseline.wasm or relaxed.wasm from baseline.wasm, got TypeError: ",
    ],
  };

  test.each(Object.entries(refused))("%s", (_, [options, message]) => {
    // The label ends the file: "nablas", the version, the name.
    const code = `const relabelled = (label) => {
        const bytes = Buffer.from(files.baseline);
        bytes.write(label, bytes.lastIndexOf("nablas"));
        return bytes;
      };
      const refused = await asked(${options});
      return [refused, await asked({ bytes: files.baseline })];`;
    const [got, then] = printFrom("slim", code, ...flags) as [string, unknown];
    expect(got).toContain(message!.replace("VERSION", version));
    expect(then).toEqual({ simd: "baseline", threads: 1 });
  });

  test("kernels after the first tensor", () => {
    expect(print("tensor([1]); return asked({ bytes: files.baseline });")).toContain(
      "OptionError: init: expected to be called before the first tensor is made, to bring kernels; ",
    );
  });

  test.runIf(old)("relaxed.wasm in an engine without relaxed SIMD", () => {
    expect(printFrom("slim", "return asked({ bytes: files.relaxed });")).toMatch(
      /^LoadError: the kernels cannot be compiled: .*; this engine has no relaxed SIMD, and runs baseline.wasm alone$/,
    );
  });
});

describe("an engine", () => {
  /** What an engine says to the first tensor, and to `init`, if `lessen` makes it a lesser one. */
  const answers = (lessen: string) =>
    print(
      `${lessen} return [await tried(() => tensor([1]).toArray()), await asked()];`,
      ...flags,
    ) as unknown[];

  /** A stand-in for a class of WebAssembly that refuses to construct. */
  const refuse = (name: string, condition: string, error: string) =>
    `WebAssembly.${name} = new Proxy(WebAssembly.${name}, {
      construct(target, args) { if (${condition}) throw ${error}; return new target(...args); },
    });`;

  test("without WebAssembly is told apart", () => {
    const message = "LoadError: this engine has no WebAssembly, which nablas needs";
    expect(answers("delete globalThis.WebAssembly;")).toEqual([message, message]);
  });

  test("without SIMD is told apart", () => {
    const lessen = `WebAssembly.validate = () => false; ${refuse("Module", "true", "new WebAssembly.CompileError()")}`;
    for (const answer of answers(lessen)) {
      expect(answer).toMatch(
        /^LoadError: this engine has no WebAssembly SIMD, which nablas needs: Chrome 91/,
      );
    }
  });

  test("whose policy forbids WebAssembly is told apart", () => {
    for (const answer of answers(refuse("Module", "true", "new WebAssembly.CompileError('policy')"))) {
      expect(answer).toMatch(
        /^LoadError: WebAssembly is forbidden here.*'wasm-unsafe-eval'.*Content-Security-Policy/,
      );
    }
  });

  test("that compiles and instantiates no more than 4 kB synchronously runs after init", () => {
    const tooLong = "new RangeError('disallowed on the main thread')";
    const lessen = `
      const long = new WeakSet();
      const { compile } = WebAssembly;
      WebAssembly.compile = async (bytes) => {
        const module = await compile(bytes);
        if (bytes.byteLength > 4096) long.add(module);
        return module;
      };
      ${refuse("Module", "args[0].byteLength > 4096", tooLong)}
      ${refuse("Instance", "long.has(args[0])", tooLong)}`;
    const [first, then] = answers(lessen);
    expect(first).toBe(
      "LoadError: this engine compiles so many bytes only asynchronously: call await init() before the first tensor",
    );
    expect(then).toEqual({ simd: "relaxed", threads: 1 });
  });
});
