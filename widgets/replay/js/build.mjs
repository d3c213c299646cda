/**
 * Joins the modules into static/viewer.js: one file with every name as it is in the sources, not minified but set
 * compactly: without comments, indented by tabs, a short statement on the line of its condition or block.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const OUT = "widgets/replay/static/viewer.js";
const WIDTH = 140;

await build({
  entryPoints: ["build/js/widget.js"], outfile: OUT, bundle: true, format: "esm", charset: "utf8", target: "es2022", logLevel: "warning",
});
let text = readFileSync(OUT, "utf8").replaceAll("/* @__PURE__ */ ", "").replace(/^\/\/ build\/js\/.*\n/gm, "");
text = text.replace(/^( {2})+/gm, (spaces) => "\t".repeat(spaces.length / 2));
// No string of the sources holds a line break, so lines can be joined.
text = text.replace(/^(\t*)((?:(?:else )?if|for|while) \(.*\)|else|\} else)\n\1\t([^\t].*;)$/gm, (all, tabs, head, body) => (head.length + body.length < WIDTH ? `${tabs}${head} ${body}` : all));
text = text.replace(/\{\n\t+([^\t{}].*;)\n\t*\}/g, (all, body) => (body.length < WIDTH / 2 ? `{ ${body} }` : all)).replace(/\{\n\t*\}/g, "{}");
text = text.replace(/^(.*[[{(])\n((?:\t+[^\t].*,\n)*\t+[^\t].*[^;,{}])\n\t*([\]})].*)$/gm, (all, head, body, tail) => {
  const joined = body.replace(/\n\t+/g, " ").trim();
  const one = head.endsWith("{") ? `${head} ${joined} ${tail}` : head + joined + tail;
  return one.length < WIDTH ? one : all;
});
/** Neighbouring one-line declarations of a kind become one. */
const lines = [];
let kind = "";
for (const line of text.split("\n")) {
  const [, tabs, word, rest] = /^(\t*)(const|let) (.*;)$/.exec(line) ?? [];
  const now = word && !/[;{]./.test(rest.replace(/\{ .*? \}|"[^"]*"/g, "")) ? tabs + word : "";
  if (now && now === kind) {
    lines[lines.length - 1] = lines[lines.length - 1].replace(/;$/, ",");
    lines.push(`${tabs}\t${rest}`);
  } else {
    lines.push(line);
  }
  kind = now;
}
writeFileSync(OUT, lines.join("\n"));
