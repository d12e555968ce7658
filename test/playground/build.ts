// Before the tests of the playground: its page, from the package as it is built.
import { execFileSync } from "node:child_process";

export function setup(): void {
  // As from a shell: Vite builds another page where NODE_ENV is "test".
  const { NODE_ENV: _, VITEST: __, ...env } = process.env;
  execFileSync("npx", ["vite", "build", "playground", "--logLevel", "warn"], { env, stdio: "inherit" });
}
