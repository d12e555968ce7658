// Before the tests of the playground: its page, from the package as it is built.
import { build } from "vite";

export async function setup(): Promise<void> {
  await build({ configFile: "playground/vite.config.ts", logLevel: "warn" });
}
