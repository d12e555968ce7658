import { compiled, identified, ownBinaryAsync } from "./binary/compile";
import { hasRelaxedSimd } from "./binary/engine";
import { setDebug } from "./debug";
import { LoadError, OptionError, text, withDefaults } from "./errors";
import { start } from "./space";
import { checkThreads, setThreads, type ThreadOptions } from "./threads/threads";
import { type Binary, choose, loadAsync, running, type Simd } from "./wasm";

/** Bytes, in any view. */
type Bytes = ArrayBuffer | ArrayBufferView;

/** What a `fetch` gives. */
interface Download {
  readonly ok: boolean;
  readonly status: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The options of `init`. */
export interface InitOptions extends ThreadOptions {
  /**
   * Which binary to run: "relaxed" has fused multiply-add, which not every engine has; default: the best that there is.
   * Its results differ from those of "baseline", and from machine to machine, in the last bits.
   */
  simd?: Simd;
  /** Keep to the baseline, whose results are the same bits on every machine; default false. */
  deterministic?: boolean;
  /**
   * Whether to remember where each tensor is made, for `memory()`, and to watch over memory: buffers stand between guard words,
   * new and freed memory is NaN, and whoever writes where he should not is named by a `CorruptionError`. Every op becomes slower.
   * Default: as it is, at first false.
   */
  debug?: boolean;
  /** A `WebAssembly.Module` of the package's baseline.wasm or relaxed.wasm to run, instead of the inlined bytes. */
  module?: object;
  /** The bytes of one of these files. */
  bytes?: Bytes;
  /** Where to fetch one of these files. */
  url?: string | { readonly href: string };
  /** A response, or a promise of one, whose body is one of these files. */
  response?: Download | Promise<Download>;
}

const defaults: { [K in keyof Required<InitOptions>]: InitOptions[K] } = {
  ...{ simd: undefined, deterministic: false, debug: undefined },
  ...{ module: undefined, bytes: undefined, url: undefined, response: undefined },
  ...{ threads: undefined, workerUrl: undefined, createWorker: undefined },
};

/**
 * Settings for those who want others than the defaults, or bring the kernels themselves; nobody else has to call it.
 * Compiles without blocking, and tells what is in use.
 * @throws OptionError for a binary that the engine cannot run, if another one is running already, or for kernels in more
 *   than one form
 * @throws LoadError for what is not the kernels of this version, or cannot be fetched or compiled
 */
export async function init(options?: InitOptions): Promise<{ simd: Simd; threads: number }> {
  const settings = withDefaults("init", defaults, options);
  const simd = wantedSimd(settings);
  checkThreads(settings);
  if (settings.debug !== undefined && typeof settings.debug !== "boolean") {
    throw new OptionError(`init: debug is a boolean, got ${text(settings.debug)}`);
  }
  const brought = broughtBy(settings);
  if (brought !== undefined) expectUnstarted("to bring kernels");
  else if (simd !== undefined && simd !== running) expectUnstarted(`to choose the ${simd} binary`);
  if (running === undefined) {
    const binary = await (brought?.() ?? ownBinaryAsync(simd));
    if (simd !== undefined && binary.simd !== simd) {
      throw new OptionError(`init: simd is "${simd}", but the kernels are those of ${binary.simd}.wasm`);
    }
    const loaded = await loadAsync(binary);
    if (running === undefined) choose(loaded);
    else if (running !== binary.simd) expectUnstarted(`to choose the ${binary.simd} binary`);
  }
  start();
  if (settings.debug !== undefined) setDebug(settings.debug);
  return { simd: running!, threads: await setThreads(settings) };
}

type Settings = typeof defaults;

function wantedSimd({ simd, deterministic }: Settings): Simd | undefined {
  if (simd !== undefined && simd !== "baseline" && simd !== "relaxed") {
    throw new OptionError(`init: simd is "baseline" or "relaxed", got ${text(simd)}`);
  }
  if (simd === "relaxed" && deterministic) {
    throw new OptionError('init: deterministic keeps to the baseline; drop it or simd: "relaxed"');
  }
  if (simd === "relaxed" && !hasRelaxedSimd()) {
    throw new OptionError(
      "init: this engine has no relaxed SIMD; leave simd out, or in Node 20 pass --experimental-wasm-relaxed-simd",
    );
  }
  return deterministic ? "baseline" : simd;
}

/** How to get the kernels that the options bring. */
function broughtBy({ module, bytes, url, response }: Settings): (() => Promise<Binary>) | undefined {
  const given = Object.entries({ module, bytes, url, response }).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    throw new OptionError(
      `init: expected one of module, bytes, url and response, got ${given.map(([name]) => name).join(" and ")}`,
    );
  }
  const compile = async (source: Bytes | Promise<Bytes>) => {
    const given = bytesOf(await source);
    return identified(await compiled(given), given);
  };
  if (module !== undefined) {
    if (!isA("WebAssembly.Module", module)) throw new OptionError("init: module is a WebAssembly.Module");
    return async () => identified(module as WebAssembly.Module);
  }
  if (bytes !== undefined) {
    if (!(isA("ArrayBuffer", bytes) || ArrayBuffer.isView(bytes))) {
      throw new OptionError(`init: bytes are an ArrayBuffer or a view of one, got ${text(bytes)}`);
    }
    return () => compile(bytes);
  }
  if (url !== undefined) return () => compile(download(fetch(String(url)), String(url)));
  if (response !== undefined) return () => compile(download(response, "the response"));
  return undefined;
}

/** A copy, which its giver cannot change. */
function bytesOf(bytes: Bytes): Uint8Array<ArrayBuffer> {
  return bytes instanceof ArrayBuffer || !ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes).slice()
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
}

/** Whether it is an object of that class, of any realm: pages with frames and test runners have several. */
function isA(name: string, value: unknown): boolean {
  return Object.prototype.toString.call(value) === `[object ${name}]`;
}

async function download(response: Download | Promise<Download>, from: string): Promise<ArrayBuffer> {
  let status: string;
  try {
    const got = await response;
    if (got.ok) return await got.arrayBuffer();
    status = `status ${got.status}`;
  } catch (error) {
    status = String(error);
  }
  throw new LoadError(
    `init: expected the bytes of baseline.wasm or relaxed.wasm from ${from}, got ${status}`,
  );
}

function expectUnstarted(why: string): void {
  if (running === undefined) return;
  throw new OptionError(
    `init: expected to be called before the first tensor is made, ${why}; ${running} is running`,
  );
}
