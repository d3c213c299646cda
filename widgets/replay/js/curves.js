/**
 * What can be drawn over time: rewards, what agents hold, and what they are; of all agents, of each team or of each agent. Pure.
 *
 * @import { Facts } from "./facts.js"
 * @typedef {"all" | "team" | "agent"} Grouping
 * @typedef {{name: string, agents: number[], team: number}} Group Team is -1 where it is none.
 */
import { binOf, binStart, changesOf, overview, rewardBins } from "./events.js";
import { plural } from "../../page/js/format.js";
import { min } from "../../page/js/maths.js";
import { ratePerStep, runningTotal } from "./timeline.js";

/** Items hold still within a bin, so fewer bins than of the overview tell as much. */
const ITEM_BINS = 400;
/** More agents than these are not drawn each. */
const MOST_AGENTS = 64;

/** @param {Facts} facts @param {Grouping} by @param {number} step At which teams are told apart. @param {Set<number>} hidden Teams left out. @returns {Group[]} */
export function groups(facts, by, step, hidden) {
  const agents = [...facts.replay.agents];
  if (by === "all") return [{ name: `mean of ${plural(agents.length, "agent")}`, agents, team: -1 }];
  const told = by === "agent" ? agents.slice(0, MOST_AGENTS).map((object) => ({ name: facts.title(object), agents: [object], team: facts.team(object, step) }))
    : facts.teams.names.map((name, team) => ({ name, agents: agents.filter((object) => facts.team(object, step) === team), team }));
  return told.filter((group) => group.agents.length && !hidden.has(group.team));
}

/** @param {Iterable<number>} objects @param {(object: number) => number} read @returns {number} */
export function sumOf(objects, read) {
  let sum = 0;
  for (const object of objects) sum += read(object);
  return sum;
}

/** @param {Facts} facts @param {string} measure @param {number[]} agents @returns {Float64Array} The mean over some agents, by bins of equal length; NaN where it is not known. */
export function curve({ replay }, measure, agents) {
  const { steps } = replay;
  if (measure === "reward" || measure === "total") {
    const all = overview(replay, "sum");
    const lines = agents.length === replay.agents.length ? [all] : agents.map((object) => rewardBins(replay, object, all.length || 1));
    const sums = Float64Array.from({ length: all.length || 1 }, (_, bin) => lines.reduce((sum, each) => sum + (each[bin] ?? 0), 0));
    return measure === "total" ? runningTotal(sums, agents.length) : ratePerStep(sums, steps, agents.length);
  }
  const bins = min(steps, ITEM_BINS);
  const [, kind, item] = /^(item|gained) (\d+)$/.exec(measure) ?? [];
  const at = /** @param {number} object @param {number} bin @returns {number} */ (object, bin) => {
    const step = binStart(bin, bins, steps);
    return kind ? replay.held(object, Number(item), step) : replay.at(measure, object, step);
  };
  if (kind === "gained") {
    const sums = new Float64Array(bins);
    for (const object of agents) {
      for (const { step, now, before } of changesOf(replay.inventory, replay.pair(object, Number(item)), 0, steps, NaN)) if (now > before) sums[binOf(step, bins, steps)] += now - before;
    }
    return runningTotal(sums, agents.length);
  }
  return Float64Array.from({ length: bins }, (_, bin) => {
    // A number that policies note may be known of some agents.
    const known = agents.map((object) => at(object, bin)).filter((value) => !Number.isNaN(value));
    return sumOf(known, Number) / known.length;
  });
}
