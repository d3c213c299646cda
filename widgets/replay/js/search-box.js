/** Where one writes what to find, and how much was found. */
import { setText } from "../../page/js/dom.js";
import { h, icon } from "./dom.js";
import { count } from "../../page/js/format.js";
import { matching, search } from "./search.js";

/** @import { Viewer } from "./viewer.js" */

const FIND = "Find type, item, agent";

/** @param {Viewer} viewer */
export function searchBox(viewer) {
  const { facts, state, store, replay } = viewer;
  const { suggested, hash, rules } = replay.header;
  const list = `rv-names-${hash}`;
  const told = h("span.found.muted", { role: "status" });
  const box = h("input.search", { type: "search", placeholder: FIND, label: FIND, list, oninput: find, onkeydown: press });

  /** @returns {number[]} */
  const hits = () => state.found ? matching(facts, state.found, state.shown) : [];

  function find() {
    const found = search(facts, box.value);
    store.set(found?.verb && rules.length ? { found, tab: "rules" } : { found });
  }

  /** Escape ends the search, Enter goes from hit to hit. @param {KeyboardEvent} event */
  function press(event) {
    const { key, shiftKey } = event;
    if (key === "Escape") {
      if (end()) event.stopPropagation();
      viewer.focus();
    }
    const all = key === "Enter" ? hits() : [];
    const next = all[(all.indexOf(state.selected) + (shiftKey ? all.length - 1 : 1)) % all.length];
    if (next === undefined) return;
    viewer.select(next);
    const { x, y } = viewer.map.place(next);
    if (state.camera) viewer.map.camera = { ...state.camera, x: x + 0.5, y: y + 0.5 };
  }

  /** @returns {boolean} Whether there was something searched for. */
  function end() {
    const was = box.value !== "";
    box.value = "";
    store.set({ found: null });
    return was;
  }

  return {
    end,
    nodes: [told, h("label.search-wrap", {}, icon("search"), box, h("datalist", { id: list }, ...suggested.map((value) => h("option", { value }))))],
    update() {
      const n = hits().length;
      setText(told, n ? `${count(n)} found` : state.found ? "none found" : "");
    },
  };
}
