/** What runtimes at the edge give for an import of this file: a `WebAssembly.Module`, for `init({ module })`. */
declare const module: object;
export default module;
