// What tests call in a page, or in a worker of one: `run` and all of nablas. Before the package is there, what it must
// not call counts, and so does what its threads do.
import { bits } from "./ops.js";

/** Calls of Atomics.wait, runs on all threads, and the milliseconds that this thread has waited in them for others. */
const seen = { waits: 0, runs: 0, waited: 0 };

Atomics.wait = () => {
  seen.waits++;
  throw new TypeError("Atomics.wait cannot be called here");
};

const { Instance } = WebAssembly;
WebAssembly.Instance = class {
  constructor(...args) {
    const { exports } = new Instance(...args);
    this.exports = exports.publish === undefined ? exports : counting(exports);
  }
};

function counting({ publish, run, join, ...others }) {
  const counted = {
    // How soon workers answer is answered at once, so that the machine's other work does not make threads look useless.
    publish(control, end, count) {
      publish(control, end, count);
      others.work(control, 0, 1e4);
    },
    run(...args) {
      seen.runs++;
      run(...args);
    },
    join(...args) {
      const start = performance.now();
      const failed = join(...args);
      seen.waited += performance.now() - start;
      return failed;
    },
  };
  return { ...others, ...counted };
}

const nablas = await import("/nablas/index.js");

/** Starts threads and does everything; what came of it. */
async function run(options) {
  await nablas.init({ deterministic: true, ...options });
  return { threads: nablas.threads(), bits: bits(nablas), seen };
}

/** Ops for so many milliseconds at least. */
function work(ms) {
  const { gelu, matmul, randn, scope } = nablas;
  const start = performance.now();
  while (performance.now() - start < ms) scope(() => matmul(gelu(randn([300, 300])), randn([300, 300])));
  return seen;
}

/** What `run` comes to in a module worker. */
function inWorker(options) {
  const worker = new Worker("/page.js", { type: "module", name: JSON.stringify(options) });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
}

const createWorker = () => new Worker("/worker.js", { type: "module" });

Object.assign(globalThis, { nablas, run, work, inWorker, createWorker });
if (globalThis.document === undefined) postMessage(await run(JSON.parse(globalThis.name)));
else document.title = "ready";
