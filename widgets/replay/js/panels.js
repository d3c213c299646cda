/** What stands beside the map: panels behind tabs. */
import { agentTable } from "./agent-table.js";
import { fill, refill } from "../../page/js/dom.js";
import { button, h } from "./dom.js";
import { plural } from "../../page/js/format.js";
import { objectPanel } from "./object-panel.js";
import { rulesPanel } from "./rules-panel.js";
import { aboutPanel, textPanel } from "./text-panels.js";

/**
 * @import { State } from "./store.js"
 * @import { Viewer } from "./viewer.js"
 * @typedef {{node: HTMLElement, update: () => void}} Panel
 */

/** @param {Viewer} viewer */
export function panels(viewer) {
  const { replay, state, store } = viewer;
  const { rules, issues } = replay.header;
  /** Names and panels, in their order; those that would be empty are left out. @type {[State["tab"], string, Panel | false][]} */
  const all = [
    ["agents", "Agents", agentTable(viewer)], ["selected", "Selected", objectPanel(viewer)], ["rules", "Rules", rules.length > 0 && rulesPanel(viewer)],
    ["text", "Talk", replay.texts.length > 0 && textPanel(viewer)], ["about", issues ? `About (${plural(issues, "issue")})` : "About", aboutPanel(viewer)],
  ];
  const tabs = h("div.tabs", { role: "tablist", label: "Panels", onkeydown: move });
  const panel = h("div.panel", { role: "tabpanel" });
  show();

  function show() {
    refill(tabs, ...all.map(([tab, name, made]) => made && button(name, () => store.set({ tab }), "tab", { role: "tab", "aria-selected": String(tab === state.tab), tabindex: tab === state.tab ? 0 : -1 })).filter((each) => each !== false));
    fill(panel, shown()?.node ?? null);
  }

  /** @returns {Panel | null} */
  function shown() {
    return all.find(([tab]) => tab === state.tab)?.[2] || null;
  }

  /** @param {KeyboardEvent} event */
  function move({ key }) {
    const buttons = /** @type {HTMLElement[]} */ ([...tabs.children]);
    const at = buttons.findIndex((each) => each.ariaSelected === "true");
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[key];
    if (to === undefined) return;
    buttons.at(to % buttons.length)?.click();
    /** @type {HTMLElement | null} */ (tabs.querySelector("[aria-selected=true]"))?.focus();
  }

  return { nodes: [tabs, panel], show, update: () => shown()?.update() };
}
