import { eager, unscoped } from "./eager";
import type { Scenario } from "./gauge";
import { everNew, over, replay } from "./replay";
import { cycles, dropped, server } from "./server";

/** By their names on the command line. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  eager,
  unscoped,
  replay,
  over,
  shapes: everNew,
  dropped,
  server,
  threads: cycles,
};

/** The one that needs a browser. */
export const PAGE = "page";
