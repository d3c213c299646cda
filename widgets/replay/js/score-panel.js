/** The game's own score over the table of agents: in all, and by team where there are teams, each of which can be left out of the chart. */
import { groups, sumOf } from "./curves.js";
import { arrange, set, setText } from "../../page/js/dom.js";
import { checkbox, div, h, span } from "./dom.js";
import { MISSING, joined, number, words } from "../../page/js/format.js";
import { changes } from "./part.js";
import { teamColour } from "./palette.js";
import { hasRewards, ranked, totalText } from "./rewards.js";

/**
 * @import { Group } from "./curves.js"
 * @import { Viewer } from "./viewer.js"
 */

const SCORE_MS = 500;

/** @param {Viewer} viewer */
export function scorePanel(viewer) {
  const { replay, facts, state, store } = viewer;
  /** The item that counts most, if there is one. */
  const items = replay.header.scored.slice(0, 1);
  const heads = ["agents", "reward", "mean", ...items.map((item) => facts.itemName(item)), ...(facts.teamThings.length ? ["things"] : [])];
  /** Rows by team. @type {Map<number, HTMLTableRowElement>} */
  const rows = new Map();
  const changed = changes();
  let drawnAt = 0;

  const all = div("score");
  const body = h("tbody");
  const table = h("table.table", { label: "Teams" }, h("thead", {}, h("tr.muted", {}, ...["team", ...heads].map((head) => h("th", { scope: "col" }, head)))), body);

  function update() {
    // Sums over all agents: while it plays, twice a second is as fast as one reads.
    const now = performance.now();
    if (state.playing && now - drawnAt < SCORE_MS) return;
    drawnAt = now;
    if (!changed(state.shown, replay.ready(state.shown), state.hidden, viewer.inks)) return;
    const [sum, mean, ...held] = numbers(replay.agents);
    const score = hasRewards(replay) ? `reward ${sum}, ${mean} an agent` : "no reward is recorded";
    setText(all, joined([score, ...held.map((amount) => `${amount} ${heads[3]}`)], " \u00b7 "));
    if (!facts.teams.several) return;
    const teams = groups(facts, "team", state.shown, new Set());
    arrange(body, ranked(teams, ({ agents }) => -total(agents), ({ team }) => team).map(rowOf));
  }

  /** @param {Iterable<number>} agents */
  const total = (agents) => sumOf(agents, (object) => replay.total(object, state.shown));

  /** @param {ArrayLike<number> & Iterable<number>} agents @returns {string[]} Rewards in all, an agent, and the item that counts most. */
  function numbers(agents) {
    const reward = total(agents);
    const rewards = hasRewards(replay) ? [reward, reward / agents.length].map(totalText) : [MISSING, MISSING];
    return [...rewards, ...items.map((item) => number(sumOf(agents, (object) => replay.held(object, item, state.shown))))];
  }

  /** @param {Group} group */
  function rowOf({ name, agents, team }) {
    let row = rows.get(team);
    if (!row) {
      const show = /** @param {boolean} on */ (on) => store.set({ hidden: new Set(on ? [...state.hidden].filter((each) => each !== team) : [...state.hidden, team]) });
      row = h("tr", {}, h("td", {}, checkbox(show, true, span("dot"), name)), ...heads.map(() => h("td")));
      rows.set(team, row);
    }
    const [box, dot] = /** @type {[HTMLInputElement, HTMLElement]} */ (/** @type {unknown} */ (row.querySelectorAll("input, span")));
    box.checked = !state.hidden.has(team);
    set(dot, { style: `background:${teamColour(viewer.inks, facts.hue(team))}` });
    const { cells } = row;
    const things = [...facts.teamThings].filter((object) => facts.team(object, state.shown) === team && replay.here(object, state.shown)).map((object) => facts.sprite(object).name);
    [String(agents.length), ...numbers(agents), ...(heads.at(-1) === "things" ? [number(things.length)] : [])].forEach((text, i) => setText(cells[i + 1], text));
    set(cells[heads.length], { title: joined([...new Set(things)].map((name) => `${things.filter((each) => each === name).length} ${words(name)}`)) });
    return row;
  }

  return { node: div("scores", all, facts.teams.several ? h("div.team-rows", {}, table) : null), update };
}
