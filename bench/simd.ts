import { setFlagsFromString } from "node:v8";
import { init } from "nablas";

export type Simd = "baseline" | "relaxed";

/** Starts the library with the binary that is asked for, or the one it chooses itself; returns which that is. */
export async function start(simd: string | undefined): Promise<Simd> {
  if (simd === undefined) return (await init()).simd;
  // Node 20 has relaxed SIMD behind a flag; to later ones the flag says nothing new.
  if (simd === "relaxed" && Number(process.versions.node.split(".")[0]) < 21) {
    setFlagsFromString("--experimental-wasm-relaxed-simd");
  }
  return (await init({ simd: simd as Simd })).simd;
}
