import { cpus } from "node:os";

/** Where and when figures were measured. */
export function machine() {
  return {
    cpu: `${cpus()[0]?.model.trim()}, ${cpus().length} cores`,
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    v8: process.versions.v8,
    date: new Date().toISOString().slice(0, 10),
  };
}

export type Machine = ReturnType<typeof machine>;
