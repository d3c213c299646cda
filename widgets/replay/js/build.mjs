/** Joins the modules, of which tsc has stripped the comments, into static/viewer.js: one file with every name as it is in the sources, indented by tabs. */
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const OUT = "widgets/replay/static/viewer.js";

await build({
  entryPoints: ["build/js/widget.js"], outfile: OUT, bundle: true, format: "esm", charset: "utf8", target: "es2022", logLevel: "warning",
});
// What esbuild adds: the names of the files, and marks for a second bundler.
const text = readFileSync(OUT, "utf8").replace(/^\/\/ build\/js\/.*\n|\/\* @__PURE__ \*\/ /gm, "");
writeFileSync(OUT, text.replace(/^( {2})+/gm, (spaces) => "\t".repeat(spaces.length / 2)));
