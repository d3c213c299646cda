/** The two small menus: what the map shows, and how to pass a place on. */
import { set, setText } from "../../page/js/dom.js";
import { button, checkbox, div, h, icon, terms } from "./dom.js";
import { count, joined } from "../../page/js/format.js";
import { max } from "../../page/js/maths.js";
import { newCanvas, penOf, rect, write } from "./pen.js";
import { readShare, shareText } from "./share.js";

/**
 * @import { Child } from "../../page/js/dom.js"
 * @import { IconName } from "./dom.js"
 * @import { Viewer } from "./viewer.js"
 */

const FOOT = 28;
const METTASCOPE = "https://metta-ai.github.io/metta/mettascope/mettascope.html?replay=";

/** @param {IconName} name @param {string} label @param {...Child} content */
function menu(name, label, ...content) {
  const summary = h("summary.button", { title: label }, icon(name), label);
  /** @type {HTMLDetailsElement} */
  const details = h("details.menu", { onfocusout: (/** @type {{relatedTarget: Node | null}} */ { relatedTarget }) => {
      if (relatedTarget && !details.contains(relatedTarget)) details.open = false;
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape" && !details.open) return;
      event.stopPropagation();
      if (event.key !== "Escape") return;
      details.open = false;
      summary.focus();
    },
    // The box takes the focus, or a press on its labels would close it.
  }, summary, h("div.menu-box", { tabindex: -1 }, ...content));
  return details;
}

/** @param {Viewer} viewer */
export function layerMenu({ store, replay }) {
  return menu("layers", "Show", ...replay.header.layers.map(([key, label]) => checkbox((on) => store.set({ layers: { ...store.state.layers, [key]: on } }), store.state.layers[key] === true, label)));
}

/** @param {Viewer} viewer */
export function shareMenu(viewer) {
  const input = h("input.share-text", { type: "text", label: "This place as text", spellcheck: "false" });
  const said = h("span.muted", { role: "status" });
  const fresh = () => {
    input.value = shareText(viewer.place);
    setText(said, "");
  };
  const copy = async () => {
    fresh();
    input.select();
    // A page that was not served securely has no clipboard; the old way still works there.
    const done = (await navigator.clipboard?.writeText(input.value).then(() => true, () => false)) || document.execCommand("copy");
    setText(said, done ? "Copied" : "Selected: copy it with Ctrl+C");
  };
  const { url } = viewer.options;
  return set(menu("share", "Share",
    h("label.menu-label", {}, "This place: step, selection and view", input),
    div("row", button("Copy the place", copy), button("Go to the place", () => viewer.go(readShare(input.value))), said), h("hr"),
    div("row", button("Save the map as PNG", () => savePicture(viewer)), url ? h("a.action", { href: METTASCOPE + encodeURIComponent(url), target: "_blank", rel: "noopener noreferrer" }, "Open in MettaScope") : null), h("hr"),
    terms(viewer.replay.header.keys, "keys")), { ontoggle: fresh });
}

/** Save the map with a line that says what it shows. @param {Viewer} viewer */
export function savePicture(viewer) {
  const { map, inks, options, replay, facts } = viewer;
  const { canvas, size } = map;
  const { shown, selected } = viewer.state;
  const ratio = canvas.width / max(1, size.width);
  const copy = newCanvas(canvas.width, canvas.height + FOOT * ratio);
  const pen = penOf(copy);
  map.draw();
  rect(pen, inks.page, 0, 0, copy.width, copy.height);
  pen.drawImage(canvas, 0, 0);
  pen.scale(ratio, ratio);
  const parts = [options.title, `step ${count(shown)} of ${count(replay.steps - 1)}`, selected >= 0 && facts.title(selected)];
  write(pen, joined(parts, " \u00b7 "), 10, size.height + FOOT / 2, inks.text, "left", "13");
  copy.toBlob((blob) => {
    if (!blob) return viewer.hint("The picture could not be made");
    const name = options.title.replace(/[^\w.-]+/g, "-").slice(0, 60) || "replay";
    const link = h("a", { href: URL.createObjectURL(blob), download: `${name}-step-${shown}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
