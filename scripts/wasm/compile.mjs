// @ts-check
// Compiles assembly/ into build/: the kernels, what threads run, and what unpacks the kernels. Plain JavaScript, and one
// process: tsx would translate the 13 MB of the compiler, which takes longer than to compile.
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));

for (const folder of ["", "assembly/threads/", "assembly/unpack/"]) {
  const { error, stderr } = await asc.main(["--config", `${folder}asconfig.json`, "--target", "release"]);
  if (error === null) continue;
  console.error(`${stderr}${error.message}`);
  process.exit(1);
}
