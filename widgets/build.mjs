/** Joins the modules of each widget, of which tsc has stripped the comments, into one file: every name as it is in the sources, indented by tabs. */
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const WIDGETS = { charts: "chart", fleet: "fleet", gallery: "gallery", jobs: "jobs", replay: "viewer", runs: "runs", words: "words" };

for (const [widget, name] of Object.entries(WIDGETS)) {
  const out = `widgets/${widget}/static/${name}.js`;
  await build({
    entryPoints: [`build/js/${widget}/js/widget.js`], outfile: out, bundle: true, format: "esm", charset: "utf8", target: "es2022", logLevel: "warning",
  });
  // What esbuild adds: the names of the files, and marks for a second bundler.
  const text = readFileSync(out, "utf8").replace(/^\/\/ build\/js\/.*\n|\/\* @__PURE__ \*\/ /gm, "");
  const tabbed = text.replace(/^( {2})+/gm, (spaces) => "\t".repeat(spaces.length / 2));
  // A statement without braces stands on the line of its condition, as in the sources.
  writeFileSync(out, tabbed.replace(/(?<=^\t*(?:if|for|while|else)\b(?:.*[^{;])?)\n\t+/gm, " ").replace(/\{\n\t*\}/g, "{}"));
}
