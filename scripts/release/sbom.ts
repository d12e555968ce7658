// The bill of materials of the package as it is published: it depends on nothing, but has code of others inside.
import { createHash } from "node:crypto";
import { build } from "esbuild";
import type { Options } from "tsup";
import configs from "../../tsup.config";
import { root, run } from "./cleanBuild";

/** Of whose standard library the kernels have `Mathf.pow`. */
const COMPILED_IN = "assemblyscript";

const entries = (configs as Options[]).flatMap(({ entry }) => Object.values(entry as Record<string, string>));

/** The packages that have code in the package. */
export async function inlined(): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [...new Set(entries)],
    ...{ bundle: true, write: false, metafile: true, outdir: "out", format: "esm", platform: "node" },
    absWorkingDir: root,
  });
  const names = Object.keys(metafile.inputs).map((path) =>
    /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.at(1),
  );
  return [...new Set([...names, COMPILED_IN])].filter((name) => name !== undefined).sort();
}

interface Component {
  name: string;
  version: string;
  "bom-ref": string;
  licenses: { license: { id: string } }[];
}

/** In CycloneDX, from the lock file; the same bytes for the same tarball and date. */
export async function sbom(tarball: Uint8Array, date: Date): Promise<string> {
  const document = JSON.parse(run("npm", ["sbom", "--sbom-format=cyclonedx", "--package-lock-only"]));
  const names = await inlined();
  const { component, tools } = document.metadata;
  const components = (document.components as Component[])
    .filter(({ name }) => names.includes(name))
    .map((one) => ({
      ...one,
      scope: "required",
      properties: [{ name: "cdx:npm:package:bundled", value: "true" }],
    }));
  if (components.length !== names.length) throw new Error(`the lock file does not have one each of ${names}`);
  const content = createHash("sha512").update(tarball).digest("hex");
  const { $schema, bomFormat, specVersion } = document;
  return `${JSON.stringify(
    {
      ...{ $schema, bomFormat, specVersion, version: 1 },
      metadata: {
        timestamp: date.toISOString(),
        lifecycles: [{ phase: "build" }],
        tools,
        component: { ...component, name: "nablas", hashes: [{ alg: "SHA-512", content }] },
      },
      components,
      dependencies: [
        { ref: component["bom-ref"], dependsOn: components.map((one) => one["bom-ref"]) },
        ...components.map((one) => ({ ref: one["bom-ref"], dependsOn: [] })),
      ],
    },
    undefined,
    2,
  )}\n`;
}
