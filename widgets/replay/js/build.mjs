/** Joins the modules into static/viewer.js: one file, not minified, without the comments that stand in the sources. */
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const OUT = "widgets/replay/static/viewer.js";

await build({
  entryPoints: ["build/js/widget.js"], outfile: OUT, bundle: true, format: "esm", charset: "utf8", target: "es2022", logLevel: "warning",
});
const lines = readFileSync(OUT, "utf8").replaceAll("/* @__PURE__ */ ", "").split("\n");
const tabbed = lines.map((line) => line.replace(/^( {2})+/, (spaces) => "\t".repeat(spaces.length / 2)));
writeFileSync(OUT, tabbed.join("\n"));
