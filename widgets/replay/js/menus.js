/** The two small menus: what the map shows, and how to pass a place on. */
import { copied } from "../../page/js/clipboard.js";
import { set, setText } from "../../page/js/dom.js";
import { button, definitions, div, h, icon } from "./dom.js";
import { count, joined } from "../../page/js/format.js";
import { KEY_HELP } from "./keys.js";
import { max } from "../../page/js/maths.js";
import { newCanvas, penOf, rect, write } from "./pen.js";
import { mettascopeLink, readShare, readView, shareText } from "./share.js";

/**
 * @import { Child } from "../../page/js/dom.js"
 * @import { IconName } from "./dom.js"
 * @import { Layers } from "./store.js"
 * @import { Viewer } from "./viewer.js"
 */

/** @type {Record<keyof Layers, string>} */
const LAYERS = {
  trail: "Path of the selection", items: "What agents carry", vision: "Vision of the selection", fog: "Fog over what is unseen", heat: "Where agents have been", grid: "Grid",
};
const FOOT = 28;

/** @param {IconName} name @param {string} label @param {...Child} content */
function menu(name, label, ...content) {
  const summary = h("summary.button", { title: label }, icon(name), label);
  /** @type {HTMLDetailsElement} */
  const details = h("details.menu", { onfocusout: (/** @type {{relatedTarget: Node | null}} */ { relatedTarget }) => {
      if (relatedTarget && !details.contains(relatedTarget)) details.open = false;
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
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
export function layerMenu({ store }) {
  return menu("layers", "Show", .../** @type {[keyof Layers, string][]} */ (Object.entries(LAYERS)).map(([key, label]) => {
    const box = h("input", { type: "checkbox", checked: store.state.layers[key], onchange: () => store.set({ layers: { ...store.state.layers, [key]: box.checked } }) });
    return h("label.check", {}, box, label);
  }));
}

/** @param {Viewer} viewer @param {string} text */
export function goTo(viewer, text) {
  const place = readShare(text);
  if (place.selected !== null) viewer.select(viewer.replay.ids.indexOf(place.selected));
  if (place.view !== null) viewer.store.set(readView(place.view));
  if (place.step !== null) viewer.seek(place.step);
}

/** @param {Viewer} viewer */
export function shareMenu(viewer) {
  const input = h("input.share-text", { type: "text", label: "This place as text", spellcheck: "false" });
  const said = h("span.muted", { role: "status" });
  const copy = () => {
    input.value = shareText(viewer.place);
    input.select();
    void copied(input.value).then((done) => {
      input.select();
      setText(said, done ? "Copied" : "Selected: copy it with Ctrl+C");
    });
  };
  const fresh = () => {
    input.value = shareText(viewer.place);
    setText(said, "");
  };
  const link = mettascopeLink(viewer.options.url);
  return set(menu("share", "Share",
    h("label.menu-label", {}, "This place: step, selection and view", input),
    div("row", button("Copy the place", copy), button("Go to the place", () => goTo(viewer, input.value)), said), h("hr"),
    div("row", button("Save the map as PNG", () => savePicture(viewer)), link ? h("a.action", { href: link, target: "_blank", rel: "noopener noreferrer" }, "Open in MettaScope") : null), h("hr"),
    definitions(KEY_HELP, "keys")), { ontoggle: fresh });
}

/** Save the map with a line that says what it shows. @param {Viewer} viewer */
export function savePicture(viewer) {
  const { map, palette, options, replay, facts } = viewer;
  const { canvas, size } = map;
  const { shown, selected } = viewer.state;
  const ratio = canvas.width / max(1, size.width);
  const copy = newCanvas(canvas.width, canvas.height + FOOT * ratio);
  const pen = penOf(copy);
  map.draw();
  rect(pen, palette.page, 0, 0, copy.width, copy.height);
  pen.drawImage(canvas, 0, 0);
  pen.scale(ratio, ratio);
  const parts = [options.title, `step ${count(shown)} of ${count(replay.steps - 1)}`, selected >= 0 && facts.title(selected)];
  write(pen, joined(parts, " \u00b7 "), 10, size.height + FOOT / 2, palette.text, "left", "13");
  copy.toBlob((blob) => {
    if (!blob) return viewer.hint("The picture could not be made");
    const name = options.title.replace(/[^\w.-]+/g, "-").slice(0, 60) || "replay";
    const link = h("a", { href: URL.createObjectURL(blob), download: `${name}-step-${shown}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
