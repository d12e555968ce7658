// What a worker runs: it makes instances of the kernels in the memory that it gets, and works for the pool until it is told
// to stop. Built to a text, which the package carries; nothing can be imported here but types.
import type { Start } from "./pool";

interface Port {
  once(event: "message", listener: (start: Start) => void): void;
  postMessage(message: unknown): void;
  close?(): void;
}

interface Scope {
  onmessage: (event: { data: Start }) => void;
  postMessage(message: unknown): void;
  close?(): void;
  process?: { getBuiltinModule?(name: string): { parentPort: Port | null } };
}

const scope = globalThis as unknown as Scope;
const port = scope.process?.getBuiltinModule?.("node:worker_threads").parentPort;

function main({ kernels, pool, memory, control, thread, idle, cells }: Start): void {
  const integers = new Int32Array(memory.buffer);
  const at = control / 4;
  const { exports } = new WebAssembly.Instance(kernels, { env: { memory } });
  const functions = Object.values(exports).filter((item) => typeof item === "function");
  const table = exports.table as WebAssembly.Table;
  const first = table.grow(functions.length);
  for (let i = 0; i < functions.length; i++) table.set(first + i, functions[i]);
  const pause = () => void Atomics.wait(integers, at + cells.pause, 0, cells.pauseMs);
  const { exports: threads } = new WebAssembly.Instance(pool, {
    env: { memory, now: () => performance.now(), pause },
    kernels: { replay: exports.replay! },
  });
  (port ?? scope).postMessage("ready");
  while (Atomics.load(integers, at + cells.stop) === 0) {
    try {
      (threads.serve as (...args: number[]) => void)(control, thread, idle);
    } catch (error) {
      const text = String(error).slice(0, cells.textLength);
      for (let i = 0; i < text.length; i++) integers[at + cells.text + i] = text.charCodeAt(i);
      integers[at + cells.text + text.length] = 0;
      Atomics.compareExchange(integers, at + cells.failed, 0, 1);
      Atomics.add(integers, at + cells.done, 1);
    }
  }
  Atomics.add(integers, at + cells.left, 1);
  // A port of Deno has no close: there it is terminated.
  (port ?? scope).close?.();
}

if (port) port.once("message", main);
else scope.onmessage = ({ data }) => main(data);
