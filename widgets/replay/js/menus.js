/** The two small menus: what the map shows, and how to pass a place on. */
import { button, div, h, icon, setText } from "./dom.js";
import { count } from "./format.js";
import { KEY_HELP } from "./keys.js";
import { max } from "./maths.js";
import { newCanvas, penOf, rect, write } from "./pen.js";
import { mettascopeLink, readShare, readView, shareText, viewText } from "./share.js";

/**
 * @import { Child, IconName } from "./dom.js"
 * @import { Layers } from "./store.js"
 * @import { Viewer } from "./viewer.js"
 */

/** @type {Record<keyof Layers, string>} */
const LAYERS = {
  trail: "Path of the selection", vision: "Vision of the selection", fog: "Fog over what is unseen", heat: "Where agents have been", grid: "Grid",
};
const FOOT = 28;

/** @param {IconName} name @param {string} label @param {...Child} content */
function menu(name, label, ...content) {
  /** @type {HTMLDetailsElement} */
  const details = h("details.rv-menu", { onfocusout: (/** @type {FocusEvent} */ event) => {
      if (event.relatedTarget instanceof Node && !details.contains(event.relatedTarget)) details.open = false;
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      event.stopPropagation();
      if (event.key === "Escape") details.open = false;
    },
    // The box takes the focus, or a press on its labels would close it.
  }, h("summary.rv-button", { title: label }, icon(name), label), h("div.rv-menu-box", { tabindex: -1 }, ...content));
  return details;
}

/** @param {Viewer} viewer */
export function layerMenu({ store }) {
  return menu("layers", "Show", .../** @type {[keyof Layers, string][]} */ (Object.entries(LAYERS)).map(([key, label]) => {
    const box = h("input", { type: "checkbox", checked: store.state.layers[key], onchange: () => store.set({ layers: { ...store.state.layers, [key]: box.checked } }) });
    return h("label.rv-check", {}, box, label);
  }));
}

/** @param {Viewer} viewer @returns {string} The place shown now. */
export function placeText({ store, replay, map }) {
  const { step, selected, camera, follow } = store.state;
  return shareText(step, selected >= 0 ? replay.ids[selected] : null, viewText(follow ? map.camera : camera, follow));
}

/** @param {Viewer} viewer @param {string} text */
export function goTo(viewer, text) {
  const place = readShare(text);
  if (place.selected !== null) viewer.select(viewer.replay.indexOfId(place.selected));
  if (place.view !== null) viewer.store.set(readView(place.view));
  if (place.step !== null) viewer.seek(place.step);
}

/** @param {Viewer} viewer */
export function shareMenu(viewer) {
  const input = h("input.rv-share-text", { type: "text", label: "This place as text", spellcheck: "false" });
  const said = h("span.rv-muted", { role: "status" });
  const copy = () => {
    input.value = placeText(viewer);
    input.select();
    Promise.resolve(navigator.clipboard?.writeText(input.value) ?? Promise.reject()).then(() => setText(said, "Copied"), () => setText(said, "Selected: copy it with Ctrl+C"));
  };
  const link = mettascopeLink(viewer.options.url);
  const details = menu("share", "Share",
    h("label.rv-menu-label", {}, "This place: step, selection and view", input),
    div("rv-row", button("Copy the place", copy), button("Go to the place", () => goTo(viewer, input.value)), said), h("hr"),
    div("rv-row", button("Save the map as PNG", () => savePicture(viewer)), link ? h("a.rv-action", { href: link, target: "_blank", rel: "noopener noreferrer" }, "Open in MettaScope") : null), h("hr"),
    h("dl.rv-keys", {}, ...KEY_HELP.flatMap(([keys, what]) => [h("dt", {}, keys), h("dd", {}, what)])));
  details.addEventListener("toggle", () => {
    input.value = placeText(viewer);
    setText(said, "");
  });
  return details;
}

/** @param {Viewer} viewer @returns {HTMLCanvasElement} The map with a line that says what it shows. */
export function picture({ map, palette, store, options, replay, facts }) {
  const { canvas, size } = map;
  const { shown, selected } = store.state;
  const ratio = canvas.width / max(1, size.width);
  const copy = newCanvas(canvas.width, canvas.height + FOOT * ratio);
  const pen = penOf(copy);
  map.draw();
  rect(pen, palette.page, 0, 0, copy.width, copy.height);
  pen.drawImage(canvas, 0, 0);
  pen.scale(ratio, ratio);
  const parts = [options.title, `step ${count(shown)} of ${count(replay.steps - 1)}`, selected >= 0 ? facts.title(selected) : ""];
  write(pen, parts.filter(Boolean).join(" \u00b7 "), 10, size.height + FOOT / 2, palette.text, "left", "13");
  return copy;
}

/** @param {Viewer} viewer */
export function savePicture(viewer) {
  picture(viewer).toBlob((blob) => {
    if (!blob) return viewer.hint("The picture could not be made");
    const name = viewer.options.title.replace(/[^\w.-]+/g, "-").slice(0, 60) || "replay";
    const link = h("a", { href: URL.createObjectURL(blob), download: `${name}-step-${viewer.store.state.shown}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
