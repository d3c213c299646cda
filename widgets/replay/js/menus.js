/** The two small menus: what the map shows, and how to pass a place on. */
import { fill, h, icon, setText } from "./dom.js";
import { KEY_HELP } from "./keys.js";
import { mettascopeLink, readShare, readView, shareText, viewText } from "./share.js";
import { savePicture } from "./snapshot.js";

/**
 * @import { Layers } from "./store.js"
 * @import { Viewer } from "./viewer.js"
 */

/** @type {[keyof Layers, string][]} */
const LAYERS = [
  ["trail", "Path of the selection"], ["vision", "Vision of the selection"], ["fog", "Fog over what is unseen"],
  ["heat", "Where agents have been"], ["items", "Items carried"], ["grid", "Grid"],
];

/** @param {import("./dom.js").IconName} name @param {string} label @param {...HTMLElement} content */
function menu(name, label, ...content) {
  const details = h("details", { class: "rv-menu" }, h("summary", { class: "rv-button rv-button-text", "aria-label": label, title: label }, icon(name), h("span", {}, label)), h("div", { class: "rv-menu-box", tabindex: -1 }, ...content));
  details.addEventListener("focusout", (event) => {
    const next = event.relatedTarget;
    if (next instanceof Node && !details.contains(next)) details.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    details.open = false;
    event.stopPropagation();
    details.querySelector("summary")?.focus();
  });
  return details;
}

/** @param {Viewer} viewer */
export function layerMenu(viewer) {
  const { store } = viewer;
  const boxes = LAYERS.map(([key, label]) => {
    const box = h("input", { type: "checkbox", onchange: () => store.set({ layers: { ...store.state.layers, [key]: box.checked } }) });
    box.checked = store.state.layers[key];
    return h("label", { class: "rv-check" }, box, label);
  });
  const chart = h("input", { type: "checkbox", onchange: () => store.set({ chart: chart.checked ? "total" : "rate" }) });
  return menu("layers", "Show", ...boxes, h("hr", {}), h("label", { class: "rv-check" }, chart, "Reward as a running total"));
}

/** @param {Viewer} viewer @returns {string} The place shown now. */
export function placeText(viewer) {
  const { step, selected, camera, follow } = viewer.store.state;
  return shareText(step, selected >= 0 ? viewer.replay.ids[selected] : null, viewText(follow ? viewer.map.camera : camera, follow));
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
  const input = h("input", { class: "rv-share-text", type: "text", "aria-label": "This place as text", spellcheck: "false" });
  const said = h("span", { class: "rv-muted", role: "status" });
  const copy = async () => {
    input.value = placeText(viewer);
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
      setText(said, "Copied");
    } catch {
      setText(said, "Selected: copy it with Ctrl+C");
    }
  };
  const button = /** @param {string} label @param {() => void} press */ (label, press) => h("button", { type: "button", class: "rv-action", onclick: press }, label);
  const link = mettascopeLink(viewer.options.url);
  const details = menu("share", "Share",
    h("label", { class: "rv-menu-label" }, "This place: step, selection and view", input),
    h("div", { class: "rv-row" }, button("Copy the place", copy), button("Go to the place", () => goTo(viewer, input.value)), said),
    h("hr", {}),
    h("div", { class: "rv-row" }, button("Save the map as PNG", () => savePicture(viewer)), link ? h("a", { class: "rv-action", href: link, target: "_blank", rel: "noopener noreferrer" }, "Open in MettaScope") : h("span", {})),
    h("hr", {}),
    h("dl", { class: "rv-keys" }, ...KEY_HELP.flatMap(([keys, what]) => [h("dt", {}, keys), h("dd", {}, what)])));
  details.addEventListener("toggle", () => {
    if (details.open) input.value = placeText(viewer);
    fill(said);
  });
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") goTo(viewer, input.value);
  });
  return details;
}
